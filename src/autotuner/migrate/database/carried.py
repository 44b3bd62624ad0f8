"""Rows of version 1 as they stand in our tables of version 1, and what of them has no place. Pure.

What a column cannot hold is left out of the row and kept verbatim beside it, with a note.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Boolean, Column, String, Table

from autotuner.config import UnfitError
from autotuner.migrate.database.cells import JsonCell, Reader, described, lenient_json, reader_of
from autotuner.migrate.database.source import Cell, SourceRow
from autotuner.migrate.draft import Done, Note
from autotuner.store import v1_schema

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (v1_schema.tasks, v1_schema.experiments, v1_schema.parameter_presets)
}
_COLUMNS: Mapping[str, Mapping[str, tuple[Column[Any], Reader, int | None]]] = {
    name: {
        column.name: (column, reader_of(column.type), getattr(column.type, "length", None))
        for column in table.columns
        if column.name != "id"
    }
    for name, table in TABLES.items()
}
"""Table -> column -> what reads its cells, and how many characters it holds."""
_STATUSES = {
    "tasks": ("PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"),
    "experiments": ("PENDING", "DEPLOYING", "BENCHMARKING", "SUCCESS", "FAILED"),
}
_UNKNOWN_STATUS = "FAILED"
"""Stands where version 1 had a word that it did not know itself: nothing runs or waits."""


@dataclass(frozen=True)
class Carried:
    """A row for our table of version 1.

    Attributes:
        values: column -> value, of JSON columns the text as it was written; without `id`.
        parsed: the same, of JSON columns what the text says.
        notes: what is not in the row as it was; paths are columns.
        verbatim: column -> cell, for all that is not in the row.
    """

    values: dict[str, Any]
    parsed: dict[str, Any]
    notes: tuple[Note, ...]
    verbatim: dict[str, Any]


def carried(row: SourceRow) -> Carried:
    """A row of a table of version 1; its columns may be fewer or more than ours."""
    columns = _COLUMNS[row.table]
    values: dict[str, Any] = {}
    parsed: dict[str, Any] = {}
    notes: list[Note] = []
    verbatim: dict[str, Any] = {}

    def keep(name: str, done: Done, why: str) -> None:
        notes.append(Note(name, done, why))
        verbatim[name] = described(row.cells[name])

    for name, (column, read, most) in columns.items():
        cell = row.cells.get(name)
        if cell is None and column.nullable:
            values[name] = parsed[name] = None
            continue
        found: Any = None
        try:
            found = None if cell is None else read(cell)
            if found is not None and name == "status":
                found = _status(row.table, found)
            if most is not None and isinstance(found, str) and len(found) > most:
                raise UnfitError(f"it is longer than the {most} characters of the column")
        except UnfitError as unfit:
            found = _instead(column, cell)
            keep(name, Done.KEPT, f"{unfit}; {_in_place(found)}")
        if found is None and not column.nullable:
            found = _absent(column)
        is_json = type(found) is JsonCell
        values[name] = found.text if is_json else found
        parsed[name] = found.value if is_json else found
    for name in row.cells:
        if name not in columns and name != "id" and row.cells[name] is not None:
            keep(name, Done.KEPT, "version 1's schema has no such column")
    return Carried(values, parsed, tuple(notes), verbatim)


def _status(table: str, written: str) -> str:
    known = written.strip().upper()
    if known not in _STATUSES[table]:
        raise UnfitError(f"{written!r} is no status of version 1")
    return known


def _instead(column: Column[Any], cell: Cell) -> Any:
    """Value in place of a cell that the column cannot hold."""
    if column.name == "status":
        return _UNKNOWN_STATUS
    if isinstance(column.type, JSON):
        found = lenient_json(cell)
        return None if found is None else _written(found)
    if isinstance(column.type, String) and isinstance(cell, str):
        text = cell.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        return text[: column.type.length]
    return None


def _written(value: Any) -> JsonCell:
    return JsonCell(json.dumps(value), value)


def _absent(column: Column[Any]) -> Any:
    """Value of a column that has to have one."""
    if isinstance(column.type, JSON):
        return JsonCell("{}", {})
    if isinstance(column.type, Boolean):
        return False
    return "" if isinstance(column.type, String) else 0


def _in_place(found: Any) -> str:
    return "the column is empty" if found is None else "what the column can hold stands there"
