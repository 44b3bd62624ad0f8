"""Values of v1's parameters, and the forms in which they are kept. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autotuner.config import UnfitError


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
