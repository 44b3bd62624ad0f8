"""Removes what was moved here from a database of version 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from autotuner.store import v1_schema
from autotuner.store.event_log import TASK_DELETED
from autotuner.store.migration_schema import MigratedRow
from autotuner.store.row_numbers import chunks, found_in, wanted_or_new
from autotuner.store.schema import (
    EventRow,
    ExperimentRow,
    MeasurementRow,
    ObservationRow,
    ProfileRow,
    TaskRow,
)

REPLACED = "replaced"
"""Key of an account: the row of version 1's presets that stood here before, and was replaced."""
FURTHER = "further"
"""Key of an account: numbers of the v2 tasks of a task's further traffic scenarios."""
PUT_ASIDE_KIND = "put_aside"
"""Record of a preset that stood here before, and in whose place nothing came."""


def was_worked_on(connection: Connection, unit: Row[Any]) -> bool:
    """Whether a task was handed to workers here since it was moved, in either version's words."""
    if unit.v1_id is None or unit.kind != "task":
        return False
    columns = TaskRow.__table__.c
    here = (columns.v1_task_id == unit.v1_id) & columns.queued_at.is_not(None)
    return bool(connection.scalar(select(exists().where(here))))


def running_tasks(connection: Connection, units: Sequence[Row[Any]]) -> list[int]:
    """Tasks of version 2 that run: those that units became, and others that run their v1 tasks."""
    found: set[int] = set()
    for some in chunks([unit for unit in units if unit.kind == "task"]):
        columns = TaskRow.__table__.c
        v1_ids = [unit.v1_id for unit in some if unit.v1_id is not None]
        theirs = or_(columns.id.in_(_tasks_of(some)), columns.v1_task_id.in_(v1_ids))
        query = select(columns.id).where(theirs, columns.status == "running")
        found |= set(connection.scalars(query))
    return sorted(found)


def counts_of(connection: Connection, units: Sequence[Row[Any]]) -> Counter[str]:
    """How many rows of each kind go with units."""
    found: Counter[str] = Counter()
    for some in chunks(list(units)):
        kinds = Counter(unit.kind for unit in some)
        ours = _tasks_of([unit for unit in some if unit.kind == "task"])
        mine = ExperimentRow.task_id.in_(ours)
        measured = select(ExperimentRow.id).where(mine)
        found += Counter(
            {
                "v1_tasks": kinds["task"],
                "presets": kinds["preset"],
                "other_rows": kinds["row"],
                "tasks": _count(connection, TaskRow.id.in_(ours)),
                "experiments": _count(connection, mine),
                "measurements": _count(connection, MeasurementRow.experiment_id.in_(measured)),
                "observations": _count(connection, ObservationRow.task_id.in_(ours)),
                "profiles": sum(unit.profile is not None for unit in some),
            }
        )
    return found


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).where(condition)) or 0


def _tasks_of(units: Sequence[Row[Any]]) -> list[int]:
    """Numbers of the tasks of version 2 that units became."""
    ours = [unit.v2_task_id for unit in units if unit.v2_task_id is not None]
    return ours + [number for unit in units for number in unit.account.get(FURTHER, ())]


def remove_units(connection: Connection, units: Sequence[Row[Any]]) -> None:
    """Removes units, and what they were recorded as; presets that they replaced come back."""
    for kind in ("task", "preset", "row", PUT_ASIDE_KIND):
        for some in chunks([unit for unit in units if unit.kind == kind]):
            if kind == "task":
                _remove_tasks(connection, some)
            elif kind in ("preset", PUT_ASIDE_KIND):
                _remove_presets(connection, some)
            ids = [unit.id for unit in some]
            connection.execute(delete(MigratedRow).where(MigratedRow.id.in_(ids)))


def _remove_tasks(connection: Connection, units: Sequence[Row[Any]]) -> None:
    ours = _tasks_of(units)
    columns, now = TaskRow.__table__.c, datetime.now(UTC)
    named = connection.execute(select(columns.id, columns.name).where(columns.id.in_(ours))).all()
    connection.execute(delete(ObservationRow).where(ObservationRow.task_id.in_(ours)))
    connection.execute(delete(EventRow).where(EventRow.task_id.in_(ours)))
    connection.execute(delete(TaskRow).where(TaskRow.id.in_(ours)))
    if named:
        # As when a task is deleted by itself: whoever follows events learns of it.
        gone = [
            {"task_id": row.id, "at": now, "kind": TASK_DELETED, "payload": {"name": row.name}}
            for row in named
        ]
        connection.execute(insert(EventRow), gone)
    v1_ids = [unit.v1_id for unit in units if unit.v1_id is not None]
    tasks, experiments = v1_schema.tasks, v1_schema.experiments
    mine = tasks.c.id.in_(v1_ids)
    connection.execute(update(tasks).where(mine).values(best_experiment_id=None))
    connection.execute(delete(experiments).where(experiments.c.task_id.in_(v1_ids)))
    connection.execute(delete(tasks).where(mine))


def _remove_presets(connection: Connection, units: Sequence[Row[Any]]) -> None:
    presets = v1_schema.parameter_presets
    v1_ids = [unit.v1_id for unit in units if unit.v1_id is not None]
    connection.execute(delete(presets).where(presets.c.id.in_(v1_ids)))
    names = [unit.profile for unit in units if unit.profile is not None]
    connection.execute(delete(ProfileRow).where(ProfileRow.name.in_(names)))
    _put_back(connection, [u.account[REPLACED] for u in units if REPLACED in u.account])


def _put_back(connection: Connection, documents: Sequence[dict[str, Any]]) -> None:
    """Inserts presets again, but for those whose name another has taken since."""
    presets = v1_schema.parameter_presets
    taken = set(found_in(connection, presets.c.name, [one["name"] for one in documents]))
    rows = [_row(one) for one in documents if one["name"] not in taken]
    numbers = wanted_or_new(connection, presets, [row["id"] for row in rows])
    if rows:
        numbered = [{**row, "id": number} for row, number in zip(rows, numbers, strict=True)]
        connection.execute(insert(presets), numbered)


def _row(document: dict[str, Any]) -> dict[str, Any]:
    times = ("created_at", "updated_at")
    return {
        name: datetime.fromisoformat(value) if name in times and value else value
        for name, value in document.items()
    }
