"""Results of a v2 task, written into v1's rows: wholly, each time, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from autotuner.store.records import ExperimentRecord, TaskRecord, experiment_record, task_record
from autotuner.store.schema import EventRow, ExperimentRow, TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.transitions import is_carried
from autotuner.store.v1.further import is_run
from autotuner.store.v1.records import V1TaskRecord, naive, now, written
from autotuner.store.v1.records import task_record as v1_task_record
from autotuner.store.v1_schema import experiments, tasks

_INDEX = "experiment_id"


@dataclass(frozen=True)
class Shown:
    """One experiment: what v1's row says, and the v2 experiment that tells when it ran.

    Attributes:
        values: v1's columns; `experiment_id` is among them.
        source: number of the v2 experiment in the store.
    """

    values: Mapping[str, Any]
    source: int


@dataclass(frozen=True)
class V1Outcome:
    """Content of v1's rows.

    Attributes:
        values: columns of the task.
        best: `experiment_id` of the best experiment.
    """

    values: Mapping[str, Any]
    experiments: tuple[Shown, ...]
    best: int | None


@dataclass(frozen=True)
class MirroredRun:
    """A v2 task that runs a v1 task, as the store has it.

    Attributes:
        ready: `index` of the experiments whose engine has begun to serve.
    """

    task: TaskRecord
    experiments: Sequence[ExperimentRecord]
    ready: frozenset[int]


Projection = Callable[[V1TaskRecord, MirroredRun], V1Outcome]
_READY = "engine_ready"


def project(sessions: Sessions, v2_task_id: int, projection: Projection) -> None:
    """Writes what `projection` makes of a v2 task into the v1 task that it runs.

    Nothing happens where there is no such v1 task, another run has followed, it has not run here,
    or it measures a further scenario. v1's rows are kept while they are written: of two writers the
    later one sees what the earlier one saw, or more.
    """
    with sessions.writing() as session:
        task = session.get(TaskRow, v2_task_id)
        if task is None or task.v1_task_id is None or is_carried(task):
            return
        v1 = _locked(session, task.v1_task_id)
        newest = select(TaskRow.id).where(TaskRow.v1_task_id == task.v1_task_id, is_run())
        if v1 is None or session.scalar(newest.order_by(TaskRow.id.desc()).limit(1)) != v2_task_id:
            return
        session.refresh(task)
        query = select(ExperimentRow).where(ExperimentRow.task_id == v2_task_id)
        rows = list(session.scalars(query.order_by(ExperimentRow.idx)))
        run = MirroredRun(
            task_record(task), [*map(experiment_record, rows)], _ready(session, task.id)
        )
        outcome = projection(v1, run)
        times = {row.id: (row.started_at, row.ended_at) for row in rows}
        ids = _write_experiments(session, v1.id, outcome, times)
        values = {**outcome.values, "best_experiment_id": ids.get(outcome.best or 0)}
        session.execute(update(tasks).where(tasks.c.id == v1.id).values(written(values)))


def _ready(session: Session, v2_task_id: int) -> frozenset[int]:
    query = select(EventRow.payload).where(EventRow.task_id == v2_task_id, EventRow.kind == _READY)
    return frozenset(int(payload["index"]) for payload in session.scalars(query))


def _locked(session: Session, task_id: int) -> V1TaskRecord | None:
    query = select(tasks).where(tasks.c.id == task_id).with_for_update()
    row = session.execute(query).mappings().first()
    return None if row is None else v1_task_record(row)


def _write_experiments(
    session: Session,
    task_id: int,
    outcome: V1Outcome,
    times: Mapping[int, tuple[datetime, datetime | None]],
) -> dict[int, int]:
    """`experiment_id` -> number of its row; rows that are there keep their numbers."""
    own = experiments.c.task_id == task_id
    there: dict[int, int] = {
        index: row_id
        for row_id, index in session.execute(
            select(experiments.c.id, experiments.c.experiment_id).where(own)
        )
    }
    for shown in outcome.experiments:
        began, ended = times[shown.source]
        values = written(
            {
                **shown.values,
                "task_id": task_id,
                "created_at": naive(began) or now(),
                "started_at": naive(began),
                "completed_at": naive(ended),
            }
        )
        index = shown.values[_INDEX]
        if index in there:
            row = experiments.c.id == there[index]
            session.execute(update(experiments).where(row).values(values))
        else:
            made = insert(experiments).values(values).returning(experiments.c.id)
            there[index] = session.execute(made).scalar_one()
    kept = {shown.values[_INDEX] for shown in outcome.experiments}
    gone = [row_id for index, row_id in there.items() if index not in kept]
    if gone:
        # The task may point at one of them.
        free = update(tasks).where(tasks.c.id == task_id, tasks.c.best_experiment_id.in_(gone))
        session.execute(free.values(best_experiment_id=None))
        session.execute(delete(experiments).where(experiments.c.id.in_(gone)))
    return {index: row_id for index, row_id in there.items() if index in kept}
