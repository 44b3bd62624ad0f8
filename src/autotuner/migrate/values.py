"""v1's loosely typed values -> what a field of a v2 document accepts. Pure."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from autotuner.config import GROUPS, problems_of

_WHOLE = re.compile(r"[+-]?\d{1,18}")
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
    """Tasks of one database have the same few values again and again."""
    return _accepted(model, field, value, {})


def _accepted(model: type[BaseModel], field: str, value: Any, beside: Mapping[str, Any]) -> Any:
    why = ""
    for reading in _readings(value):
        try:
            made = model.model_validate({**beside, field: reading})
        except ValidationError as error:
            why = why or "; ".join(problem.message for problem in problems_of(error))
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
    """The truth value that v1 meant: itself, or the text "true" or "false"; else None."""
    if isinstance(value, bool):
        return value
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def listed(written: Any) -> list[Any]:
    """The values of a parameter: a list, one value, or a mapping with a `type`.

    `choice` and `categorical` have `values` or `choices`; of `integer` and `continuous`, which go
    from `low` to `high`, some values are taken, evenly, or with `log` in equal ratios.

    Raises:
        UnfitError: a mapping of another form.
    """
    if isinstance(written, list):
        return written
    if not isinstance(written, dict):
        return [written]
    if is_range(written):
        return _values_between(written)
    values = written.get("values", written.get("choices"))
    if written.get("type", "choice") in _CHOICES and isinstance(values, list):
        return list(values)
    raise UnfitError('a mapping is read as {"type": "choice", "values": [...]} only')


_CHOICES = ("choice", "categorical")
_MOST_WHOLE, _STEPS = 16, 9
"""Whole numbers of a range that are all taken; how many values are taken of a wider one."""


def is_range(written: Any) -> bool:
    """Whether a parameter is a range, of which a task tries some values."""
    kind = written.get("type") if isinstance(written, dict) else None
    return kind in ("integer", "continuous")


def _values_between(written: Mapping[str, Any]) -> list[Any]:
    low, high = (_number(written.get(end), end) for end in ("low", "high"))
    if high < low:
        raise UnfitError(f"low {low:g} is above high {high:g}")
    whole = written["type"] == "integer"
    if whole and high - low < _MOST_WHOLE:
        return list(range(round(low), round(high) + 1))
    shares = [step / (_STEPS - 1) for step in range(_STEPS)]
    if written.get("log") and low > 0:
        found = [low * (high / low) ** share for share in shares]
    else:
        found = [low + (high - low) * share for share in shares]
    return distinct([round(value) if whole else float(f"{value:.6g}") for value in found])


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnfitError(f"{name} is no number")
    return float(value)


def distinct(values: list[Any]) -> list[Any]:
    """Each value once, in order; 1 and true differ."""
    found: list[Any] = []
    for value in values:
        if not any(type(value) is type(other) and value == other for other in found):
            found.append(value)
    return found


def stored_text(text: str) -> str:
    """A text as any column keeps it: a NUL and lone surrogates are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def kept_form(value: Any) -> Any:
    """A value as any database keeps it: numbers that JSON has not become text."""
    if isinstance(value, dict):
        return {str(key): kept_form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [kept_form(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


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
