"""Presets merged into one set of parameters, by v1's three strategies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotuner.migrate.values import distinct
from autotuner.store.v1 import V1PresetRecord

Values = dict[str, list[Any]]
Conflicts = list[dict[str, Any]]
Named = Sequence[tuple[str, Values]]
"""Presets' names and parameters."""


def merge(presets: Sequence[V1PresetRecord], strategy: str) -> dict[str, Any]:
    """Parameters of several presets, and what they do not agree on; null where they do.

    `union`: every parameter with every value. `intersection`: the parameters of the first preset,
    with the values that all give. `last_wins`: every parameter with the values of the last preset
    that has it.
    """
    given = [(preset.name, _lists(preset.parameters)) for preset in presets]
    parameters, conflicts = _STRATEGIES[strategy](given)
    return {
        "parameters": parameters,
        "applied_presets": [name for name, _ in given],
        "conflicts": conflicts or None,
    }


def _union(presets: Named) -> tuple[Values, Conflicts]:
    merged: Values = {}
    for _, parameters in presets:
        for name, values in parameters.items():
            merged[name] = distinct([*merged.get(name, ()), *values])
    return merged, []


def _intersection(presets: Named) -> tuple[Values, Conflicts]:
    (_, first), *others = presets
    common = {
        name: [
            value
            for value in distinct(values)
            if all(_holds(other.get(name, ()), value) for _, other in others)
        ]
        for name, values in first.items()
    }
    reason = "No common values across all presets"
    conflicts = [
        {"parameter": name, "reason": reason} for name, values in common.items() if not values
    ]
    return {name: values for name, values in common.items() if values}, conflicts


def _last_wins(presets: Named) -> tuple[Values, Conflicts]:
    merged: Values = {}
    conflicts: Conflicts = []
    for preset, parameters in presets:
        for name, values in parameters.items():
            if name in merged and merged[name] != values:
                conflicts.append(
                    {
                        "parameter": name,
                        "overridden_by": preset,
                        "previous_values": merged[name],
                        "new_values": values,
                    }
                )
            merged[name] = values
    return merged, conflicts


_STRATEGIES: Mapping[str, Callable[[Named], tuple[Values, Conflicts]]] = {
    "union": _union,
    "intersection": _intersection,
    "last_wins": _last_wins,
}


def _lists(parameters: Any) -> Values:
    """Parameters of a row, which may be of any age: each a list of values."""
    found = parameters if isinstance(parameters, dict) else {}
    return {name: each if isinstance(each, list) else [each] for name, each in found.items()}


def _holds(values: Sequence[Any], value: Any) -> bool:
    return any(type(other) is type(value) and other == value for other in values)
