"""The presets that every database has from the start, as v1's had."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml
from sqlalchemy import Connection, insert, select

from autotuner.store.v1_schema import parameter_presets as presets

_MADE_AT = datetime(2025, 11, 1)
"""Same in every database, so that a schema that goes down and up again ends as it was."""

_FIXED = {"is_system": True, "created_at": _MADE_AT, "updated_at": _MADE_AT}


@cache
def system_presets() -> tuple[dict[str, Any], ...]:
    """The presets: name, description, category, runtime, parameters, metadata."""
    text = resources.files("autotuner.store.v1").joinpath("system_presets.yaml").read_text("utf-8")
    return tuple(yaml.safe_load(text))


def is_system_preset(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of the presets as they are made, and nobody has changed it since."""
    made = ({**preset, **_FIXED} for preset in system_presets())
    return any(all(row[name] == value for name, value in one.items()) for one in made)


def add_system_presets(connection: Connection) -> None:
    """Adds those whose names are free, in order."""
    taken = set(connection.scalars(select(presets.c.name)))
    for preset in system_presets():
        if preset["name"] not in taken:
            connection.execute(insert(presets).values({**preset, **_FIXED}))
