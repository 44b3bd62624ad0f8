"""Cells of SQLite, where any value may lie in any column -> values of v1's columns. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import JSON, Boolean, DateTime, Float, Integer, String
from sqlalchemy.types import TypeEngine

from autotuner.config import UnfitError
from autotuner.migrate.database.source import Cell

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that not every database can store: NUL, and what stands for bytes that are no text."""
_REPLACEMENT = "\ufffd"
_MOST_WHOLE = 2**31 - 1


class JsonCell(NamedTuple):
    """A JSON column: its text as it was written, and its value, all of it `storable`."""

    text: str
    value: Any


Reader = Callable[[Cell], Any]
"""Value of a cell that is not NULL; raises `UnfitError` where it is none of the column's kind."""


def reader_of(kind: TypeEngine[Any]) -> Reader:
    """The reader of the cells of a column of a kind."""
    return next(read for known, read in _READERS if isinstance(kind, known))


def described(cell: Cell) -> Any:
    """A cell as JSON: bytes as hex digits, numbers that JSON has not as text."""
    if isinstance(cell, bytes):
        return {"bytes": cell.hex()}
    if isinstance(cell, float) and not math.isfinite(cell):
        return {"number": str(cell)}
    return cell


def storable(value: Any) -> Any:
    """A value of JSON in which every text can be stored, and every number is finite."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _text(cell: Cell) -> str:
    if isinstance(cell, bytes):
        raise UnfitError("bytes are no text")
    text = str(cell)
    if _UNSTORABLE.search(text):
        raise UnfitError("it holds bytes that are no text, or NUL")
    return text


def _json(cell: Cell) -> JsonCell:
    if isinstance(cell, bytes):
        raise UnfitError("bytes are no JSON")
    if isinstance(cell, float) and not math.isfinite(cell):
        raise UnfitError("JSON has no such number")
    text = cell if isinstance(cell, str) else json.dumps(cell)
    if not text.isascii() and _UNSTORABLE.search(text):
        raise UnfitError("it holds bytes that are no text")
    try:
        value = _parsed(text)
        return JsonCell(text, storable(value) if _is_suspect(text) else value)
    except RecursionError:
        raise UnfitError("it is nested too deeply") from None
    except ValueError as error:
        raise UnfitError(f"it is no JSON: {error}") from None


def _parsed(text: str) -> Any:
    """The value of a text of JSON.

    Raises:
        ValueError: it is none, in the words of Python's own parser, which takes thrice as long.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return _DECODER.decode(text)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
_LARGE = (re.compile(r"e\+?\d{3}"), re.compile(r"E\+?\d{3}"))
"""Exponents of numbers that may be too large, by their letter: to look for one letter and then for
the other takes a quarter of the time of looking for either."""


def _is_suspect(text: str) -> bool:
    """Whether a text of JSON may hold what is not storable: most hold no escape of that kind, and
    no exponent."""
    return "\\u" in text or any(large.search(text) for large in _LARGE)


def lenient_json(cell: Cell) -> Any:
    """Value of a JSON column where only its numbers are none of JSON's; None where more is wrong.

    Such numbers become null.
    """
    if not isinstance(cell, str):
        return None
    try:
        return storable(json.loads(cell))
    except (ValueError, RecursionError):
        return None


def _moment(cell: Cell) -> datetime:
    if not isinstance(cell, str):
        raise UnfitError("it is no time")
    try:
        found = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise UnfitError("it is no time") from None
    # Version 1 kept UTC, without a zone.
    try:
        return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise UnfitError("it is out of range") from None


def _number(cell: Cell) -> float:
    try:
        found = float(cell) if isinstance(cell, int | float | str) else None
    except (ValueError, OverflowError):
        found = None
    if found is None or math.isnan(found):
        raise UnfitError("it is no number")
    return found


def _whole(cell: Cell) -> int:
    number = _number(cell)
    if not number.is_integer() or abs(number) > _MOST_WHOLE:
        raise UnfitError("it is no whole number that a column holds")
    return int(number)


def _truth(cell: Cell) -> bool:
    if cell not in (0, 1):
        raise UnfitError("it is neither true nor false")
    return bool(cell)


_READERS: tuple[tuple[type[TypeEngine[Any]], Reader], ...] = (
    (JSON, _json),
    (DateTime, _moment),
    (Boolean, _truth),
    (Integer, _whole),
    (Float, _number),
    (String, _text),
)
"""Kind of a column -> how its cells are read; the first that fits."""
