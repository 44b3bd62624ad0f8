"""Lists of tasks and experiments, a page at a time: the columns asked for, no more.

A page goes on behind the row that the one before ended with, by (sort column, id), so that the
thousandth costs what the first one does, and rows that come meanwhile shift nothing.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by

from autotuner.store.schema import ExperimentRow, MeasurementRow, TaskRow
from autotuner.store.sessions import Sessions


@dataclass(frozen=True)
class JsonWords:
    """A database's words for JSON.

    Attributes:
        build: makes a mapping of names and values in turn.
        moment: a time in UTC as ISO 8601 with microseconds and `Z`.
        json: what is JSON already, as such and not as text.
        lines: the texts of all rows as one, in the order that is asked for, with line feeds
            between. The order of a subquery alone is none that a database has to keep.
    """

    build: Callable[..., ColumnElement[Any]]
    moment: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    json: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    lines: Callable[[ColumnElement[str], Sequence[ColumnElement[Any]]], ColumnElement[Any]]

    def mapping(self, values: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
        """A mapping of these names, which are our own and hold no quotes, to values."""
        named: Iterator[tuple[ColumnElement[Any], ...]] = (
            (literal_column(f"'{name}'"), value) for name, value in values.items()
        )
        return self.build(*itertools.chain.from_iterable(named))


def _sqlite_moment(column: ColumnElement[Any]) -> ColumnElement[Any]:
    text = func.replace(cast(column, Text), literal_column("' '"), literal_column("'T'"))
    return text.op("||")(literal_column("'Z'"))


def _postgresql_moment(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(column, literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""))


def _sqlite_lines(
    column: ColumnElement[str], order: Sequence[ColumnElement[Any]]
) -> ColumnElement[Any]:
    # ORDER BY within an aggregate came with SQLite 3.44; a window takes one before that too. Every
    # row has the whole text then: who asks takes one.
    joined = func.group_concat(column, literal_column("char(10)"))
    return joined.over(order_by=order, rows=(None, None))


def _postgresql_lines(
    column: ColumnElement[str], order: Sequence[ColumnElement[Any]]
) -> ColumnElement[Any]:
    return func.string_agg(column, aggregate_order_by(literal_column("chr(10)"), *order))


WORDS: Mapping[str, JsonWords] = {
    "sqlite": JsonWords(func.json_object, _sqlite_moment, func.json, _sqlite_lines),
    "postgresql": JsonWords(
        func.json_build_object,
        _postgresql_moment,
        lambda value: cast(value, JSON),
        _postgresql_lines,
    ),
}
"""Name of a dialect -> its words."""


Row = Mapping[str, Any]
"""Column -> value."""
_TASKS, _EXPERIMENTS = TaskRow.__table__.c, ExperimentRow.__table__.c
"""Columns of the tables themselves: the mapper's take twice the time of a page."""


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

    column: ColumnElement[Any]
    descending: bool = False


_CHANGED = func.coalesce(_TASKS.updated_at, _TASKS.created_at, type_=_TASKS.updated_at.type)
TASK_ORDERS: Mapping[str, Order] = {
    "-created_at": Order(_TASKS.created_at, descending=True),
    "created_at": Order(_TASKS.created_at),
    "-updated_at": Order(_CHANGED, descending=True),
    "updated_at": Order(_CHANGED),
    "name": Order(_TASKS.name),
    "-name": Order(_TASKS.name, descending=True),
    "status": Order(_TASKS.status),
    "-status": Order(_TASKS.status, descending=True),
}
TIMES = frozenset(name for name in TASK_ORDERS if name.endswith("_at"))
"""Orders by a moment."""
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "statuses": _TASKS.status.in_(bindparam("statuses", expanding=True)),
    "models": _TASKS.model.in_(bindparam("models", expanding=True)),
    "engines": _TASKS.engine.in_(bindparam("engines", expanding=True)),
    "origins": _TASKS.origin.in_(bindparam("origins", expanding=True)),
    "search": or_(
        *(
            func.lower(column).contains(func.lower(bindparam("search")), escape="/")
            for column in (_TASKS.name, _TASKS.description, _TASKS.model)
        )
    ),
    "created_after": _TASKS.created_at > bindparam("created_after"),
    "created_before": _TASKS.created_at < bindparam("created_before"),
}
"""Field of a `TaskFilter` -> what it asks, with a parameter of its name."""
_TEXTS = (
    *("id", "name", "description", "status", "stop_reason", "origin", "model", "engine"),
    *("device", "worker", "requested_action", "revision", "wall_s"),
)
_MOMENTS = ("created_at", "queued_at", "started_at", "ended_at")
_OF_EXPERIMENTS = [
    *(c for c in _EXPERIMENTS if c.name not in ("idx", "log_tail", "log_path")),
    _EXPERIMENTS.idx.label("index"),
]


def task_page(
    sessions: Sessions,
    wanted: TaskFilter,
    *,
    order: str,
    limit: int,
    after: tuple[Any, int] | None = None,
) -> list[str]:
    """Tasks, each with what its experiments came to.

    Each is JSON, written by the database itself: to read rows and write them again takes five
    times as long.

    Args:
        after: the sort column and the id of the task before the first one wanted.
    """
    given = {name: value for name, value in vars(wanted).items() if value}
    asked = tuple(given)
    if "search" in given:
        given["search"] = _literal(wanted.search)
    if after is not None:
        given["after_value"], given["after_id"] = after
    with sessions.asking() as connection:
        query = _task_query(connection.dialect.name, order, asked, after is not None)
        page: str | None = connection.scalar(query, {**given, "most": limit})
    return page.split("\n") if page else []


def experiments_of(sessions: Sessions, task_id: int) -> Row:
    """Counts of a task's experiments."""
    query = select(*(value.label(name) for name, value in _STANDING.items()))
    with sessions.asking() as connection:
        found = connection.execute(query.where(_EXPERIMENTS.task_id == task_id))
        return dict(found.mappings().one())


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
        *([ExperimentRow.status.in_(statuses)] if statuses else []),
    )
    with sessions.reading() as session:
        found = session.execute(query.order_by(ExperimentRow.idx).limit(limit)).mappings()
        return [dict(row) for row in found.all()]


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
    """Measurements of an experiment: each level as it is stored, with its `repeat`."""
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


@functools.cache
def _task_query(
    dialect: str, order: str, asked: tuple[str, ...], goes_on: bool
) -> Select[*tuple[Any, ...]]:
    """The question for a page; it is built once for each set of filters that is asked for.

    The answer is one text, a line for each task, for JSON holds no line feeds: a thread that
    fetches row by row hands the interpreter over to the others with each.
    """
    chosen = TASK_ORDERS[order]
    sorted_by, row_id = chosen.column, _TASKS.id
    document = _document(WORDS[dialect]).label("document")
    query = select(document, sorted_by.label("sorted_by"), row_id.label("row_id"))
    query = query.where(*(_CONDITIONS[name] for name in asked))
    if goes_on:
        value = bindparam("after_value", type_=sorted_by.type)
        key, last = tuple_(sorted_by, row_id), tuple_(value, bindparam("after_id"))
        query = query.where(key < last if chosen.descending else key > last)
    rows = query.order_by(*_in_order(chosen, sorted_by, row_id)).limit(bindparam("most")).subquery()
    again = _in_order(chosen, rows.c.sorted_by, rows.c.row_id)
    return select(WORDS[dialect].lines(rows.c.document, again)).limit(1)


def _in_order(chosen: Order, *columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [column.desc() if chosen.descending else column.asc() for column in columns]


def _document(words: JsonWords) -> ColumnElement[str]:
    """A task as JSON."""
    experiments = (
        select(words.mapping(_STANDING)).where(_EXPERIMENTS.task_id == _TASKS.id).scalar_subquery()
    )
    document = words.mapping(
        {name: _TASKS[name] for name in _TEXTS}
        | {name: words.moment(_TASKS[name]) for name in _MOMENTS}
        | {"updated_at": words.moment(_CHANGED), "experiments": words.json(experiments)}
    )
    return cast(document, Text)


def _literal(text: str) -> str:
    """Text in which nothing stands for anything else in a LIKE."""
    for special in "/%_":
        text = text.replace(special, f"/{special}")
    return text


def _counted(status: str) -> ColumnElement[int]:
    return func.count().filter(_EXPERIMENTS.status == status)


_STANDING: Mapping[str, ColumnElement[Any]] = {
    "total": func.count(),
    "running": _counted("running"),
    "completed": _counted("completed"),
    "failed": _counted("failed"),
    "best_throughput_tok_s": func.max(_EXPERIMENTS.actual_throughput_tok_s),
}
"""Counts of the experiments of a task."""
