"""Tasks: created, moved from state to state, handed to workers under a lease, and ended.

A task is worked on by whoever holds its lease: a number that grows whenever a worker takes the
task (a fencing token). The holder lets `heartbeat` grow while it lives. No clock stands in the
database: whoever watches sees by its own clock for how long a heartbeat has not changed, so that no
jump of a clock, and no difference between two, takes a task away or keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Unpack

from sqlalchemy import ColumnElement, and_, exists, null, or_, select, update
from sqlalchemy.orm import Session

from autotuner.errors import LeaseLostError, NotFoundError, WrongTransitionError
from autotuner.store.records import TaskRecord, task_record
from autotuner.store.schema import ExperimentRow, TaskRow
from autotuner.store.sessions import Guard, Sessions, retried
from autotuner.store.transitions import (
    UNENDED,
    NewTask,
    act,
    add_event,
    allowed_actions,
    asked_for,
    check_revision,
    create,
    derive,
    enter,
    interrupt_experiments,
    kept_v1_task,
    leave_v1_task,
    locked,
    remove,
    status_change,
    touch,
)


@dataclass(frozen=True)
class Lease:
    """The right to work on a task, and what the task was like when it was given."""

    task: TaskRecord
    number: int


def holds(task_id: int, lease: int) -> Guard:
    """Lets writes through while `lease` holds the task, and keeps it until they are done."""

    def guard(session: Session) -> None:
        mine = (TaskRow.id == task_id) & (TaskRow.lease == lease) & (TaskRow.status == "running")
        # An update, not a question: it keeps the row until this transaction ends.
        change = update(TaskRow).where(mine).values(lease=TaskRow.lease)
        if session.connection().execute(change).rowcount != 1:
            raise LeaseLostError(
                f"task {task_id} is no longer this worker's",
                remedy="nothing: another worker goes on with it, or it was deleted",
            )

    return guard


class Tasks:
    """Creates tasks, moves them from state to state, hands them to workers, and ends them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def create(self, **new: Unpack[NewTask]) -> TaskRecord:
        """A new task; nothing runs yet."""
        with self._sessions.writing() as session:
            return task_record(create(session, new))

    @retried
    def get(self, task_id: int) -> TaskRecord | None:
        """The task of that number."""
        with self._sessions.reading() as session:
            row = session.get(TaskRow, task_id)
            return None if row is None else task_record(row)

    @retried
    def newest(self, content_id: str) -> TaskRecord | None:
        """The newest task whose configuration has that hash."""
        query = select(TaskRow).where(TaskRow.content_id == content_id).order_by(TaskRow.id.desc())
        with self._sessions.reading() as session:
            row = session.scalars(query.limit(1)).first()
            return None if row is None else task_record(row)

    @retried
    def all(self) -> tuple[TaskRecord, ...]:
        """Every task, newest first."""
        with self._sessions.reading() as session:
            rows = session.scalars(select(TaskRow).order_by(TaskRow.id.desc()))
            return tuple(map(task_record, rows))

    def without_best(self, *, below: int | None, limit: int) -> tuple[TaskRecord, ...]:
        """Tasks that have ended with a completed experiment and no best point, newest first.

        Args:
            below: their numbers are less than this one.
        """
        completed = exists().where(
            ExperimentRow.task_id == TaskRow.id, ExperimentRow.status == "completed"
        )
        query = select(TaskRow).where(
            TaskRow.best.is_(null()), TaskRow.status.not_in(UNENDED), completed
        )
        if below is not None:
            query = query.where(TaskRow.id < below)
        with self._sessions.reading() as session:
            rows = session.scalars(query.order_by(TaskRow.id.desc()).limit(limit))
            return tuple(map(task_record, rows))

    def change(
        self, task_id: int, values: Mapping[str, Any], *, revision: int | None = None
    ) -> TaskRecord:
        """Changes columns of a task: words at any time, what it does only before it is started.

        Args:
            values: column -> value.
            revision: as it was when the caller read the task; None asks for no check.

        Raises:
            StaleRevisionError: it was changed since.
            WrongTransitionError: its `config` is to change, and it is not pending.
            NotFoundError: there is no such task.
        """
        with self._sessions.writing() as session:
            row = locked(session, task_id)
            check_revision(row, revision)
            if "config" in values and row.status != "pending":
                raise WrongTransitionError(
                    f"task {task_id} is {row.status}: what it does can be changed while pending",
                    status=row.status,
                    allowed=allowed_actions(row.status),
                )
            for name, value in values.items():
                setattr(row, name, value)
            derive(row)
            touch(row)
            parts = [name for name in ("name", "description", "config") if name in values]
            add_event(session, task_id, "changed", {"parts": parts})
            session.flush()
            return task_record(row)

    def act(self, task_id: int, action: str, *, revision: int | None = None) -> TaskRecord:
        """Asks for a transition; of a running task its worker is asked, and does it soon.

        `restart` removes what was measured. See `TRANSITIONS`.

        Raises:
            WrongTransitionError: it cannot be asked for now; says what can.
            StaleRevisionError: the task was changed since `revision`.
            NotFoundError: there is no such task.
        """
        with self._sessions.writing() as session:
            row = locked(session, task_id)
            check_revision(row, revision)
            act(session, row, action)
            session.flush()
            return task_record(row)

    def delete(self, task_id: int, *, revision: int | None = None) -> None:
        """Removes a task and all that was measured for it.

        Raises:
            WrongTransitionError: it is running.
            StaleRevisionError: it was changed since `revision`.
            NotFoundError: there is no such task.
        """
        with self._sessions.writing() as session:
            v1_task_id = kept_v1_task(session, task_id)
            row = locked(session, task_id)
            check_revision(row, revision)
            remove(session, row)
            if v1_task_id is not None:
                leave_v1_task(session, v1_task_id)

    def next_for(self, *, gpu: str, gpus: int) -> int | None:
        """The oldest queued task that can run on these devices; None where there is none.

        Args:
            gpu: what a worker has: a GPU of the catalog, or "cpu".
            gpus: how many of them.
        """
        fits = or_(
            TaskRow.requested_gpu == "",
            and_(TaskRow.requested_gpu == gpu, TaskRow.requested_gpus <= gpus),
        )
        oldest = (
            select(TaskRow.id)
            .where(TaskRow.status == "queued", fits)
            .order_by(TaskRow.queued_at, TaskRow.id)
            .limit(1)
        )
        with self._sessions.reading() as session:
            return session.scalar(oldest)

    def claim(self, worker: str, *, gpu: str, gpus: int) -> Lease | None:
        """The oldest queued task that `worker` can run, now its own; None where there is none.

        See `next_for`.
        """
        while (found := self.next_for(gpu=gpu, gpus=gpus)) is not None:
            lease = self._take(found, worker, TaskRow.status == "queued", "claimed")
            if lease is not None:
                return lease
        return None

    def claim_this(self, task_id: int, worker: str) -> Lease | None:
        """That task, whatever its state unless somebody works on it; None where somebody does."""
        return self._take(task_id, worker, TaskRow.status != "running", "claimed")

    def take_over(self, seen: TaskRecord, worker: str) -> Lease | None:
        """The task of a worker that has died; None where it moved on since it was `seen`."""
        unchanged = (
            (TaskRow.status == "running")
            & (TaskRow.lease == seen.lease)
            & (TaskRow.heartbeat == seen.heartbeat)
        )
        return self._take(seen.id, worker, unchanged, "taken_over")

    def _take(
        self, task_id: int, worker: str, condition: ColumnElement[bool], kind: str
    ) -> Lease | None:
        change = (
            update(TaskRow)
            .where(TaskRow.id == task_id, condition)
            .values(
                status="running",
                worker=worker,
                lease=TaskRow.lease + 1,
                heartbeat=0,
                ended_at=None,
                revision=TaskRow.revision + 1,
                updated_at=_now(),
            )
        )
        with self._sessions.writing() as session:
            if session.connection().execute(change).rowcount != 1:
                return None
            row = session.get_one(TaskRow, task_id)
            row.started_at = row.started_at or _now()
            add_event(session, task_id, kind, {"worker": worker})
            session.flush()
            return Lease(task_record(row), row.lease)

    def heartbeat(self, lease: Lease) -> str:
        """Says that the holder lives; returns what is asked of it: "", "cancel" or "pause".

        Raises:
            LeaseLostError: the task is another worker's.
        """
        with self._sessions.guarded(holds(lease.task.id, lease.number)).writing() as session:
            row = session.get_one(TaskRow, lease.task.id)
            row.heartbeat += 1
            return row.requested_action

    def release(self, lease: Lease, *, status: str, reason: str) -> None:
        """Gives a task back, in that state; one that is the caller's no longer is left alone."""
        mine = (TaskRow.lease == lease.number) & (TaskRow.status == "running")
        with self._sessions.writing() as session:
            row = session.scalar(
                select(TaskRow).where(TaskRow.id == lease.task.id, mine).with_for_update()
            )
            if row is None:
                return
            asked_at = row.queued_at
            status = asked_for(row, status)
            enter(row, status)
            # One that is given back goes on before those that were asked for after it.
            row.queued_at = asked_at or row.queued_at
            row.stop_reason = reason
            touch(row)
            add_event(session, row.id, "released", {"status": status, "reason": reason})

    def queued(self, *, most: int) -> tuple[TaskRecord, ...]:
        """Tasks that wait, in the order in which they were asked for."""
        query = (
            select(TaskRow)
            .where(TaskRow.status == "queued")
            .order_by(TaskRow.queued_at, TaskRow.id)
            .limit(most)
        )
        with self._sessions.reading() as session:
            return tuple(map(task_record, session.scalars(query)))

    def running(self) -> tuple[TaskRecord, ...]:
        """Tasks that somebody works on, or should."""
        query = select(TaskRow).where(TaskRow.status == "running").order_by(TaskRow.id)
        with self._sessions.reading() as session:
            return tuple(map(task_record, session.scalars(query)))

    @retried
    def end(self, task_id: int, *, status: str, reason: str, add_wall_s: float) -> None:
        """Takes unfinished experiments back, sets the status, adds the event: all or nothing."""
        with self._sessions.writing() as session:
            interrupt_experiments(session, task_id)
            status = asked_for(session.get_one(TaskRow, task_id), status)
            session.execute(status_change(task_id, status, reason, add_wall_s))
            add_event(session, task_id, "task_ended", {"status": status, "reason": reason})

    @retried
    def set_status(self, task_id: int, *, status: str, stop_reason: str, add_wall_s: float) -> None:
        """Sets the status and adds to the wall time, in seconds."""
        with self._sessions.writing() as session:
            session.execute(status_change(task_id, status, stop_reason, add_wall_s))

    @retried
    def keep_wall_time(self, task_id: int, wall_s: float) -> None:
        """Keeps the seconds that have been worked on a task by now."""
        with self._sessions.writing() as session:
            session.execute(update(TaskRow).where(TaskRow.id == task_id).values(wall_s=wall_s))

    @retried
    def keep_standing(
        self, task_id: int, *, best: dict[str, Any] | None, expected_wall_s: float | None
    ) -> None:
        """Keeps the point recommended so far, and the seconds that the task takes at the most."""
        change = update(TaskRow).where(TaskRow.id == task_id)
        with self._sessions.writing() as session:
            session.execute(change.values(best=best, expected_wall_s=expected_wall_s))

    @retried
    def update_plan(
        self,
        task_id: int,
        *,
        plan: dict[str, Any],
        config: dict[str, Any] | None = None,
        found: Mapping[str, object] | None = None,
    ) -> TaskRecord:
        """Keeps the plan as it is now: words, SLO and budget may change between calls.

        Args:
            config: the document as it is written now; the one that is kept where left out.
            found: column -> what this machine says: `engine`, `engine_version`, `device`, `model`.

        Raises:
            NotFoundError: there is no task of that number.
        """
        with self._sessions.writing() as session:
            row = session.get(TaskRow, task_id)
            if row is None:
                raise NotFoundError(f"there is no task {task_id}")
            row.plan = plan
            row.config = row.config if config is None else config
            for name, value in (found or {}).items():
                setattr(row, name, value)
            derive(row)
            row.revision += 1
            row.updated_at = _now()
            session.flush()
            return task_record(row)


def _now() -> datetime:
    return datetime.now(UTC)
