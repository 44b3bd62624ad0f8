"""`/profiles/`: the built-in ones, those of the home's folder, and those that users keep here."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import Header, Path
from fastapi.responses import Response

from autotuner.catalog import resolve_model
from autotuner.errors import NameTakenError
from autotuner.profiles import BUILTIN, BrokenProfile, ProfileRegistry
from autotuner.profiles import kept as source_of_kept
from autotuner.report.documents import config_document, profile_document
from autotuner.server.problems import ProblemError, ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.conditional_requests import (
    IdempotencyKey,
    etag,
    expected_version,
    is_unchanged,
)
from autotuner.server.v2.profile_checks import checked_document, profiles_here
from autotuner.server.v2.profile_views import (
    APPLIED,
    PROFILE,
    PROFILE_LIST,
    PROFILE_TASKS,
    AppliedProfile,
    ApplyRequest,
    NewProfile,
    ProfileContent,
    ProfileList,
    ProfilePatch,
    ProfileTasks,
    ProfileView,
    written_content,
)
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    Text,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.store.profile_uses import task_counts, tasks_naming
from autotuner.store.profiles import StoredProfile, StoredProfiles, registry_beside
from autotuner.tuning.resolve import applied

router = v2_router("/profiles", "profiles")
PREVIEW, VALIDATE = "preview", "validate"
RESERVED = (PREVIEW, VALIDATE)
"""Names that no profile may have here: their addresses are those of previews and of checks."""
_MOST_TASKS = 100

_UNKNOWN = problems(ProblemKind.NOT_FOUND)
_STALE = problems(ProblemKind.PRECONDITION_FAILED)
_FIXED = problems(ProblemKind.CONFLICT)
_BROKEN = problems(ProblemKind.TASK_INVALID)
_TAGGED = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version."}}}
_LOCATED = {
    "headers": {
        **_TAGGED["headers"],
        "Location": {"schema": {"type": "string"}, "description": "Where the profile is."},
    }
}
Name = Annotated[Text, Path(min_length=1, max_length=200, description="The profile's name.")]
IfMatch = Annotated[
    str | None,
    Header(description="ETag that was read; refused (412) if the profile has changed since."),
]


@router.get("/", response_model=ProfileList, responses=_BROKEN)
def list_profiles(service: ServiceDep) -> Response:
    """Lists every profile that a task may name, and the broken ones with their problems."""
    kept, registry = profiles_here(service)
    rows = [summary_of(name, registry, kept.get(name)) for name in registry.names()]
    rows += [summary_of_broken(one, kept.get(one.name)) for one in registry.broken]
    tasks = task_counts(service.store.sessions)
    items = [row | {"tasks": tasks.get(row["name"], 0)} for row in rows]
    return json_response(PROFILE_LIST, {"items": items})


@router.post(
    "/",
    status_code=201,
    response_model=ProfileView,
    responses=merged(
        WITH_BODY,
        problems(ProblemKind.DUPLICATE_NAME, ProblemKind.CONFLICT),
        problems(ProblemKind.IDEMPOTENCY_MISMATCH),
    )
    | {201: _LOCATED},
)
def create_profile(
    service: ServiceDep, profile: NewProfile, key: IdempotencyKey = None
) -> Response:
    """Creates a profile; it may extend any other."""
    _, registry = profiles_here(service)
    if profile.name in RESERVED:
        raise ProblemError(
            ProblemKind.CONFLICT, f"{profile.name!r} is an address of its own; choose another name"
        )
    if profile.name in registry.profiles:
        raise NameTakenError(
            f"the profile {profile.name!r} already exists",
            remedy="choose another name; `extends` builds on a profile",
        )
    document = checked_document(service, profile.name, profile)
    kept = StoredProfiles(service.store.sessions).create(profile.name, document)
    return _profile_response(service, kept.name, status=201)


@router.get(
    "/{name}",
    response_model=ProfileView,
    responses=merged(_UNKNOWN, _BROKEN) | {200: _TAGGED, 304: {"description": "Not modified."}},
)
def get_profile(
    service: ServiceDep,
    name: Name,
    if_none_match: Annotated[str | None, Header(description="ETag of your copy.")] = None,
) -> Response:
    """A profile with its layers, those of the profiles that it extends first.

    One kept here that cannot be used comes with its `problem` and its own layers, to be mended.
    """
    return _profile_response(service, name, if_none_match=if_none_match)


@router.put(
    "/{name}",
    response_model=ProfileView,
    responses=merged(WITH_BODY, _UNKNOWN, _STALE, _FIXED) | {200: _TAGGED},
)
def replace_profile(
    service: ServiceDep, name: Name, content: ProfileContent, if_match: IfMatch = None
) -> Response:
    """Replaces the content of a profile that is stored here."""
    _require_kept(service, name)
    return _changed(service, name, content, if_match)


@router.patch(
    "/{name}",
    response_model=ProfileView,
    responses=merged(WITH_BODY, _UNKNOWN, _STALE, _FIXED) | {200: _TAGGED},
)
def change_profile(
    service: ServiceDep, name: Name, patch: ProfilePatch, if_match: IfMatch = None
) -> Response:
    """Changes parts of a profile that is stored here."""
    kept = _require_kept(service, name)
    given = patch.model_dump(exclude_unset=True)
    content = ProfileContent.model_validate(_content_of(kept) | given)
    return _changed(service, name, content, if_match, read=kept.version)


@router.delete(
    "/{name}",
    status_code=204,
    response_class=Response,
    responses=merged(_UNKNOWN, _STALE, _FIXED),
)
def delete_profile(service: ServiceDep, name: Name, if_match: IfMatch = None) -> Response:
    """Deletes a profile that is stored here; refused while others extend it."""
    _require_kept(service, name)
    profiles = StoredProfiles(service.store.sessions)
    above = [row.name for row in profiles.all() if row.document.get("extends") == name]
    if above:
        raise ProblemError(
            ProblemKind.CONFLICT, f"{', '.join(above)} extends {name}; change or delete that first"
        )
    profiles.delete(name, version=expected_version(if_match))
    return Response(status_code=204)


@router.get("/{name}/tasks", response_model=ProfileTasks, responses=_UNKNOWN)
def list_profile_tasks(service: ServiceDep, name: Name) -> Response:
    """Lists the newest tasks that name a profile, and the profiles that extend it."""
    _, registry = profiles_here(service)
    if name not in registry.names() and all(one.name != name for one in registry.broken):
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no profile {name!r}")
    found = tasks_naming(service.store.sessions, name, most=_MOST_TASKS)
    above = sorted(each for each, one in registry.profiles.items() if one.extends == name)
    return json_response(
        PROFILE_TASKS,
        {
            "items": found,
            "total": task_counts(service.store.sessions).get(name, 0),
            "extended_by": above,
        },
    )


@router.post(
    "/{name}/apply",
    response_model=AppliedProfile,
    responses=merged(WITH_BODY, _UNKNOWN, _BROKEN, problems(ProblemKind.POLICY_REFUSED)),
)
def apply_profile(service: ServiceDep, name: Name, where: ApplyRequest) -> Response:
    """Applies a profile to a model on GPUs with an engine: every field with its sources."""
    _, registry = profiles_here(service)
    _require(name, registry)
    refuse_violations(service.violations_of_model(where.model))
    model = resolve_model(where.model, base=service.base)
    circumstances = {
        "model": where.model.id or model.name,
        "runtime": where.engine,
        "gpu_type": where.gpu,
        "total_gpus": where.gpus,
        "isl": where.isl,
        "osl": where.osl,
    }
    engine, context, config = applied(name, circumstances, model, registry)
    version = engine.table.version
    return json_response(
        APPLIED,
        {
            "profile": name,
            "engine": engine.name,
            "engine_version": version,
            "context": context.known,
            "notes": model.notes,
            "settings": dict(config.settings),
            **config_document(config, engine, version),
        },
    )


def _require(name: str, registry: ProfileRegistry) -> None:
    if name in registry.names():
        return
    if any(one.name == name for one in registry.broken):
        registry.get(name)
    raise ProblemError(ProblemKind.NOT_FOUND, f"there is no profile {name!r}")


def _require_kept(service: Service, name: str) -> StoredProfile:
    kept = StoredProfiles(service.store.sessions).get(name)
    if kept is not None:
        return kept
    _require(name, registry_beside({}, service.folder))
    raise ProblemError(
        ProblemKind.CONFLICT,
        f"the profile {name!r} is {'built in' if name in BUILTIN else 'a file of the home'} and "
        "not changed here; create one that extends it",
    )


def _changed(
    service: Service,
    name: str,
    content: ProfileContent,
    if_match: str | None,
    read: tuple[int, ...] | None = None,
) -> Response:
    document = checked_document(service, name, content)
    expected = expected_version(if_match)
    version = read if expected is None else expected
    StoredProfiles(service.store.sessions).change(name, document, version=version)
    return _profile_response(service, name)


def _content_of(kept: StoredProfile) -> dict[str, Any]:
    return {key: value for key, value in kept.document.items() if key != "name"}


def summary_of(name: str, registry: ProfileRegistry, kept: StoredProfile | None) -> dict[str, Any]:
    """A profile in a line, with where it is stored."""
    profile = registry.get(name)
    origin = "service" if kept else "built-in" if name in BUILTIN else "folder"
    return {
        "name": name,
        "description": profile.description,
        "extends": profile.extends,
        "origin": origin,
        "revision": kept and kept.revision,
        "created_at": kept and kept.created_at,
        "updated_at": kept and kept.updated_at,
        "problem": None,
    }


def summary_of_broken(broken: BrokenProfile, kept: StoredProfile | None) -> dict[str, Any]:
    """A profile that cannot be used, in a line with its `problem`."""
    row = kept if broken.source == source_of_kept(broken.name) else None
    return {
        "name": broken.name,
        "description": _text(row, "description") or "",
        "extends": _text(row, "extends"),
        "origin": "service" if row else "folder",
        "revision": row and row.revision,
        "created_at": row and row.created_at,
        "updated_at": row and row.updated_at,
        "problem": str(broken.error),
    }


def _text(kept: StoredProfile | None, name: str) -> str | None:
    found = None if kept is None else kept.document.get(name)
    return found if isinstance(found, str) else None


def _broken_of(kept: StoredProfile, registry: ProfileRegistry) -> BrokenProfile | None:
    if kept.name in registry.names():
        return None
    source = source_of_kept(kept.name)
    return next((one for one in registry.broken if one.source == source), None)


def _profile_response(
    service: Service, name: str, *, status: int = 200, if_none_match: str | None = None
) -> Response:
    everything, registry = profiles_here(service)
    kept = everything.get(name)
    broken = None if kept is None else _broken_of(kept, registry)
    if kept is not None and broken is not None:
        document = {**summary_of_broken(broken, kept), **written_content(name, _content_of(kept))}
    else:
        _require(name, registry)
        document = {
            **summary_of(name, registry, kept),
            "layers": profile_document(name, registry)["layers"],
            "document": kept and _content_of(kept),
        }
    document["tasks"] = task_counts(service.store.sessions).get(name, 0)
    tag = etag(*kept.version) if kept else f'"{_digest(document)}"'
    headers = {"ETag": tag}
    if status == 201:
        headers["Location"] = f"/api/v2/profiles/{name}"
    if is_unchanged(tag, if_none_match):
        return Response(status_code=304, headers=headers)
    return json_response(PROFILE, document, status=status, headers=headers)


def _digest(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
