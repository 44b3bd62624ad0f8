"""Engines, profiles and settings as JSON documents, for scripts."""

from __future__ import annotations

from typing import Any

from autotuner.engines import ENGINES, FIELDS, Engine, FieldMapping, checked_version, engine_named
from autotuner.errors import AutotunerError
from autotuner.profiles import (
    BUILTIN,
    BrokenProfile,
    LayerValue,
    Origin,
    Profile,
    ProfileRegistry,
    ResolvedConfig,
)


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
    """The flag of every field in a version of an engine, the newest one where left out.

    Raises:
        EngineError: no such engine, or no version.
    """
    table = engine_named(name).table
    version = table.version if version is None else checked_version(version)
    fields = [flag_row(row) for row in table.mappings(version)]
    return {"engine": name, "version": version, "source": table.source, "fields": fields}


def flags_by_field() -> dict[str, dict[str, FieldMapping]]:
    """Field -> engine -> the flag of its newest version."""
    flags = {name: engine.table.mappings() for name, engine in ENGINES.items()}
    fields = [row.path for row in next(iter(flags.values()))]
    return {
        path: {name: rows[place] for name, rows in flags.items()}
        for place, path in enumerate(fields)
    }


def coverage_document() -> dict[str, Any]:
    """Field x engine."""
    return {
        "engines": {name: engine.table.version for name, engine in ENGINES.items()},
        "fields": {
            path: {name: flag_row(flag) for name, flag in row.items()}
            for path, row in flags_by_field().items()
        },
    }


def flag_row(flag: FieldMapping) -> dict[str, str]:
    """How an engine expresses one field."""
    return {"field": flag.path, "how": flag.how, "name": flag.name, "note": flag.note}


def profile_row(profile: Profile) -> dict[str, Any]:
    """A profile in a line."""
    return {
        "name": profile.name,
        "description": profile.description,
        "extends": profile.extends,
        "builtin": profile.name in BUILTIN,
        "source": profile.source,
        "problem": None,
    }


def broken_row(broken: BrokenProfile) -> dict[str, Any]:
    """A profile that cannot be used, in a line of the same keys and its `problem`."""
    return {
        "name": broken.name,
        "description": "",
        "extends": None,
        "builtin": False,
        "source": broken.source,
        "problem": str(broken.error),
    }


def profile_document(name: str, registry: ProfileRegistry) -> dict[str, Any]:
    """A profile with its layers, those of the profiles that it extends first.

    Raises:
        ProfileError: no such profile.
    """
    layers = [
        {
            "layer": layer.title,
            "name": layer.name,
            "when": dict(layer.when),
            "set": {setting.path: _setting(setting) for setting in layer.settings},
        }
        for layer in registry.layers_of(name)
    ]
    return {**profile_row(registry.get(name)), "layers": layers}


def _setting(setting: LayerValue) -> dict[str, Any]:
    """A setting as a profile's file has it."""
    found = {"rule": setting.rule} if setting.rule else {"value": setting.value}
    return {**found, "why": setting.why, "source": setting.source}


def config_document(config: ResolvedConfig, engine: Engine, version: str) -> dict[str, Any]:
    """Every field with its provenance, as `--json` prints it."""
    unset = unset_fields(config, engine, version)
    return {
        "fields": {
            path: {
                "value": config.settings.get(path),
                "layers": [_origin(o) for o in config.provenance.get(path, ())],
                "unset": unset.get(path),
            }
            for path in FIELDS
        },
        "skipped": [{"layer": s.layer, "reason": s.reason} for s in config.skipped],
        "warnings": list(config.warnings),
    }


def unset_fields(config: ResolvedConfig, engine: Engine, version: str) -> dict[str, str]:
    """Every field that is not set -> what counts instead."""
    reasons = {"no": f"{engine.name} cannot express", "task": "the task does not say"}
    own = f"{engine.name}'s own default counts"
    return {
        row.path: reasons.get(row.how, own)
        for row in engine.table.mappings(version)
        if row.path not in config.settings
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "layer": origin.layer,
        "origin": origin.origin,
        "value": origin.value,
        "status": origin.status,
        "why": origin.why,
        "source": origin.source,
    }
