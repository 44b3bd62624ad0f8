"""The record of what was moved here from databases of version 1: calls, units, and undoing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from autotuner.errors import WrongTransitionError
from autotuner.store.migration_schema import MigratedRow, MigrationRow
from autotuner.store.sessions import Sessions
from autotuner.store.transitions import allowed_actions
from autotuner.store.v1.moving import ENGINE
from autotuner.store.v1.unmoving import (
    PUT_ASIDE_KIND,
    counts_of,
    remove_units,
    running_tasks,
    was_worked_on,
)

_UNITS = MigratedRow.__table__.c
_AT_ONCE = 50


@dataclass(frozen=True)
class MigrationRecord:
    """One call that moved rows here; `units` are those that are still here of it."""

    id: int
    source: str
    source_sha256: str
    started_at: datetime
    ended_at: datetime | None
    units: int


@dataclass(frozen=True)
class UnitRecord:
    """A unit as it is recorded; see `MigratedRow`."""

    kind: str
    identity: str
    digest: str
    v1_id: int | None
    v2_task_id: int | None
    profile: str | None
    account: Mapping[str, Any]


@dataclass(frozen=True)
class Undone:
    """How many units were removed, and the v1 tasks that were left: they were worked on since."""

    removed: int
    left: tuple[int, ...]


@dataclass(frozen=True)
class UndoPreview:
    """Effect that undoing would have.

    Attributes:
        removed: units that would go. counts: rows that would go with them, by kind.
        left: as in `Undone`.
        running: tasks of version 2 that run, and forbid it.
    """

    removed: int
    counts: Mapping[str, int]
    left: tuple[int, ...]
    running: tuple[int, ...]


class Migrations:
    """Records and undoes migrations of one database."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def begin(self, source: str, sha256: str) -> int:
        """The number of a new migration, or of the one of this source that was killed.

        A source is a name with its bytes: of two databases that are uploaded, both may be called
        `autotuner.db`.
        """
        killed = select(MigrationRow).where(
            MigrationRow.source == source,
            MigrationRow.source_sha256 == sha256,
            MigrationRow.ended_at.is_(None),
        )
        with self._sessions.writing() as session:
            row = session.scalars(killed.order_by(MigrationRow.id.desc())).first()
            if row is None:
                now = datetime.now(UTC)
                row = MigrationRow(source=source, source_sha256=sha256, started_at=now)
                session.add(row)
                session.flush()
            return row.id

    def end(self, migration: int, report: dict[str, Any]) -> None:
        """Records that a migration is complete."""
        change = update(MigrationRow).where(MigrationRow.id == migration)
        with self._sessions.writing() as session:
            session.execute(change.values(ended_at=datetime.now(UTC), report=report))

    def engines(self) -> dict[str, str]:
        """The engine that was named for a task whose runtime names none, by identity."""
        named = _UNITS.account[ENGINE].as_string().label("engine")
        query = select(_UNITS.identity, named).where(named.is_not(None))
        with self._sessions.reading() as session:
            return {row.identity: row.engine for row in session.execute(query)}

    def all(self) -> tuple[MigrationRecord, ...]:
        """Every migration of which anything is here, the newest first."""
        counted = select(func.count()).where(_UNITS.migration_id == MigrationRow.id)
        query = select(MigrationRow, counted.scalar_subquery()).order_by(MigrationRow.id.desc())
        with self._sessions.reading() as session:
            return tuple(
                MigrationRecord(
                    row.id, row.source, row.source_sha256, row.started_at, row.ended_at, units
                )
                for row, units in session.execute(query)
                if units
            )

    def unit(self, identity: str) -> UnitRecord | None:
        """Record of a unit."""
        query = select(MigratedRow).where(MigratedRow.identity == identity)
        with self._sessions.reading() as session:
            row = session.scalar(query)
            return None if row is None else _record(row)

    def of_v1_task(self, v1_id: int) -> UnitRecord | None:
        """Record of a task of version 1 that was moved here."""
        query = select(MigratedRow).where(MigratedRow.kind == "task", MigratedRow.v1_id == v1_id)
        with self._sessions.reading() as session:
            row = session.scalars(query.order_by(MigratedRow.id.desc())).first()
            return None if row is None else _record(row)

    def undo_preview(self, migration: int, *, force: bool) -> UndoPreview:
        """The effect that `undo` would have; nothing is changed."""
        with self._sessions.reading() as session:
            connection = session.connection()
            units = connection.execute(_units_of(migration)).all()
            gone, left = _parted(connection, units, force=force)
            return UndoPreview(
                removed=sum(unit.kind != PUT_ASIDE_KIND for unit in gone),
                counts=counts_of(connection, gone),
                left=tuple(unit.v1_id for unit in left),
                running=tuple(running_tasks(connection, gone)),
            )

    def undo(self, migration: int, *, force: bool) -> Iterator[Undone]:
        """Removes what a migration moved here, the newest first, some units in each transaction.

        Args:
            force: also tasks that were worked on here since.

        Raises:
            WrongTransitionError: one of the tasks runs. Nothing is removed, unless it was started
                meanwhile; then the others are removed by the next call.
        """
        _refuse_running(migration, self.undo_preview(migration, force=force).running)
        own = _units_of(migration)
        query = own
        while True:
            with self._sessions.writing() as session:
                connection = session.connection()
                units = connection.execute(query.limit(_AT_ONCE)).all()
                gone, left = _parted(connection, units, force=force)
                _refuse_running(migration, running_tasks(connection, gone))
                remove_units(connection, gone)
            if not units:
                return
            query = own.where(_UNITS.id < units[-1].id)
            moved = sum(unit.kind != PUT_ASIDE_KIND for unit in gone)
            yield Undone(moved, tuple(unit.v1_id for unit in left))


def _units_of(migration: int) -> Select[Any]:
    """The units of a migration, the newest first."""
    return select(*_UNITS).where(_UNITS.migration_id == migration).order_by(_UNITS.id.desc())


def _parted(
    connection: Connection, units: Sequence[Row[Any]], *, force: bool
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Units that go, and those that stay since they were worked on."""
    left = [unit for unit in units if not force and was_worked_on(connection, unit)]
    kept = {unit.id for unit in left}
    return [unit for unit in units if unit.id not in kept], left


def _refuse_running(migration: int, running: Sequence[int]) -> None:
    if running:
        numbers = ", ".join(map(str, running))
        raise WrongTransitionError(
            f"migration {migration} cannot be taken back: its tasks are running: {numbers}",
            status="running",
            allowed=allowed_actions("running"),
            remedy="cancel them first",
        )


def _record(row: MigratedRow) -> UnitRecord:
    return UnitRecord(
        row.kind, row.identity, row.digest, row.v1_id, row.v2_task_id, row.profile, row.account
    )
