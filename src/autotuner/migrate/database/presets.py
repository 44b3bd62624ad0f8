"""A preset of version 1 -> its row and a profile. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autotuner.catalog import ModelFacts
from autotuner.engines import v1_engines
from autotuner.errors import AutotunerError, ProfileError
from autotuner.migrate.database.accounts import account_of
from autotuner.migrate.database.carried import carried
from autotuner.migrate.database.source import SourceRow
from autotuner.migrate.draft import PARAMETERS, Done, Draft, Note, Translation
from autotuner.migrate.parameters import add_parameters
from autotuner.profiles import profile_from
from autotuner.store.v1.moved import MovedPreset

_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST = 90
"""Characters of a profile's name, with room for a number behind it."""
_COLUMN_NOTES = (
    Note("description", Done.TRANSLATED, "description of the profile"),
    *(
        Note(name, Done.KEPT, "kept in version 1's table, which its API answers from")
        for name in ("category", "is_system", "metadata", "created_at", "updated_at")
    ),
)


def moved_preset(source: SourceRow) -> MovedPreset:
    """Row and profile of a preset; no profile where no engine of ours is meant."""
    row = carried(source)
    parameters = row.parsed["parameters"]
    known: Mapping[str, Any] = parameters if isinstance(parameters, dict) else {}
    engine = _engine(row.parsed["runtime"], known)
    notes = [*row.notes, *_COLUMN_NOTES]
    profile = None
    try:
        translation = _translated(engine, known)
        name = profile_name(row.parsed["name"], source.id)
        profile = _profile(name, row.parsed["description"], engine, translation.task)
        notes += [Note("name", Done.TRANSLATED, f"the profile {name}"), *translation.notes]
        notes.append(Note("runtime", Done.TRANSLATED, f"the profile is for {engine}"))
    except AutotunerError as error:
        why = str(error).replace("\n", " ")
        notes.append(Note("", Done.KEPT, f"it becomes no profile: {why}"))
    return MovedPreset(
        identity=source.identity("name", "created_at"),
        digest=source.digest.hex(),
        source_id=source.id,
        v1=row.values,
        profile=profile,
        account=account_of(notes, row.verbatim),
    )


def profile_name(preset: str, number: int) -> str:
    """A name for a profile: letters, digits, `_`, `.` and `-`."""
    name = _NO_NAME.sub("-", preset).strip("-.").lower()[:_LONGEST]
    return name or f"preset-{number}"


def _engine(runtime: str | None, parameters: Mapping[str, Any]) -> str:
    """The engine that a preset is for; where it does not say, the one that knows most of its
    parameters."""
    named = v1_engines()
    meant = (name for word, name in named.items() if runtime and word in runtime.lower())
    engine = next(meant, None)
    if engine is not None:
        return engine

    def known(engine: str) -> int:
        return len(_translated(engine, parameters).noted(Done.TRANSLATED))

    return max(dict.fromkeys(named.values()), key=known)


def _translated(engine: str, parameters: Mapping[str, Any]) -> Translation:
    # Of which model a preset will be is not known: its replicas are those of a dense one.
    draft = Draft(engine, ModelFacts(experts=0))
    add_parameters(draft, parameters)
    found = draft.finished()
    notes = tuple(Note(note.path or PARAMETERS, note.done, note.text) for note in found.notes)
    return Translation(found.task, notes)


def _profile(
    name: str, description: str | None, engine: str, task: Mapping[str, Any]
) -> dict[str, Any]:
    """The profile's document.

    Raises:
        ProfileError: a field does not take what the preset says.
    """
    settings = {
        f"{group}.{field}": {"value": value, "why": "preset of version 1"}
        for group, fields in task.items()
        if isinstance(fields, dict) and group != "metadata"
        for field, value in fields.items()
    }
    if not settings:
        raise ProfileError("none of its parameters sets a field")
    document = {
        "name": name,
        "description": description or "",
        "layers": [{"name": "preset", "when": {"backend": engine}, "set": settings}],
    }
    profile_from(document, source=name)
    return document
