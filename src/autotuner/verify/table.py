"""The text of a table as rows: commas, semicolons or tabs between cells, decimal commas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DELIMITERS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_MOST_CELL = 10 << 20


@dataclass(frozen=True)
class Table:
    """A header and its lines.

    Attributes:
        rows: number of the line, its cells.
        has_decimal_commas: whether commas were read as decimal points.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str
    has_decimal_commas: bool

    def objects(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each line as an object, numbers as numbers, empty cells left out."""
        for line, cells in self.rows:
            pairs = zip(self.header, cells, strict=False)
            yield f"line {line}", {key: _value(cell) for key, cell in pairs if cell}


def read_table(text: str) -> Table:
    """The table that `text` is, its first line taken as the header.

    Raises:
        ValueError: a cell that has no end.
    """
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_MOST_CELL)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = tuple(name.strip() for name in next(lines, []))
        rows = [(lines.line_num, tuple(cell.strip() for cell in row)) for row in lines if row]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    commas = delimiter != "," and any(
        _DECIMAL_COMMA.fullmatch(cell) for _, cells in rows for cell in cells
    )
    if commas:
        rows = [(line, tuple(map(_with_point, cells))) for line, cells in rows]
    return Table(header, tuple(rows), delimiter, commas)


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _value(cell: str) -> Any:
    if not _NUMBER.fullmatch(cell) or len(cell) > 300:
        return cell
    return int(cell) if cell.isdigit() else float(cell)
