"""Reads what was moved here, as it stands: rows of both versions, of JSON columns the text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, Connection, Table, Text, select
from sqlalchemy import cast as sql_cast

from autotuner.store import v1_schema
from autotuner.store.row_numbers import chunks
from autotuner.store.schema import (
    ExperimentRow,
    MeasurementRow,
    ObservationRow,
    ProfileRow,
    TaskRow,
)
from autotuner.store.sessions import Sessions
from autotuner.store.v1.moving import NUMBERS, known_units
from autotuner.store.v1.unmoving import FURTHER

Columns = Mapping[str, Any]
_TASKS, _EXPERIMENTS, _MEASUREMENTS, _OBSERVATIONS, _PROFILES = (
    cast(Table, row.__table__)
    for row in (TaskRow, ExperimentRow, MeasurementRow, ObservationRow, ProfileRow)
)


@dataclass(frozen=True)
class PartHere:
    """A task of version 2 that a unit became, as it is here.

    Attributes:
        number: its number.
        task: its columns; None where it is gone.
        launched: its experiments, in order, each with its measurements.
        observations: in the order of their numbers.
    """

    number: int
    task: Columns | None
    launched: Sequence[tuple[Columns, Sequence[Columns]]]
    observations: Sequence[Columns]


@dataclass(frozen=True)
class MovedHere:
    """A unit as it is here.

    Attributes:
        row: of version 1's table; None where it is gone.
        experiments: rows of version 1's table by number in the source.
        strangers: numbers of further experiments that its task has here.
        parts: tasks of version 2 that it became, that of its first traffic scenario first.
        document: of the profile; None where there is none, or it is gone.
        was_worked_on: whether its task was handed to workers here since.
    """

    account: Mapping[str, Any]
    digest: str
    v1_id: int | None
    v2_task_id: int | None
    profile: str | None
    row: Columns | None
    experiments: Mapping[int, Columns]
    strangers: Sequence[int]
    parts: Sequence[PartHere]
    document: str | None
    was_worked_on: bool

    @property
    def is_gone(self) -> bool:
        """Whether its task of version 2 or its profile was removed."""
        without_task = any(part.task is None for part in self.parts)
        return without_task or (self.profile is not None and self.document is None)

    def number_of(self, source_id: int) -> int:
        """The number here of an experiment of the source."""
        return int(self.account.get(NUMBERS, {}).get(str(source_id), source_id))


def moved_here(
    sessions: Sessions, units: Mapping[str, Sequence[int]], table: Table | None
) -> dict[str, MovedHere]:
    """Units by identity; those that were never moved here are left out.

    Args:
        units: identity -> numbers of its experiments in the source.
        table: version 1's table of their rows; None where they have none.
    """
    with sessions.reading() as session:
        connection = session.connection()
        known = known_units(connection, list(units))
        v1_ids = [unit.v1_id for unit in known.values() if unit.v1_id is not None]
        of_tasks = table is v1_schema.tasks
        rows = {} if table is None else _by_id(connection, table, v1_ids)
        own = _of_tasks(connection, v1_ids) if of_tasks else {}
        numbers = {
            identity: {
                source_id: int(unit.account.get(NUMBERS, {}).get(str(source_id), source_id))
                for source_id in units[identity]
            }
            for identity, unit in known.items()
        }
        named = {number for each in numbers.values() for number in each.values()}
        experiments = _by_id(connection, v1_schema.experiments, list(named))
        parts = {identity: _numbers(unit) for identity, unit in known.items()}
        wanted = [number for own_numbers in parts.values() for number in own_numbers]
        tasks = _by_id(connection, _TASKS, wanted)
        launched = _launched(connection, list(tasks))
        seen = rows_by(connection, _OBSERVATIONS, _OBSERVATIONS.c.task_id, list(tasks))
        worked_on = _worked_on(connection, v1_ids) if of_tasks else set()
        profiles = rows_by(
            connection, _PROFILES, _PROFILES.c.name, _present(known.values(), "profile")
        )
        return {
            identity: MovedHere(
                account=unit.account,
                digest=unit.digest,
                v1_id=unit.v1_id,
                v2_task_id=unit.v2_task_id,
                profile=unit.profile,
                row=rows.get(unit.v1_id),
                experiments={
                    source_id: experiments[number]
                    for source_id, number in numbers[identity].items()
                    if number in experiments
                },
                strangers=sorted(set(own.get(unit.v1_id, ())) - set(numbers[identity].values())),
                parts=[
                    PartHere(n, tasks.get(n), launched.get(n, ()), seen.get(n, ()))
                    for n in parts[identity]
                ],
                document=next((row["document"] for row in profiles.get(unit.profile, ())), None),
                was_worked_on=unit.v1_id in worked_on,
            )
            for identity, unit in known.items()
        }


def _numbers(unit: Any) -> list[int]:
    """Numbers of the tasks of version 2 that a unit became."""
    first = [] if unit.v2_task_id is None else [unit.v2_task_id]
    return [*first, *unit.account.get(FURTHER, ())]


def _present(units: Iterable[Any], column: str) -> list[Any]:
    return [value for unit in units if (value := getattr(unit, column)) is not None]


def _by_id(connection: Connection, table: Table, ids: Sequence[int]) -> dict[Any, Columns]:
    return {number: rows[0] for number, rows in rows_by(connection, table, table.c.id, ids).items()}


def _of_tasks(connection: Connection, v1_ids: Sequence[int]) -> dict[int, list[int]]:
    """Numbers of the experiments of tasks of version 1."""
    columns = v1_schema.experiments.c
    found: defaultdict[int, list[int]] = defaultdict(list)
    for some in chunks(v1_ids):
        query = select(columns.task_id, columns.id).where(columns.task_id.in_(some))
        for task_id, number in connection.execute(query):
            found[task_id].append(number)
    return found


def _worked_on(connection: Connection, v1_ids: Sequence[int]) -> set[int]:
    """Those of the tasks of version 1 that were handed to workers here."""
    columns = _TASKS.c
    queued = select(columns.v1_task_id).where(columns.queued_at.is_not(None))
    return {
        number
        for some in chunks(v1_ids)
        for number in connection.scalars(queued.where(columns.v1_task_id.in_(some)))
    }


def _launched(
    connection: Connection, task_ids: Sequence[int]
) -> dict[Any, list[tuple[Columns, Sequence[Columns]]]]:
    own = rows_by(connection, _EXPERIMENTS, _EXPERIMENTS.c.task_id, task_ids)
    numbers = [row["id"] for rows in own.values() for row in rows]
    levels = rows_by(connection, _MEASUREMENTS, _MEASUREMENTS.c.experiment_id, numbers)
    return {
        task_id: [
            (row, levels.get(row["id"], ())) for row in sorted(rows, key=lambda row: row["idx"])
        ]
        for task_id, rows in own.items()
    }


def rows_by(
    connection: Connection, table: Table, column: ColumnElement[Any], values: Sequence[Any]
) -> dict[Any, list[Mapping[str, Any]]]:
    """Rows by the value of a column, of JSON columns the text."""
    columns = [
        sql_cast(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in table.columns
    ]
    found: defaultdict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    order = list(table.primary_key.columns)
    for some in chunks(values):
        query = select(column.label("_of"), *columns).where(column.in_(some)).order_by(*order)
        for row in connection.execute(query).mappings():
            found[row["_of"]].append(dict(row))
    return found
