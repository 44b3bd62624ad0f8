"""The v2 task of a v1 task that is in this database, made of its rows: at most one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from autotuner.errors import NotFoundError
from autotuner.store import v1_schema
from autotuner.store.row_numbers import take_numbers
from autotuner.store.schema import TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.v1.moved import MovedTask
from autotuner.store.v1.moved_reading import rows_by
from autotuner.store.v1.moving import write_ours

_TASKS, _EXPERIMENTS = v1_schema.tasks, v1_schema.experiments
Row = Mapping[str, Any]


def v1_rows(sessions: Sessions, task_id: int) -> tuple[Row, list[Row]] | None:
    """The rows of a v1 task and its experiments, of JSON columns the text; None where it is not."""
    with sessions.reading() as session:
        connection = session.connection()
        task = rows_by(connection, _TASKS, _TASKS.c.id, [task_id]).get(task_id)
        own = rows_by(connection, _EXPERIMENTS, _EXPERIMENTS.c.task_id, [task_id])
        return None if task is None else (task[0], own.get(task_id, []))


def write_translated(sessions: Sessions, task: MovedTask, v1_id: int) -> tuple[int | None, bool]:
    """The number of the v2 task of a v1 task, and whether it was made now.

    The newest, where the task has any; None where it becomes none.

    Raises:
        NotFoundError: there is no such v1 task.
    """
    newest = select(TaskRow.id).where(TaskRow.v1_task_id == v1_id).order_by(TaskRow.id.desc())
    with sessions.writing() as session:
        locked = select(_TASKS.c.id).where(_TASKS.c.id == v1_id).with_for_update()
        if session.scalar(locked) is None:
            raise NotFoundError(f"there is no v1 task {v1_id}")
        known = session.scalar(newest.limit(1))
        if known is not None or task.ours is None:
            return known, False
        connection = session.connection()
        table: Any = TaskRow.__table__
        [number] = take_numbers(connection, table, 1)
        write_ours(connection, [(task, v1_id, number)])
        return number, True
