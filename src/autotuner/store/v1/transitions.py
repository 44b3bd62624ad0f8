"""What v1's API asks of a task, and of the v2 tasks that run it: each time in one transaction.

The row of the v1 task is locked first. So of a start, a delete, another task in its place, a
restart, a clear and a cancel that come at once, each finds what the one before left, and no run is
left behind of a task that is gone or is another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, exists, select, update
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
from autotuner.store.transitions import TRANSITIONS, NewTask, act, create, remove
from autotuner.store.v1.records import FRESH, V1TaskRecord, task_record, written
from autotuner.store.v1_schema import experiments, tasks

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
            gone = _forget_runs(session, now)
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
            run = runs[-1] if runs else None
            if run is not None and (run.status == "running" or run.status in TRANSITIONS["cancel"]):
                act(session, run, "cancel")
            elif run is not None:
                return run.id  # it has ended this moment, as it will be told
            # A row whose worker died long ago has no run that could end.
            _set(session, task_id, {"status": "CANCELLED"})
            return None if run is None else run.id

    def replace(self, task_id: int, values: Mapping[str, Any]) -> tuple[int, ...]:
        """Another task in this one's place, without results; the runs that were removed.

        Raises:
            NameTakenError: another task has the name.
        """
        with self._sessions.writing() as session:
            gone = self._emptied(session, task_id)
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

    def _emptied(self, session: Session, task_id: int) -> tuple[int, ...]:
        now = _locked(session, task_id)
        _require(now, (PENDING, *FINISHED))
        gone = _forget_runs(session, now)
        _forget_results(session, task_id)
        return gone


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
    """What a task says beside its results."""
    return {name: value for name, value in vars(task).items() if name not in _OF_RESULTS}


def _runs(session: Session, task_id: int) -> list[TaskRow]:
    query = select(TaskRow).where(TaskRow.v1_task_id == task_id).order_by(TaskRow.id)
    return list(session.scalars(query.with_for_update()))


def _forget_runs(session: Session, task: V1TaskRecord) -> tuple[int, ...]:
    runs = _runs(session, task.id)
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
