"""A document that is no whole task yet: what of it can be used, and everything that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autotuner.config.axes import AXIS, VALUE
from autotuner.config.fault_words import problems_in
from autotuner.config.task import AS_RECORDED, TaskConfig
from autotuner.errors import Problem

_PLACEHOLDERS: Mapping[str, Any] = {
    "version": 2,
    "name": "unnamed",
    "model": AS_RECORDED.model_dump(exclude_none=True),
}
"""Fields that a task needs -> what stands in their place where they are missing or wrong."""
_MOST_ROUNDS = 5
"""Some faults show only once others are gone: those of a whole part, once its fields are right."""


@dataclass(frozen=True)
class PartialTask:
    """The usable rest of a document.

    Attributes:
        task: without the fields that are wrong; None where nothing is left to go by.
        faults: of the document's form, each with the path of its field.
        replaced: top-level fields that were missing or wrong and are placeholders in `task`.
    """

    task: TaskConfig | None
    faults: tuple[Problem, ...]
    replaced: frozenset[str] = frozenset()


def parse_partly(document: Mapping[str, Any]) -> PartialTask:
    """Reads as much of a document as can be read."""
    left: dict[str, Any] = copy.deepcopy(dict(document))
    faults: dict[Problem, None] = {}
    replaced: set[str] = set()
    for _ in range(_MOST_ROUNDS):
        try:
            task = TaskConfig.model_validate(left)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            faults |= dict.fromkeys(problems_in(errors))
            replaced |= _mend(left, [_place(item["loc"]) for item in errors])
        else:
            return PartialTask(task, tuple(faults), frozenset(replaced))
    return PartialTask(None, tuple(faults))


def _place(location: Iterable[str | int]) -> list[str | int]:
    return [part for part in location if part not in (VALUE, AXIS)]


def _mend(left: dict[str, Any], places: Iterable[Sequence[str | int]]) -> set[str]:
    """Takes the faulty fields out; returns the top-level ones that placeholders stand for."""
    replaced = set()
    # From the end of lists, so that the places before stay what they are.
    for place in sorted(places, key=_by_index, reverse=True):
        top = str(place[0]) if place else ""
        if top in _PLACEHOLDERS:
            left[top] = _PLACEHOLDERS[top]
            replaced.add(top)
        elif top == "replay":
            left.pop("replay", None)
            left.pop("deployment_mode", None)
        elif top == "ray":
            left.pop("ray", None)
        else:
            _take_out(left, place)
    return replaced


def _by_index(place: Sequence[str | int]) -> list[int]:
    return [part for part in place if isinstance(part, int)]


def _take_out(inside: Any, place: Sequence[str | int]) -> bool:
    """Removes what stands at a place, or the nearest part around it that is there."""
    if not place:
        return False
    first, *rest = place
    try:
        inner = inside[first]
    except (KeyError, IndexError, TypeError):
        return False
    if not _take_out(inner, rest) or inner in ({}, []):
        del inside[first]
    return True
