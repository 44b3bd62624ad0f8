"""`/profiles/preview` and `/profiles/validate`: what profiles would set for a document that may be
incomplete, and what is wrong with one that is being written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Body
from fastapi.responses import Response
from pydantic import JsonValue, ValidationError

from autotuner.catalog import ResolvedModel, known_gpu, resolve_model
from autotuner.config import PartialTask, TaskConfig, parse_partly, problems_in
from autotuner.config.task import AS_RECORDED
from autotuner.engines import DEFAULT_ENGINE, checked_engine
from autotuner.errors import AutotunerError, ConfigError, EngineError, Problem
from autotuner.profiles import BASE, ProfileRegistry
from autotuner.server.service import Service
from autotuner.server.v2.form_requests import post_only
from autotuner.server.v2.profile_checks import profiles_here, registry_with
from autotuner.server.v2.profile_views import (
    CHECKED,
    PREVIEWS,
    CheckedProfile,
    NewProfile,
    ProfileDraft,
    ProfilePreviews,
)
from autotuner.server.v2.profiles import (
    PREVIEW,
    RESERVED,
    VALIDATE,
    summary_of,
    summary_of_broken,
)
from autotuner.server.v2.routing import WITH_BODY, ServiceDep, json_response, v2_router
from autotuner.tuning.resolve import applied, workload_of, written_settings
from autotuner.tuning.resources import field_values, with_gpus_of_home

router = v2_router("/profiles", "profiles")
_NOTHING_KNOWN = ResolvedModel("", "")
_WITH_DIGITS = re.compile(r"\b\w*\d\w*\b")


@router.post(f"/{PREVIEW}", response_model=ProfilePreviews, responses=WITH_BODY)
def preview_profiles(
    service: ServiceDep,
    document: Annotated[
        dict[str, JsonValue],
        Body(description="A task document, version 2; whatever is missing counts as not known."),
    ],
) -> Response:
    """Previews what each profile would set for a document, and why; it may be incomplete."""
    found = _circumstances(service, document)
    kept, registry = profiles_here(service)
    items = []
    for name in registry.names():
        row = summary_of(name, registry, kept.get(name)) | {"title": _title(name)}
        items.append(row | _preview(name, registry, found))
    for broken in registry.broken:
        row = summary_of_broken(broken, kept.get(broken.name)) | {"title": _title(broken.name)}
        items.append(row | {"settings": [], "skipped": []})
    return json_response(PREVIEWS, {"items": items, "notes": found.notes})


@router.post(f"/{VALIDATE}", response_model=CheckedProfile, responses=WITH_BODY)
def validate_profile(service: ServiceDep, draft: ProfileDraft) -> Response:
    """Checks a profile that is being written: every fault, each at its place; stores nothing."""
    try:
        profile = NewProfile.model_validate(draft.profile)
    except ValidationError as error:
        return _checked(problems_in(error.errors()))
    faults = [] if draft.replaces == profile.name else _faults_of_name(service, profile.name)
    # Under a name that is free, its content has faults of its own alone.
    registry, of_content = registry_with(service, PREVIEW if faults else profile.name, profile)
    faults += of_content
    if faults or draft.document is None:
        return _checked(faults)
    found = _circumstances(service, draft.document)
    row = {"name": profile.name, "title": _title(profile.name), "origin": "service"}
    shown = _preview(profile.name, registry, found)
    return _checked((), row | {"description": profile.description} | shown, found.notes)


for _path in RESERVED:
    post_only(router, f"/{_path}")


@dataclass(frozen=True)
class _Circumstances:
    """A document's model and machine, its own settings, and notes on what it does not give."""

    model: ResolvedModel
    where: Mapping[str, Any]
    own: Mapping[str, Any]
    notes: Sequence[str]


def _circumstances(service: Service, document: dict[str, Any]) -> _Circumstances:
    found = parse_partly(document)
    task = found.task or TaskConfig(version=2, name=PREVIEW, model=AS_RECORDED)
    task = with_gpus_of_home(task, service.folder)
    notes: list[str] = []
    model = _model(service, found, task, notes)
    where = _where(task, model, notes)
    return _Circumstances(model, where, written_settings(task), notes)


def _faults_of_name(service: Service, name: str) -> list[Problem]:
    _, registry = profiles_here(service)
    if name in RESERVED:
        return [Problem("name", f"{name!r} is an address of its own; choose another name")]
    if name in registry.profiles or any(one.name == name for one in registry.broken):
        return [Problem("name", f"the profile {name!r} already exists; choose another name")]
    return []


def _checked(
    faults: Iterable[Problem], preview: dict[str, Any] | None = None, notes: Sequence[str] = ()
) -> Response:
    listed = [{"path": fault.path, "message": fault.message} for fault in faults]
    return json_response(CHECKED, {"faults": listed, "preview": preview, "notes": notes})


def _model(
    service: Service, found: PartialTask, task: TaskConfig, notes: list[str]
) -> ResolvedModel:
    """The document's model; one of which nothing is known where it cannot be found."""
    if found.task is None or "model" in found.replaced:
        notes.append("model: not given, so that nothing is known of it")
        return _NOTHING_KNOWN
    forbidden = service.violations_of_model(task.model)
    if forbidden:
        notes += map(str, forbidden)
        return _NOTHING_KNOWN
    try:
        model = resolve_model(task.model, base=service.base)
    except AutotunerError as error:
        notes.append(error.message)
        return _NOTHING_KNOWN
    notes += model.notes
    return model


def _where(task: TaskConfig, model: ResolvedModel, notes: list[str]) -> dict[str, Any]:
    """The circumstances of the document, as `TaskContext` takes them."""
    engine = next(map(str, field_values(task, "system.backend")), DEFAULT_ENGINE)
    try:
        checked_engine(engine)
    except EngineError as error:
        notes.append(f"{error.message}; shown for {DEFAULT_ENGINE}")
        engine = DEFAULT_ENGINE
    gpu = next(map(str, field_values(task, "system.gpu_type")), None)
    if gpu is not None and known_gpu(gpu, task.gpus) is None:
        notes.append(f"system.gpu_type: {gpu!r} is not in the catalog")
        gpu = None
    lengths: dict[str, int] = {}
    try:
        workload = workload_of(task, PREVIEW)
        lengths = {"isl": workload.largest_input(), "osl": workload.largest_output()}
    except ConfigError:
        notes.append("runtime: the lengths of requests are not given")
    return {
        "model": task.model.id or model.name,
        "runtime": engine,
        "gpu_type": gpu,
        "total_gpus": next(iter(field_values(task, "system.total_gpus")), None),
        "described": task.gpus,
        **lengths,
    }


def _preview(name: str, registry: ProfileRegistry, found: _Circumstances) -> dict[str, Any]:
    try:
        _, _, config = applied(name, found.where, found.model, registry)
    except AutotunerError as error:
        return {"settings": [], "skipped": [], "problem": str(error)}
    settings = [
        {
            "field": path,
            "value": origin.value,
            "why": origin.why,
            "layer": origin.layer,
            "overruled": path in found.own,
        }
        for path, origins in config.provenance.items()
        for origin in origins
        if (origin.origin, origin.status) == ("profile", "set")
    ]
    skipped = [vars(each) for each in config.skipped if not each.layer.startswith(f"{BASE}/")]
    return {"settings": settings, "skipped": skipped, "problem": None}


def _title(name: str) -> str:
    """A profile's name for people: `fp8_quantized` -> `FP8 quantized`."""
    words = re.sub(r"[_-]+", " ", name).strip()
    shown = words[:1].upper() + words[1:]
    return _WITH_DIGITS.sub(lambda match: match.group().upper(), shown)
