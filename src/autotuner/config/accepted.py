"""Loosely typed values -> what a field of a v2 document accepts. Pure."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from autotuner.config.fault_words import problems_of
from autotuner.config.groups import GROUPS

_WHOLE = re.compile(r"[+-]?\d{1,18}")
_NO_NUMBERS = frozenset({"int_type", "int_parsing", "float_type", "float_parsing"})
"""Kinds of errors of a text where a number is expected."""
_WORDS = {"true": True, "false": False}


class UnfitError(ValueError):
    """A value that a field does not accept; the message says why."""


def accepted(model: type[BaseModel], field: str, value: Any, beside: Any = None) -> Any:
    """`value` as `field` of `model` takes it: as it is, or as what its text or number says.

    Args:
        beside: other fields that the model cannot do without.

    Raises:
        UnfitError: no reading of it is accepted.
    """
    if beside is None and isinstance(value, str | int | float):
        return _accepted_again(model, field, value)
    return _accepted(model, field, value, beside or {})


@functools.lru_cache(maxsize=4_096, typed=True)  # 1, 1.0 and true differ
def _accepted_again(model: type[BaseModel], field: str, value: Any) -> Any:
    """Texts of one origin have the same few values again and again."""
    return _accepted(model, field, value, {})


def _accepted(model: type[BaseModel], field: str, value: Any, beside: Mapping[str, Any]) -> Any:
    why, is_text = "", False
    for reading in _readings(value):
        try:
            made = model.model_validate({**beside, field: reading})
        except ValidationError as error:
            # Of a number that is written as text, its range says more than that it is text.
            if not why or (is_text and type(reading) in (int, float)):
                why = "; ".join(problem.message for problem in problems_of(error))
                is_text = {found["type"] for found in error.errors()} <= _NO_NUMBERS
        else:
            return getattr(made, field)
    raise UnfitError(why)


def setting(path: str, value: Any) -> Any:
    """`value` as the field `group.field` of a candidate takes it.

    Raises:
        UnfitError: it does not, or it is null.
    """
    if value is None:
        raise UnfitError("null says nothing")
    group, _, field = path.partition(".")
    return accepted(GROUPS[group], field, value)


def as_bool(value: Any) -> bool | None:
    """The truth value that is meant: itself, or the text "true" or "false"; else None."""
    if isinstance(value, bool):
        return value
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def _readings(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, str):
        text = value.strip()
        truth = as_bool(text)
        if truth is not None:
            yield truth
        elif _WHOLE.fullmatch(text):
            yield int(text)
        else:
            try:
                yield from _whole(float(text))
            except ValueError:
                return
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        if value in (0, 1):
            yield bool(value)
        yield str(value)
    elif isinstance(value, float):
        yield from _whole(value)
        yield str(value)


def _whole(number: float) -> Iterator[Any]:
    yield number
    if math.isfinite(number) and number == int(number):
        yield int(number)
