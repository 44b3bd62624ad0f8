"""A database of version 1, read row by row from a private copy."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.errors import MigrationError
from autotuner.migrate.database.snapshot import FileCopy, snapshot_of
from autotuner.store.v1.recognition import OURS, V1_COLUMNS, is_v1

TASKS, EXPERIMENTS, PRESETS = "tasks", "experiments", "parameter_presets"
_INTERNAL = ("sqlite_",)
Cell = int | float | str | bytes | None


@dataclass(frozen=True)
class SourceRow:
    """A row as SQLite keeps it: `id` is its rowid, text that is no UTF-8 holds surrogates."""

    table: str
    id: int
    cells: Mapping[str, Cell]

    @property
    def digest(self) -> bytes:
        """SHA-256 of its content."""
        return hashlib.sha256(repr((self.table, self.id, *self.cells.items())).encode()).digest()

    def identity(self, *columns: str) -> str:
        """A name that only this row of this database has, however its other columns change."""
        known = [repr(self.cells.get(column)) for column in columns]
        return hashlib.sha256(repr([self.table, self.id, *known]).encode()).hexdigest()


@dataclass(frozen=True)
class SourceTask:
    """A task and its experiments by number."""

    row: SourceRow
    experiments: tuple[SourceRow, ...]

    @property
    def identity(self) -> str:
        """See `SourceRow.identity`."""
        return self.row.identity("task_name", "created_at")

    @property
    def digest(self) -> str:
        """SHA-256 of all its content."""
        found = hashlib.sha256(self.row.digest)
        for experiment in self.experiments:
            found.update(experiment.digest)
        return found.hexdigest()


@dataclass(frozen=True)
class SourceCounts:
    """How many rows there are; `others` of tables that version 1 does not know."""

    tasks: int
    experiments: int
    presets: int
    others: Mapping[str, int]


@dataclass(frozen=True)
class ListedTasks:
    """A page of tasks: `rows` with how many experiments each has, of `total` in all."""

    total: int
    rows: tuple[tuple[SourceRow, int], ...]


class V1Source:
    """The rows of a database of version 1.

    Attributes:
        name: of its file.
        copy: the private copy that is read; `sha256` is that of the file itself.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, copy: FileCopy) -> None:
        self._connection = connection
        self._tables = _tables(connection)
        self.name = name
        self.copy = copy
        self.sha256 = copy.sha256

    def counts(self) -> SourceCounts:
        """How many rows each table has."""
        others = {name: self._count(name) for name in self._others()}
        own = (self._count(TASKS), self._count(EXPERIMENTS), self._count(PRESETS))
        return SourceCounts(*own, others)

    def tasks(self) -> Iterator[SourceTask]:
        """Every task with its experiments, by number."""
        following = self._rows(EXPERIMENTS, "task_id, rowid")
        waiting = next(following, None)
        for task in self._rows(TASKS, "rowid"):
            own: list[SourceRow] = []
            while waiting is not None and _before(waiting.cells["task_id"], task.id):
                if waiting.cells["task_id"] == task.id:
                    own.append(waiting)
                waiting = next(following, None)
            yield SourceTask(task, tuple(own))

    def task(self, number: int) -> SourceTask | None:
        """One task with its experiments; None where there is none of that number."""
        row = next(self._rows(TASKS, "rowid", "rowid = ?", (number,)), None)
        if row is None:
            return None
        return SourceTask(row, tuple(self._rows(EXPERIMENTS, "rowid", "task_id = ?", (number,))))

    def listed_tasks(self, search: str, *, offset: int, limit: int) -> ListedTasks:
        """Some tasks by number, behind the first `offset` of those that `search` finds."""
        condition = "instr(lower(task_name), lower(?)) OR CAST(rowid AS TEXT) = ?"
        found = (condition, (search, search)) if search else ("1", ())
        rows = list(self._rows(TASKS, f"rowid LIMIT {limit:d} OFFSET {offset:d}", *found))
        numbers = [row.id for row in rows]
        counts = self._connection.execute(
            "SELECT task_id, count(*) FROM experiments"  # noqa: S608 - marks alone are filled in
            f" WHERE task_id IN ({', '.join('?' * len(numbers))}) GROUP BY task_id",
            numbers,
        )
        experiments = dict(counts.fetchall())
        total = self._count(TASKS, *found)
        return ListedTasks(total, tuple((row, experiments.get(row.id, 0)) for row in rows))

    def has_presets(self) -> bool:
        """Whether its schema has presets; an older one has none."""
        return PRESETS in self._tables

    def presets(self) -> Iterator[SourceRow]:
        """Every preset."""
        return self._rows(PRESETS, "rowid")

    def without_place(self) -> Iterator[SourceRow]:
        """Experiments of no task, and rows of tables that are not version 1's own."""
        orphaned = 'task_id IS NULL OR task_id NOT IN (SELECT rowid FROM "tasks")'
        yield from self._rows(EXPERIMENTS, "rowid", orphaned)
        for name in self._others():
            yield from self._rows(name, "1")

    def _others(self) -> list[str]:
        return [name for name in self._tables if name not in (TASKS, EXPERIMENTS, PRESETS)]

    def _count(self, table: str, condition: str = "1", values: Sequence[Cell] = ()) -> int:
        if table not in self._tables:
            return 0
        query = f"SELECT count(*) FROM {_quoted(table)} WHERE {condition}"  # noqa: S608 - see _rows
        return int(self._connection.execute(query, values).fetchone()[0])

    def _rows(
        self, table: str, order: str, condition: str = "1", values: Sequence[Cell] = ()
    ) -> Iterator[SourceRow]:
        """Rows of a table of its schema; what a user names is among `values` alone."""
        if table not in self._tables:
            return
        quoted = _quoted(table)
        number = "rowid" if self._tables[table] else "row_number() OVER ()"
        cursor = self._connection.execute(
            f"SELECT {number}, * FROM {quoted} WHERE {condition} ORDER BY {order}",  # noqa: S608
            values,
        )
        names = [column[0] for column in cursor.description][1:]
        for number_of_row, *cells in cursor:
            yield SourceRow(table, number_of_row, dict(zip(names, cells, strict=True)))


@contextmanager
def opened(path: Path, name: str | None = None) -> Iterator[V1Source]:
    """The source at `path`, which is never written to.

    Args:
        name: what it is called, where that is not its path.

    Raises:
        MigrationError: it is no SQLite file, damaged, or no database of version 1.
    """
    called = name or str(path)
    with snapshot_of(path) as copy, closing(_connection(copy)) as connection:
        try:
            _require_sound(connection, called)
            _require_v1(_columns(connection), called)
            yield V1Source(connection, called, copy)
        except sqlite3.DatabaseError as error:
            raise _damaged(called, str(error)) from error


@contextmanager
def opened_again(name: str, copy: FileCopy) -> Iterator[V1Source]:
    """A source that is opened elsewhere, from the same copy.

    Raises:
        MigrationError: it is damaged.
    """
    with closing(_connection(copy)) as connection:
        try:
            yield V1Source(connection, name, copy)
        except sqlite3.DatabaseError as error:
            raise _damaged(name, str(error)) from error


def _connection(copy: FileCopy) -> sqlite3.Connection:
    connection = sqlite3.connect(copy.path)
    connection.text_factory = _text
    return connection


def _require_sound(connection: sqlite3.Connection, name: str) -> None:
    found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise _damaged(name, "; ".join(found).replace("\n", " "))


def _damaged(name: str, why: str) -> MigrationError:
    return MigrationError(
        f"{name} is damaged: {why}",
        remedy=f"restore a backup of it, or save what is left: "
        f"sqlite3 {name} .recover | sqlite3 saved.db",
    )


def _require_v1(tables: Mapping[str, set[str]], name: str) -> None:
    if OURS in tables:
        raise MigrationError(
            f"{name} is a database of version 2: there is nothing to move",
            remedy="use it with --home or --database",
        )
    if is_v1(tables):
        return
    there = ", ".join(sorted(tables)) or "none"
    raise MigrationError(
        f"{name} is no database of version 1: it lacks {_lacking(tables)}; its tables: {there}",
        remedy="name the database file of version 1 (autotuner.db)",
    )


def _lacking(tables: Mapping[str, set[str]]) -> str:
    for name, columns in V1_COLUMNS.items():
        if name not in tables:
            return f"the table {name}"
        if missing := sorted(columns - tables[name]):
            return f"{name}.{missing[0]}"
    return "nothing"


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    return {
        name: {str(row[1]) for row in connection.execute(f"PRAGMA table_info({_quoted(name)})")}
        for name in _tables(connection)
    }


def _tables(connection: sqlite3.Connection) -> dict[str, bool]:
    """Table -> whether it has rowids."""
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    return {
        name: "WITHOUT ROWID" not in str(sql).upper()
        for name, sql in found
        if not name.startswith(_INTERNAL)
    }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _before(task_id: Any, last: int) -> bool:
    """Whether an experiment's place is at a task or before it, in the order of SQLite."""
    return task_id is None or (isinstance(task_id, int | float) and task_id <= last)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
