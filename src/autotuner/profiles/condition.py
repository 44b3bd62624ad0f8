"""Conditions of layers: facts of the context against what a profile wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.config import nearest
from autotuner.profiles.context import FACTS, Fact, TaskContext

_KINDS = {bool: "true or false", float: "a number", str: "text (in quotes)"}


def unmet(when: Mapping[str, Any], context: TaskContext) -> str | None:
    """Why a condition does not hold; None where it does.

    A fact is compared with a value, with a list of values, or with `{min: …, max: …}`. A fact that
    is not known meets no condition.
    """
    for name, wanted in when.items():
        fact, value = FACTS[name], context.known[name]
        if value is None:
            return f"{name} is not known"
        if isinstance(wanted, dict):
            if value < wanted.get("min", value) or value > wanted.get("max", value):
                return f"{name} is {_text(value)}, not {_bounds(wanted)}"
        elif _same(fact, value) not in [_same(fact, item) for item in _listed(wanted)]:
            return f"{name} is {_text(value)}, not {_text(wanted)}"
    return None


def check_condition(when: Mapping[str, Any]) -> str | None:
    """The fault of a condition that can never hold; None where it has none."""
    for name, wanted in when.items():
        if name not in FACTS:
            return f"unknown fact {name!r}, {nearest(str(name), list(FACTS))}"
        fact = FACTS[name]
        if isinstance(wanted, dict):
            wrong = _wrong_bounds(fact, wanted)
        elif wanted == []:
            wrong = "an empty list is never met"
        else:
            wrong = next((w for item in _listed(wanted) if (w := _wrong_value(fact, item))), None)
        if wrong:
            return f"{name}: {wrong}"
    return None


def _wrong_bounds(fact: Fact, wanted: dict[str, Any]) -> str | None:
    if not (wanted and set(wanted) <= {"min", "max"}):
        return "give a value, a list of values, or min and max"
    if fact.kind is not float:
        return f"it has no size; give {_KINDS[fact.kind]}"
    if not all(_is_a(float, bound) for bound in wanted.values()):
        return "min and max are numbers"
    if len(wanted) == 2 and wanted["min"] > wanted["max"]:
        return f"min {wanted['min']} is above max {wanted['max']}"
    return None


def _wrong_value(fact: Fact, value: Any) -> str | None:
    if not _is_a(fact.kind, value):
        return f"{value!r} never holds; give {_KINDS[fact.kind]}"
    if fact.names and _same(fact, value) not in {_same(fact, name) for name in fact.names}:
        return f"{value!r} never holds; {nearest(value, list(fact.names))}"
    return None


def _is_a(kind: type, value: Any) -> bool:
    """Whether a value is of a fact's kind; true and false are no numbers, whole numbers are."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _same(fact: Fact, value: Any) -> Any:
    return fact.canonical(value) if fact.kind is str else value


def _listed(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(_text(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _bounds(wanted: dict[str, Any]) -> str:
    return " and ".join(f"{'at least' if k == 'min' else 'at most'} {v}" for k, v in wanted.items())
