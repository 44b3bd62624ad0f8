"""The engines, where they are, and how each says every field: for scripts."""

from __future__ import annotations

from typing import Any

from autotuner.engines import ENGINES, Saying, checked_version, engine_named
from autotuner.errors import AutotunerError


def installed(name: str) -> dict[str, Any]:
    """Whether an engine is on this machine: where, or what stands in the way."""
    try:
        found = ENGINES[name].find(None)
    except AutotunerError as error:
        return {"name": name, "found": False, "problem": error.message, "remedy": error.remedy}
    return {"name": name, "found": True, "version": found.version, "origin": found.origin}


def engine_row(name: str) -> dict[str, Any]:
    """An engine in a line."""
    table = ENGINES[name].table
    return {
        **installed(name),
        "title": table.title,
        "table_version": table.version,
        "model_format": table.model_format,
        "source": table.source,
    }


def engine_document(name: str, version: str | None = None) -> dict[str, Any]:
    """How an engine says every field in a version, the newest one where left out.

    Raises:
        EngineError: no such engine, or no version.
    """
    table = engine_named(name).table
    version = table.version if version is None else checked_version(version)
    fields = [saying_row(saying) for saying in table.sayings(version)]
    return {"engine": name, "version": version, "source": table.source, "fields": fields}


def sayings_by_field() -> dict[str, dict[str, Saying]]:
    """Field -> engine -> how its newest version says it."""
    sayings = {name: engine.table.sayings() for name, engine in ENGINES.items()}
    fields = [saying.path for saying in next(iter(sayings.values()))]
    return {
        path: {name: rows[place] for name, rows in sayings.items()}
        for place, path in enumerate(fields)
    }


def coverage_document() -> dict[str, Any]:
    """Field x engine."""
    return {
        "engines": {name: engine.table.version for name, engine in ENGINES.items()},
        "fields": {
            path: {name: saying_row(saying) for name, saying in row.items()}
            for path, row in sayings_by_field().items()
        },
    }


def saying_row(saying: Saying) -> dict[str, str]:
    """How one field is said."""
    return {"field": saying.path, "how": saying.how, "name": saying.name, "note": saying.note}
