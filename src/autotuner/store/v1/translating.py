"""The v2 tasks of a v1 task that is in this database, made of its rows: one for each scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from autotuner.errors import NotFoundError
from autotuner.store import v1_schema
from autotuner.store.row_numbers import take_numbers
from autotuner.store.schema import TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.v1.further import is_run
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


def write_translated(
    sessions: Sessions, task: MovedTask, v1_id: int
) -> tuple[tuple[int, ...], bool]:
    """The numbers of the v2 tasks of a v1 task, and whether the first was made now.

    The newest that runs it, then those of further scenarios; none where it becomes none. Those of
    further scenarios are made too of a task that runs or ran here already.

    Raises:
        NotFoundError: there is no such v1 task.
    """
    with sessions.writing() as session:
        locked = select(_TASKS.c.id).where(_TASKS.c.id == v1_id).with_for_update()
        if session.scalar(locked) is None:
            raise NotFoundError(f"there is no v1 task {v1_id}")
        known = _numbers(session, v1_id)
        missing = task.parts[len(known) :] if len(known) < 2 else ()
        connection = session.connection()
        table: Any = TaskRow.__table__
        numbers = take_numbers(connection, table, len(missing))
        write_ours(
            connection,
            [(part, v1_id, number) for part, number in zip(missing, numbers, strict=True)],
        )
        return (*known, *numbers), not known and bool(numbers)


def translated_numbers(sessions: Sessions, v1_id: int) -> tuple[int, ...]:
    """The numbers of the v2 tasks of a v1 task, as `write_translated` has them."""
    with sessions.reading() as session:
        return _numbers(session, v1_id)


def waiting_tasks(sessions: Sessions, *, after: int, limit: int) -> tuple[int, list[Row]]:
    """How many v1 tasks have no v2 task, and some of them behind a number."""
    waits = ~exists().where(TaskRow.v1_task_id == _TASKS.c.id)
    own = select(func.count()).where(_EXPERIMENTS.c.task_id == _TASKS.c.id)
    some = select(
        _TASKS.c.id.label("v1_task_id"),
        _TASKS.c.task_name.label("name"),
        func.coalesce(_TASKS.c.status, "PENDING").label("status"),
        _TASKS.c.base_runtime,
        own.scalar_subquery().label("experiments"),
        _TASKS.c.created_at,
    ).where(waits, _TASKS.c.id > after)
    with sessions.reading() as session:
        total = session.scalar(select(func.count()).select_from(_TASKS).where(waits)) or 0
        rows = session.execute(some.order_by(_TASKS.c.id).limit(limit)).mappings()
        return total, [dict(row) for row in rows]


def _numbers(session: Session, v1_id: int) -> tuple[int, ...]:
    mine = select(TaskRow.id).where(TaskRow.v1_task_id == v1_id)
    newest = session.scalar(mine.where(is_run()).order_by(TaskRow.id.desc()).limit(1))
    further = session.scalars(mine.where(~is_run()).order_by(TaskRow.id))
    return (*([] if newest is None else [newest]), *further)
