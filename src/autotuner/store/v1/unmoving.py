"""Removes what was moved here from a database of version 1."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from autotuner.store import v1_schema
from autotuner.store.migration_schema import MigratedRow
from autotuner.store.row_numbers import chunks, found_in, wanted_or_new
from autotuner.store.schema import EventRow, ObservationRow, ProfileRow, TaskRow

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
    ours = [unit.v2_task_id for unit in units if unit.v2_task_id is not None]
    ours += [number for unit in units for number in unit.account.get(FURTHER, ())]
    connection.execute(delete(ObservationRow).where(ObservationRow.task_id.in_(ours)))
    connection.execute(delete(EventRow).where(EventRow.task_id.in_(ours)))
    connection.execute(delete(TaskRow).where(TaskRow.id.in_(ours)))
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
