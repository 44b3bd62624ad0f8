"""Traces of requests that other programs recorded: when each came, and its tokens.

A file is CSV with a header or one JSON object a line, compressed with gzip or not. Which columns or
keys a format has is a row of `trace_formats.yaml`. Read line by line: public traces have tens of
millions.
"""

from __future__ import annotations

import csv
import functools
import gzip
import json
import math
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter

from autotuner.config.tables import packaged_table
from autotuner.errors import VerifyError

TimeUnit = Literal["s", "ms", "date"]
_SECONDS = {"s": 1.0, "ms": 1e-3}
_GZIP = b"\x1f\x8b"
_UNIT_REMEDY = "say the unit of the times: --trace-unit s, or ms"


class TraceFormat(BaseModel):
    """One format: the names that it has, and the unit of its times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    needs: tuple[str, ...]
    time: str
    unit: TimeUnit | None
    isl: tuple[str, ...]
    osl: tuple[str, ...]


@dataclass
class RequestTrace:
    """Requests of a trace.

    Attributes:
        times_s: arrival of each, since any moment, in the order of the file.
        isl, osl: mean tokens of a request; None where the file does not say them.
    """

    format: str
    times_s: array[float] = field(default_factory=lambda: array("d"))
    isl: float | None = None
    osl: float | None = None


def read_trace(path: Path, unit: TimeUnit | None = None) -> RequestTrace:
    """Reads the trace at `path`.

    Args:
        unit: of its times, in place of that of its format.

    Raises:
        VerifyError: it cannot be read, is no trace, or has a time that is none; says where.
    """
    try:
        with _opened(path) as file:
            return _read(path, file, unit)
    except UnicodeDecodeError:
        raise VerifyError(f"{path}: it is no text in UTF-8", remedy=_remedy()) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VerifyError(f"{path}: it cannot be read: {reason}") from None


def _opened(path: Path) -> IO[str]:
    with path.open("rb") as file:
        is_packed = file.read(len(_GZIP)) == _GZIP
    if is_packed:
        return cast(IO[str], gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _read(path: Path, file: IO[str], unit: TimeUnit | None) -> RequestTrace:
    lengths = {"isl": _Mean(), "osl": _Mean()}
    found: RequestTrace | None = None
    read_as: TraceFormat | None = None
    names: Mapping[str, str | None] = {}
    for line, row in _rows(path, file):
        if read_as is None:
            read_as = _format_of(path, row)
            found = RequestTrace(read_as.name)
            names = {k: next((n for n in getattr(read_as, k) if n in row), None) for k in lengths}
        time_s = _time_s(row.get(read_as.time), unit or read_as.unit)
        if isinstance(time_s, str):
            raise VerifyError(
                f"{path}, line {line}: {read_as.time}: {time_s}",
                remedy=_UNIT_REMEDY if unit is None and read_as.unit is None else "fix the line",
            )
        assert found is not None  # noqa: S101 - made with the format
        found.times_s.append(time_s)
        for quantity, name in names.items():
            if name is not None:
                lengths[quantity].add(row.get(name))
    if found is None:
        raise VerifyError(f"{path}: it has no requests", remedy=_remedy())
    found.isl, found.osl = lengths["isl"].value, lengths["osl"].value
    return found


class _Mean:
    """Mean of what are numbers above 0."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: Any) -> None:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return
        if 0 < number < math.inf:
            self._sum += number
            self._count += 1

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None


def _rows(path: Path, file: IO[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each request with its line."""
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    if not first.lstrip().startswith("{"):
        header = next(csv.reader([first]), [])
        names = [name.strip() for name in header]
        try:
            for number, cells in enumerate(csv.reader(file), 2):
                if any(cells):
                    yield number, dict(zip(names, cells, strict=False))
        except csv.Error as error:
            raise VerifyError(f"{path}: it is no CSV: {error}", remedy=_remedy()) from None
        return
    number, text = 1, first
    while text:
        if text.strip():
            try:
                row = json.loads(text)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise VerifyError(
                    f"{path}, line {number}: it is no JSON object", remedy="write one on each line"
                )
            yield number, row
        number, text = number + 1, file.readline()


@functools.cache
def _formats() -> tuple[TraceFormat, ...]:
    table = packaged_table("autotuner.verify", "trace_formats")
    return TypeAdapter(tuple[TraceFormat, ...]).validate_python(table)


def _format_of(path: Path, row: Mapping[str, Any]) -> TraceFormat:
    found = next((one for one in _formats() if all(name in row for name in one.needs)), None)
    if found is None:
        names = ", ".join(list(row)[:8])
        raise VerifyError(f"{path}: no column is the time of a request: {names}", remedy=_remedy())
    return found


def _remedy() -> str:
    known = "; ".join(f"{one.name} ({', '.join(one.needs)})" for one in _formats())
    return f"give CSV with a header or one JSON object a line, with the names of one of: {known}"


def _time_s(value: Any, unit: TimeUnit | None) -> float | str:
    """Seconds of a time, or why it is none."""
    if value is None or isinstance(value, bool) or value == "":
        return "there is no time"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return _date_s(value)
    if not math.isfinite(number):
        return f"{value!r} is no time"
    if unit is None:
        return f"{value!r} may be in seconds or milliseconds"
    # A number in a column of dates is one of seconds since 1970.
    return number * _SECONDS.get(unit, 1.0)


def _date_s(value: Any) -> float | str:
    try:
        date = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return f"{str(value)[:40]!r} is no time"
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
