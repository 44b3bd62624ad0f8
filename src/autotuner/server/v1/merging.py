"""Presets merged into one set of parameters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from autotuner.migrate.values import distinct
from autotuner.store.v1 import V1PresetRecord

Strategy = Literal["union", "intersection", "last_wins"]


def merge(presets: Sequence[V1PresetRecord], strategy: Strategy) -> dict[str, Any]:
    """The parameters of several presets, in the order of the presets.

    `union`: every parameter with every value. `intersection`: the parameters that all presets have,
    with the values that all give. `last_wins`: every parameter with the values of the last preset
    that has it. A conflict is a parameter for which presets give different values.
    """
    given: dict[str, list[tuple[str, list[Any]]]] = {}
    for preset in presets:
        for name, values in (preset.parameters or {}).items():
            listed = values if isinstance(values, list) else [values]
            given.setdefault(name, []).append((preset.name, distinct(listed)))
    merged: dict[str, list[Any]] = {}
    for name, said in given.items():
        values = [told for _, told in said]
        if strategy == "last_wins":
            merged[name] = values[-1]
        elif strategy == "union":
            merged[name] = distinct([value for told in values for value in told])
        elif len(said) == len(presets):
            common = [v for v in values[0] if all(_holds(told, v) for told in values[1:])]
            if common:
                merged[name] = common
    return {
        "parameters": merged,
        "applied_presets": [preset.name for preset in presets],
        "conflicts": [
            {"parameter": name, "values": dict(said)}
            for name, said in given.items()
            if any(told != said[0][1] for _, told in said)
        ],
    }


def _holds(values: list[Any], value: Any) -> bool:
    return any(type(other) is type(value) and other == value for other in values)
