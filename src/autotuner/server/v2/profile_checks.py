"""Profiles of the service, and every fault of one that is about to be stored."""

from __future__ import annotations

from typing import Any

from autotuner.errors import Problem
from autotuner.profiles import BASE, ProfileRegistry, faults_of
from autotuner.profiles import kept as source_of_kept
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.profile_views import ProfileContent
from autotuner.store.profiles import StoredProfile, StoredProfiles, registry_beside


def profiles_here(service: Service) -> tuple[dict[str, StoredProfile], ProfileRegistry]:
    """Stored profiles by name, and the registry of all profiles."""
    kept = {row.name: row for row in StoredProfiles(service.store.sessions).all()}
    return kept, registry_beside(_documents(kept), service.folder)


def document_of(name: str, content: ProfileContent) -> dict[str, Any]:
    """A profile's document as it is stored."""
    return content.model_dump(mode="json", exclude_none=True) | {"name": name}


def registry_with(
    service: Service, name: str, content: ProfileContent
) -> tuple[ProfileRegistry, tuple[Problem, ...]]:
    """The registry as if a profile was stored already, and every fault of the profile."""
    document = document_of(name, content)
    kept, _ = profiles_here(service)
    registry = registry_beside(_documents(kept) | {name: document}, service.folder)
    faults = list(faults_of(document["layers"]))
    if content.extends == BASE:
        faults.append(Problem("extends", "base is part of every profile; omit it"))
    if not faults:
        faults += [
            Problem("extends", one.error.message)
            for one in registry.broken
            if one.source == source_of_kept(name)
        ]
    return registry, tuple(faults)


def checked_document(service: Service, name: str, content: ProfileContent) -> dict[str, Any]:
    """Document as it is stored.

    Raises:
        ProblemError: with every fault in it.
    """
    _, faults = registry_with(service, name, content)
    if faults:
        detail = str(faults[0]) if len(faults) == 1 else f"{len(faults)} faults; see errors"
        raise ProblemError(ProblemKind.INVALID_BODY, detail, errors=faults)
    return document_of(name, content)


def _documents(kept: dict[str, StoredProfile]) -> dict[str, Any]:
    return {key: row.document for key, row in kept.items()}
