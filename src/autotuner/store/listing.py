"""Lists of tasks, a page at a time: the columns asked for, no more.

A page goes on behind the row that the one before ended with, by (sort column, id), so that the
thousandth costs what the first one does, and rows that come meanwhile shift nothing.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by

from autotuner.store.answers import answered
from autotuner.store.schema import ExperimentRow, RelaunchRow, TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.transitions import STATUSES, UNENDED, allowed_actions


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
_RELAUNCHES = RelaunchRow.__table__.c
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
    *("device", "worker", "requested_action", "revision", "wall_s", "engine_version"),
    *("v1_task_id", "launches"),
)
_MOMENTS = ("created_at", "queued_at", "started_at", "ended_at")


class TaskPageRows(NamedTuple):
    """A page: tasks as JSON, and how many the filter matches on all pages."""

    rows: list[str]
    total: int


def task_page(
    sessions: Sessions,
    wanted: TaskFilter,
    *,
    order: str,
    limit: int,
    after: tuple[Any, int] | None = None,
) -> TaskPageRows:
    """Tasks, each with what its experiments came to.

    Each is JSON, written by the database itself: to read rows and write them again takes five
    times as long. While nothing is written, the page is the one that was answered before.

    Args:
        after: the sort column and the id of the task before the first one wanted.
    """
    given = {name: value for name, value in vars(wanted).items() if value}
    asked = tuple(given)
    if "search" in given:
        given["search"] = literal_pattern(wanted.search)
    if after is not None:
        given["after_value"], given["after_id"] = after

    def ask() -> TaskPageRows:
        with sessions.asking() as connection:
            query = _task_query(connection.dialect.name, order, asked, after is not None)
            page, total = connection.execute(query, {**given, "most": limit}).one()
        return TaskPageRows(page.split("\n") if page else [], total)

    return answered(sessions, ("tasks", wanted, order, limit, after), ask)


def task_items(sessions: Sessions, task_ids: Collection[int]) -> dict[int, str]:
    """Tasks as in a list, JSON by number; those that are gone are absent."""
    with sessions.asking() as connection:
        query = _item_query(connection.dialect.name)
        found = connection.execute(query, {"task_ids": list(task_ids)})
        return {row.id: row.document for row in found}


def queued_before(sessions: Sessions, task_id: int) -> int:
    """Number of queued tasks that were asked for before a queued one."""
    mine = select(TaskRow.queued_at).where(TaskRow.id == task_id).scalar_subquery()
    earlier = or_(TaskRow.queued_at < mine, (TaskRow.queued_at == mine) & (TaskRow.id < task_id))
    query = select(func.count()).where(TaskRow.status == "queued", earlier)
    with sessions.reading() as session:
        return session.scalar(query) or 0


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
    fetches row by row hands the interpreter over to the others with each. Beside it stands how many
    tasks there are on all pages.
    """
    chosen = TASK_ORDERS[order]
    sorted_by, row_id = chosen.column, _TASKS.id
    conditions = [_CONDITIONS[name] for name in asked]
    document = _document(WORDS[dialect]).label("document")
    query = select(document, sorted_by.label("sorted_by"), row_id.label("row_id"))
    query = query.where(*conditions)
    if goes_on:
        value = bindparam("after_value", type_=sorted_by.type)
        key, last = tuple_(sorted_by, row_id), tuple_(value, bindparam("after_id"))
        query = query.where(key < last if chosen.descending else key > last)
    rows = query.order_by(*_in_order(chosen, sorted_by, row_id)).limit(bindparam("most")).subquery()
    again = _in_order(chosen, rows.c.sorted_by, rows.c.row_id)
    page = select(WORDS[dialect].lines(rows.c.document, again)).limit(1)
    total = select(func.count()).select_from(TaskRow.__table__).where(*conditions)
    return select(page.scalar_subquery(), total.scalar_subquery())


@functools.cache
def _item_query(dialect: str) -> Select[*tuple[Any, ...]]:
    query = select(_TASKS.id, _document(WORDS[dialect]).label("document"))
    return query.where(_TASKS.id.in_(bindparam("task_ids", expanding=True)))


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
        | {name: words.json(value) for name, value in _WRITTEN.items()}
        | {"left_s": _LEFT_S, "further_launches": _FURTHER}
    )
    return cast(document, Text)


def literal_pattern(text: str) -> str:
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


def _quoted(text: str) -> ColumnElement[str]:
    """A text of our own, which holds no single quotes, as it stands in a question."""
    return literal_column(f"'{text}'")


def _json_text(value: object) -> ColumnElement[str]:
    return _quoted(json.dumps(value))


_UNREACHABLE = (_TASKS.status == _quoted("running")) & _TASKS.worker.is_(None)
_WRITTEN: Mapping[str, ColumnElement[Any]] = {
    "best": _TASKS.best,
    "is_replay": case((_TASKS.is_replay, _json_text(True)), else_=_json_text(False)),
    "allowed_actions": case(
        (_UNREACHABLE, _json_text(allowed_actions("running", has_worker=False))),
        *((_TASKS.status == _quoted(name), _json_text(allowed_actions(name))) for name in STATUSES),
        else_=_json_text([]),
    ),
}
"""Values that are JSON already."""
_PAST_ITS_TIME = _TASKS.wall_s > _TASKS.expected_wall_s
_LEFT_S = case(
    (_TASKS.status.not_in([_quoted(name) for name in UNENDED]), null()),
    (_PAST_ITS_TIME, literal_column("0")),
    else_=_TASKS.expected_wall_s - _TASKS.wall_s,
)
_FURTHER = case(
    (
        _TASKS.status == _quoted("running"),
        select(func.count())
        .where(
            _EXPERIMENTS.task_id == _TASKS.id,
            _RELAUNCHES.experiment_id == _EXPERIMENTS.id,
            _RELAUNCHES.status.in_([_quoted("completed"), _quoted("failed")]),
        )
        .scalar_subquery(),
    ),
    else_=null(),
)
"""Further launches that are finished, which only progress asks for."""
