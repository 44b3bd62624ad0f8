"""v1's tasks, and what its API asks of one and of the v2 tasks that run it, each a transaction.

A transition locks the row of the v1 task first. So of a start, a delete, another task in its place,
a restart, a clear and a cancel that come at once, each finds what the one before left, and no v2
task is left behind of a v1 task that is gone or is another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autotuner.errors import (
    NameTakenError,
    NotFoundError,
    StaleRevisionError,
    WrongTransitionError,
)
from autotuner.store.schema import TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.transitions import TRANSITIONS, NewTask, act, create, is_carried, remove
from autotuner.store.v1.further import is_further, is_run
from autotuner.store.v1.records import FRESH, V1TaskRecord, now, task_record, written
from autotuner.store.v1_schema import experiments, tasks


class V1Tasks:
    """Reads and writes `tasks`. Values are of v1's columns; statuses are upper-case names."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def create(self, values: Mapping[str, Any]) -> V1TaskRecord | None:
        """A new pending task; None where the name is taken."""
        with self._sessions.writing() as session:
            if session.scalar(select(exists().where(tasks.c.task_name == values["task_name"]))):
                return None
            row = {**FRESH, "created_at": now(), **values}
            try:
                made = session.execute(insert(tasks).values(written(row)).returning(tasks.c.id))
            except IntegrityError:  # it was made this moment
                return None
            return _found(session, made.scalar_one())

    def get(self, task_id: int) -> V1TaskRecord | None:
        """The task of that number."""
        with self._sessions.reading() as session:
            return _found(session, task_id)

    def named(self, name: str) -> V1TaskRecord | None:
        """The task of that name."""
        query = select(tasks).where(tasks.c.task_name == name)
        with self._sessions.reading() as session:
            row = session.execute(query).mappings().first()
            return None if row is None else task_record(row)

    def page(self, *, skip: int, limit: int | None, status: str | None) -> tuple[V1TaskRecord, ...]:
        """Some of the tasks, newest first; without `limit`, all from `skip` on."""
        query = select(tasks).order_by(tasks.c.created_at.desc(), tasks.c.id.desc())
        if status is not None:
            query = query.where(_in_states(status))
        with self._sessions.reading() as session:
            rows = session.execute(query.offset(skip).limit(limit)).mappings()
            return tuple(map(task_record, rows))

    def change(self, task_id: int, values: Mapping[str, Any], *, only: Sequence[str] = ()) -> bool:
        """Sets columns, where the task is in one of the states `only`; says whether it was."""
        change = update(tasks).where(tasks.c.id == task_id).values(written(values))
        if only:
            change = change.where(_in_states(*only))
        with self._sessions.writing() as session:
            return session.connection().execute(change).rowcount == 1

    def run_of(self, task_id: int) -> int | None:
        """The newest v2 task that runs a v1 task."""
        runs = self.runs_of(task_id)
        return runs[-1] if runs else None

    def runs_of(self, task_id: int) -> tuple[int, ...]:
        """Every v2 task that runs or ran a v1 task, oldest first."""
        query = select(TaskRow.id).where(TaskRow.v1_task_id == task_id, is_run())
        with self._sessions.reading() as session:
            return tuple(session.scalars(query.order_by(TaskRow.id)))

    def running(self) -> tuple[int, ...]:
        """The v2 tasks behind those v1 tasks that are running."""
        query = (
            select(TaskRow.id)
            .join(tasks, tasks.c.id == TaskRow.v1_task_id)
            .where(tasks.c.status == "RUNNING", is_run())
            .order_by(TaskRow.id)
        )
        with self._sessions.reading() as session:
            return tuple(session.scalars(query))


def _in_states(*statuses: str) -> ColumnElement[bool]:
    """Whether a task is in one of these; one without a status is pending."""
    named = tasks.c.status.in_(statuses)
    return or_(named, tasks.c.status.is_(None)) if FRESH["status"] in statuses else named


def _found(session: Session, task_id: int) -> V1TaskRecord | None:
    row = session.execute(select(tasks).where(tasks.c.id == task_id)).mappings().first()
    return None if row is None else task_record(row)


RUNNING, PENDING = "RUNNING", "PENDING"
FINISHED = ("COMPLETED", "FAILED", "CANCELLED")
STOPPING = "STOPPING"
"""No state of v1: its task is cancelled, and its run has not ended yet."""
_OF_RESULTS = frozenset(FRESH)


class V1Transitions:
    """Changes of a v1 task as a whole.

    Each raises `NotFoundError` where there is no such task, and `WrongTransitionError` where it is
    in a state in which it cannot be done; its `status` is v1's, or `STOPPING`.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def start(self, seen: V1TaskRecord, new: NewTask, *, anew: bool = False) -> tuple[int, ...]:
        """Hands a task to the workers.

        Args:
            seen: the task that `new` was made of.
            anew: a finished one, whose results are removed; else a pending one.

        Returns:
            The number of its run, and those of earlier ones that were removed.

        Raises:
            StaleRevisionError: it is another task now than the one that was seen.
        """
        with self._sessions.writing() as session:
            now = _locked(session, seen.id)
            _require(now, FINISHED if anew else (PENDING,))
            if _definition(now) != _definition(seen):
                raise StaleRevisionError(f"v1 task {seen.id} was changed", remedy="read it again")
            gone = _forget_runs(session, _runs(session, seen.id), now)
            if anew:
                _forget_results(session, seen.id)
                _set(session, seen.id, FRESH)
            run = create(session, {**new, "v1_task_id": seen.id, "status": "queued"})
            _set(session, seen.id, {"status": RUNNING})
            return (run.id, *gone)

    def cancel(self, task_id: int) -> int | None:
        """Ends a running task; the number of its run, where there is one."""
        with self._sessions.writing() as session:
            _require(_locked(session, task_id), (RUNNING,))
            runs = _runs(session, task_id)
            run = runs[-1] if runs and not is_carried(runs[-1]) else None
            if run is not None and (run.status == "running" or run.status in TRANSITIONS["cancel"]):
                act(session, run, "cancel")
            elif run is not None:
                return run.id  # it has ended this moment, as the answer will state
            # A row whose worker died long ago has no run that could end.
            _set(session, task_id, {"status": "CANCELLED"})
            return None if run is None else run.id

    def replace(self, task_id: int, values: Mapping[str, Any]) -> tuple[int, ...]:
        """Another task in this one's place, without results; the runs that were removed.

        A task whose status was set to running by hand, and of which nothing runs, is replaced too.

        Raises:
            NameTakenError: another task has the name.
        """
        with self._sessions.writing() as session:
            gone = self._emptied(session, task_id, or_in_name_only=True)
            same = (tasks.c.task_name == values["task_name"]) & (tasks.c.id != task_id)
            if session.scalar(select(exists().where(same))):
                raise NameTakenError(f"there is a task {values['task_name']!r}")
            try:
                _set(session, task_id, {**FRESH, **values})
            except IntegrityError:  # it was made this moment
                raise NameTakenError(f"there is a task {values['task_name']!r}") from None
            return gone

    def clear(self, task_id: int) -> tuple[int, ...]:
        """Removes a task's experiments, and makes it pending; the runs that were removed."""
        with self._sessions.writing() as session:
            gone = self._emptied(session, task_id)
            _set(session, task_id, FRESH)
            return gone

    def delete(self, task_id: int) -> tuple[int, ...]:
        """Removes a task and its experiments; the runs that were removed."""
        with self._sessions.writing() as session:
            gone = self._emptied(session, task_id)
            session.execute(delete(tasks).where(tasks.c.id == task_id))
            return gone

    def _emptied(
        self, session: Session, task_id: int, *, or_in_name_only: bool = False
    ) -> tuple[int, ...]:
        now = _locked(session, task_id)
        if not (or_in_name_only and _never_began(session, now)):
            _require(now, (PENDING, *FINISHED))
        everything = _runs(session, task_id, with_further=True)
        gone = _forget_runs(session, everything, now)
        _forget_results(session, task_id)
        return gone


def _never_began(session: Session, task: V1TaskRecord) -> bool:
    """Whether a task is running in name only: somebody set its status, and nothing was started."""
    return task.status == RUNNING and task.started_at is None and not _runs(session, task.id)


def _locked(session: Session, task_id: int) -> V1TaskRecord:
    query = select(tasks).where(tasks.c.id == task_id).with_for_update()
    row = session.execute(query).mappings().first()
    if row is None:
        raise NotFoundError(f"there is no v1 task {task_id}")
    return task_record(row)


def _require(task: V1TaskRecord, statuses: Sequence[str]) -> None:
    if task.status not in statuses:
        raise _wrong(task.id, task.status)


def _wrong(task_id: int, status: str) -> WrongTransitionError:
    return WrongTransitionError(f"v1 task {task_id} is {status}", status=status, allowed=())


def _definition(task: V1TaskRecord) -> dict[str, Any]:
    """Definition of a task: all but its results."""
    return {name: value for name, value in vars(task).items() if name not in _OF_RESULTS}


def _runs(session: Session, task_id: int, *, with_further: bool = False) -> list[TaskRow]:
    """The v2 tasks that run or ran a v1 task, oldest first; those of further scenarios too."""
    query = select(TaskRow).where(TaskRow.v1_task_id == task_id).order_by(TaskRow.id)
    found = session.scalars(query.with_for_update())
    return [row for row in found if with_further or not is_further(row)]


def _forget_runs(session: Session, runs: Sequence[TaskRow], task: V1TaskRecord) -> tuple[int, ...]:
    if any(run.status == "running" for run in runs):
        raise _wrong(task.id, STOPPING)
    for run in runs:
        remove(session, run)
    return tuple(run.id for run in runs)


def _forget_results(session: Session, task_id: int) -> None:
    # The task points at its best experiment, which cannot go before.
    _set(session, task_id, {"best_experiment_id": None})
    session.execute(delete(experiments).where(experiments.c.task_id == task_id))


def _set(session: Session, task_id: int, values: Mapping[str, Any]) -> None:
    session.execute(update(tasks).where(tasks.c.id == task_id).values(written(values)))
