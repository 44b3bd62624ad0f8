"""Experiments of a task and their measurements, as lists show them: no documents are read whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Text,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from autotuner.store.listing import Row, literal_pattern
from autotuner.store.schema import EventRow, ExperimentRow, MeasurementRow, TaskRow
from autotuner.store.sessions import Sessions

_COLUMNS = ExperimentRow.__table__.c
_OF_EXPERIMENTS = [
    *(c for c in _COLUMNS if c.name not in ("idx", "log_tail", "log_path")),
    _COLUMNS.idx.label("index"),
]
_SORTED_BY: Mapping[str, ColumnElement[Any]] = {
    "index": _COLUMNS.idx,
    "status": _COLUMNS.status,
    "tok_s": _COLUMNS.actual_throughput_tok_s,
    "ttft_ms": _COLUMNS.actual_ttft_ms,
    "tpot_ms": _COLUMNS.actual_tpot_ms,
    "e2e_p90_ms": _COLUMNS.actual_latency_p90_ms,
    "frontier_points": _COLUMNS.frontier_points,
    "startup_s": _COLUMNS.startup_s,
    "measure_s": _COLUMNS.measure_s,
}
TEXT_ORDERS = frozenset({"status", "-status"})
EXPERIMENT_ORDERS = (*_SORTED_BY, *(f"-{name}" for name in _SORTED_BY))
"""Columns to sort by; `-`: descending. What has no value comes last in either."""
_SEARCHED = (
    *(_COLUMNS.candidate_id, _COLUMNS.command, _COLUMNS.selection_reason, _COLUMNS.phase),
    *(_COLUMNS.failure_kind, _COLUMNS.failure_message, cast(_COLUMNS.settings, Text)),
)
_NEVER_ABSENT = ("index", "status", "frontier_points")
_LEAST: ColumnElement[float] = literal_column("-1.0")
_MOST: ColumnElement[float] = literal_column("1e300")
"""Below and above every figure."""
_PASSING = ("predicting", "preparing", "level_progress")
"""Kinds of events that change no result."""


@dataclass(frozen=True)
class ExperimentFilter:
    """Which experiments; what is left out asks for any.

    Attributes:
        statuses: any of these.
        search: text in the candidate's id, settings or command, in the reason why it was launched
            or failed, whatever its case.
    """

    statuses: Sequence[str] = ()
    search: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Conditions on a row."""
        found: list[ColumnElement[bool]] = []
        if self.statuses:
            found.append(_COLUMNS.status.in_(self.statuses))
        if self.search:
            pattern = func.lower(literal_pattern(self.search))
            matches = (func.lower(column).contains(pattern, escape="/") for column in _SEARCHED)
            found.append(or_(*matches))
        return found


def experiment_page(
    sessions: Sessions,
    task_id: int,
    wanted: ExperimentFilter,
    *,
    order: str,
    limit: int,
    after: tuple[Any, int] | None = None,
) -> list[Row]:
    """A task's experiments, each with its `sorted_by`.

    Args:
        after: `sorted_by` and the index of the experiment before the first one wanted.
    """
    descending = order.startswith("-")
    name = order.removeprefix("-")
    sorted_by = _SORTED_BY[name]
    if name not in _NEVER_ABSENT:
        sorted_by = func.coalesce(sorted_by, _LEAST if descending else _MOST)
    query = select(*_OF_EXPERIMENTS, sorted_by.label("sorted_by"))
    query = query.where(_COLUMNS.task_id == task_id, *wanted.conditions())
    columns = (sorted_by, _COLUMNS.idx)
    if after is not None:
        # Not the column's own type: a client may send any number.
        value = literal(after[0], Text() if order in TEXT_ORDERS else Float())
        key, last = tuple_(*columns), tuple_(value, literal(after[1]))
        query = query.where(key < last if descending else key > last)
    query = query.order_by(*(c.desc() if descending else c.asc() for c in columns))
    with sessions.asking() as connection:
        return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]


def experiment(sessions: Sessions, task_id: int, index: int) -> Row | None:
    """One experiment, with its log's place and tail."""
    query = select(*_OF_EXPERIMENTS, _COLUMNS.log_tail, _COLUMNS.log_path).where(
        _COLUMNS.task_id == task_id, _COLUMNS.idx == index
    )
    with sessions.reading() as session:
        found = session.execute(query).mappings().first()
        return None if found is None else dict(found)


def axes(sessions: Sessions, task_id: int) -> Row | None:
    """`group.field` -> its values, of the settings that differ among a task's candidates; None
    where there is no such task, empty until it is planned."""
    query = select(TaskRow.plan["axes"]).where(TaskRow.id == task_id)
    with sessions.reading() as session:
        found = session.execute(query).first()
    return None if found is None else found[0] or {}


def launching(sessions: Sessions, task_id: int) -> Row:
    """How a task starts its engines: mode, options of its containers, engine and its version."""
    query = select(
        TaskRow.config["deployment_mode"].label("deployment_mode"),
        TaskRow.config["docker"].label("docker"),
        TaskRow.engine,
        TaskRow.engine_version,
    ).where(TaskRow.id == task_id)
    with sessions.reading() as session:
        found = session.execute(query).mappings().first()
    return {} if found is None else dict(found)


def launched_settings(sessions: Sessions, task_id: int) -> list[dict[str, Any]]:
    """`group.field` -> value, of each launch in order."""
    query = select(_COLUMNS.settings).where(_COLUMNS.task_id == task_id).order_by(_COLUMNS.idx)
    with sessions.reading() as session:
        return list(session.execute(query).scalars())


def results_version(sessions: Sessions, task_id: int) -> tuple[int, int] | None:
    """Numbers that change when results of a task have; None where there is no such task.

    Whatever writes results adds an event behind them, or changes the task's revision.
    """
    of_results = (EventRow.task_id == task_id) & EventRow.kind.not_in(_PASSING)
    newest = select(func.max(EventRow.id)).where(of_results).scalar_subquery()
    with sessions.reading() as session:
        query = select(TaskRow.revision, func.coalesce(newest, 0)).where(TaskRow.id == task_id)
        found = session.execute(query).first()
    return None if found is None else (found[0], found[1])


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
