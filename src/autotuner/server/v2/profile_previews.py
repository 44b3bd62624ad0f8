"""`/profiles/preview`: what each profile would set for a document that may be incomplete."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Body
from fastapi.responses import Response
from pydantic import JsonValue

from autotuner.catalog import ResolvedModel, known_gpu, resolve_model
from autotuner.config import PartialTask, TaskConfig, parse_partly
from autotuner.config.task import AS_RECORDED
from autotuner.engines import DEFAULT_ENGINE, checked_engine
from autotuner.errors import AutotunerError, ConfigError, EngineError
from autotuner.profiles import BASE, ProfileRegistry
from autotuner.server.service import Service
from autotuner.server.v2.form_requests import post_only
from autotuner.server.v2.profile_views import PREVIEWS, ProfilePreviews
from autotuner.server.v2.profiles import PREVIEW, profiles_here, summary_of, summary_of_broken
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
    found = parse_partly(document)
    task = found.task or TaskConfig(version=2, name=PREVIEW, model=AS_RECORDED)
    task = with_gpus_of_home(task, service.folder)
    notes: list[str] = []
    model = _model(service, found, task, notes)
    where = _where(task, model, notes)
    own = written_settings(task)
    kept, registry = profiles_here(service)
    items = []
    for name in registry.names():
        row = summary_of(name, registry, kept.get(name)) | {"title": _title(name)}
        items.append(row | _preview(name, registry, where, model, own))
    for broken in registry.broken:
        row = summary_of_broken(broken, kept.get(broken.name)) | {"title": _title(broken.name)}
        items.append(row | {"settings": [], "skipped": []})
    return json_response(PREVIEWS, {"items": items, "notes": notes})


post_only(router, f"/{PREVIEW}")


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


def _preview(
    name: str,
    registry: ProfileRegistry,
    where: dict[str, Any],
    model: ResolvedModel,
    own: dict[str, Any],
) -> dict[str, Any]:
    try:
        _, _, config = applied(name, where, model, registry)
    except AutotunerError as error:
        return {"settings": [], "skipped": [], "problem": str(error)}
    settings = [
        {
            "field": path,
            "value": origin.value,
            "why": origin.why,
            "layer": origin.layer,
            "overruled": path in own,
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
