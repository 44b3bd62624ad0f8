"""Lists of tasks and experiments, a page at a time: the columns asked for, no more.

A page goes on behind the row that the one before ended with, by (sort column, id), so that the
thousandth costs what the first one does, and rows that come meanwhile shift nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, func, or_, select, tuple_

from autotuner.store.schema import ExperimentRow, MeasurementRow, TaskRow
from autotuner.store.sessions import Sessions

Row = Mapping[str, Any]
"""Column -> value."""


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks; what is left out asks for any.

    Attributes:
        statuses, models, engines, origins: any of these.
        search: text that the name, the description or the model contains, whatever its case.
        created_after, created_before: exclusive.
    """

    statuses: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    search: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True)
class Order:
    """By which column, and whether the largest come first."""

    column: SQLColumnExpression[Any]
    descending: bool = False


_CHANGED = func.coalesce(TaskRow.updated_at, TaskRow.created_at, type_=TaskRow.updated_at.type)
TASK_ORDERS: Mapping[str, Order] = {
    "-created_at": Order(TaskRow.created_at, descending=True),
    "created_at": Order(TaskRow.created_at),
    "-updated_at": Order(_CHANGED, descending=True),
    "updated_at": Order(_CHANGED),
    "name": Order(TaskRow.name),
    "-name": Order(TaskRow.name, descending=True),
    "status": Order(TaskRow.status),
    "-status": Order(TaskRow.status, descending=True),
}
TIMES = frozenset(name for name in TASK_ORDERS if name.endswith("_at"))
"""Orders by a moment."""

_IN_LISTS = [
    TaskRow.id,
    TaskRow.name,
    TaskRow.description,
    TaskRow.status,
    TaskRow.stop_reason,
    TaskRow.origin,
    TaskRow.model,
    TaskRow.engine,
    TaskRow.device,
    TaskRow.worker,
    TaskRow.wanted,
    TaskRow.revision,
    TaskRow.created_at,
    _CHANGED.label("updated_at"),
    TaskRow.queued_at,
    TaskRow.started_at,
    TaskRow.ended_at,
    TaskRow.wall_s,
]
_OF_EXPERIMENTS = [
    *(c for c in ExperimentRow.__table__.columns if c.name not in ("idx", "log_tail", "log_path")),
    ExperimentRow.idx.label("index"),
]


def task_page(
    sessions: Sessions,
    wanted: TaskFilter,
    *,
    order: str,
    limit: int,
    after: tuple[Any, int] | None = None,
) -> list[dict[str, Any]]:
    """Tasks, each with `sorted_by` and what its experiments came to.

    Args:
        after: `sorted_by` and `id` of the row before the first one wanted.
    """
    chosen = TASK_ORDERS[order]
    query = select(*_IN_LISTS, chosen.column.label("sorted_by")).where(*_conditions(wanted))
    with sessions.reading() as session:
        found = session.execute(_paged(query, chosen, limit, after)).mappings().all()
        counts = _experiments_of(session.execute, [row["id"] for row in found])
    return [{**row, "experiments": counts.get(row["id"], NOTHING)} for row in found]


NOTHING: Row = {
    "total": 0,
    "running": 0,
    "completed": 0,
    "failed": 0,
    "best_throughput_tok_s": None,
}
"""What experiments come to where there are none."""


def experiments_of(sessions: Sessions, task_id: int) -> Row:
    """What a task's experiments came to."""
    with sessions.reading() as session:
        return _experiments_of(session.execute, [task_id]).get(task_id, NOTHING)


def experiment_page(
    sessions: Sessions,
    task_id: int,
    *,
    statuses: Sequence[str] = (),
    limit: int,
    after: int = 0,
) -> list[Row]:
    """A task's experiments in the order of launch, behind the one with that index."""
    query = select(*_OF_EXPERIMENTS).where(
        ExperimentRow.task_id == task_id,
        ExperimentRow.idx > after,
        *_any_of(ExperimentRow.status, statuses),
    )
    with sessions.reading() as session:
        found = session.execute(query.order_by(ExperimentRow.idx).limit(limit)).mappings()
        return [dict(row) for row in found]


def experiment(sessions: Sessions, task_id: int, index: int) -> Row | None:
    """One experiment, with its log's place and tail."""
    query = select(*_OF_EXPERIMENTS, ExperimentRow.log_tail, ExperimentRow.log_path).where(
        ExperimentRow.task_id == task_id, ExperimentRow.idx == index
    )
    with sessions.reading() as session:
        found = session.execute(query).mappings().first()
        return None if found is None else dict(found)


def newest_log(sessions: Sessions, task_id: int) -> tuple[int, str] | None:
    """Index and log of the experiment that was launched last."""
    query = (
        select(ExperimentRow.idx, ExperimentRow.log_path)
        .where(ExperimentRow.task_id == task_id)
        .order_by(ExperimentRow.idx.desc())
        .limit(1)
    )
    with sessions.reading() as session:
        found = session.execute(query).first()
    return None if found is None else (found[0], found[1])


def measurements(sessions: Sessions, experiment_id: int) -> list[dict[str, Any]]:
    """What was measured in an experiment: each level as it is stored, with its `repeat`."""
    query = (
        select(MeasurementRow.repeat, MeasurementRow.payload)
        .where(MeasurementRow.experiment_id == experiment_id)
        .order_by(MeasurementRow.id)
    )
    with sessions.reading() as session:
        return [{"repeat": repeat, **payload} for repeat, payload in session.execute(query)]


def task_status(sessions: Sessions, task_id: int) -> str | None:
    """The state of a task; None where there is none."""
    with sessions.reading() as session:
        return session.scalar(select(TaskRow.status).where(TaskRow.id == task_id))


def _paged(
    query: Select[*tuple[Any, ...]], order: Order, limit: int, after: tuple[Any, int] | None
) -> Select[*tuple[Any, ...]]:
    key = tuple_(order.column, TaskRow.id)
    if after is not None:
        # Bound with the types of the columns, which no bare tuple would be.
        last = tuple_(*after, types=[order.column.type, TaskRow.id.type])
        query = query.where(key < last if order.descending else key > last)
    if order.descending:
        query = query.order_by(order.column.desc(), TaskRow.id.desc())
    else:
        query = query.order_by(order.column, TaskRow.id)
    return query.limit(limit)


def _conditions(wanted: TaskFilter) -> list[ColumnElement[bool]]:
    found = [
        *_any_of(TaskRow.status, wanted.statuses),
        *_any_of(TaskRow.model, wanted.models),
        *_any_of(TaskRow.engine, wanted.engines),
        *_any_of(TaskRow.origin, wanted.origins),
    ]
    if wanted.search:
        searched = (TaskRow.name, TaskRow.description, TaskRow.model)
        found.append(or_(*(c.icontains(wanted.search, autoescape=True) for c in searched)))
    if wanted.created_after is not None:
        found.append(TaskRow.created_at > wanted.created_after)
    if wanted.created_before is not None:
        found.append(TaskRow.created_at < wanted.created_before)
    return found


def _any_of(column: Any, values: Sequence[str]) -> list[ColumnElement[bool]]:
    return [column.in_(values)] if values else []


def _experiments_of(execute: Any, ids: Sequence[int]) -> dict[int, Row]:
    def counted(status: str) -> ColumnElement[int]:
        return func.sum(case((ExperimentRow.status == status, 1), else_=0)).label(status)

    query = (
        select(
            ExperimentRow.task_id,
            func.count().label("total"),
            *(counted(status) for status in ("running", "completed", "failed")),
            func.max(ExperimentRow.actual_throughput_tok_s).label("best_throughput_tok_s"),
        )
        .where(ExperimentRow.task_id.in_(ids))
        .group_by(ExperimentRow.task_id)
    )
    return {row["task_id"]: dict(row) for row in execute(query).mappings()} if ids else {}
