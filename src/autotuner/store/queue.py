"""Tasks on their way from a request to a worker: states, leases, beats.

A task is worked on by whoever holds its lease: a number that grows whenever a worker takes the
task. The holder lets `beat` grow while it lives. No clock stands in the database: whoever watches
sees by its own clock for how long a beat has not changed, so that no jump of a clock, and no
difference between two, takes a task away or keeps it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from autotuner.errors import LeaseLostError, StaleRevisionError, StoreError, WrongTransitionError
from autotuner.store.records import TaskRecord
from autotuner.store.rows import task_record
from autotuner.store.schema import EventRow, ExperimentRow, TaskRow
from autotuner.store.sessions import Guard, Sessions

UNENDED = ("pending", "queued", "running", "paused")
"""States in which a task has not ended; entering any other is its end."""
STATUSES = (*UNENDED, "completed", "failed", "cancelled", "interrupted")
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "start": {"pending": "queued"},
    "cancel": {"pending": "cancelled", "queued": "cancelled", "paused": "cancelled"},
    "pause": {"queued": "paused"},
    "resume": dict.fromkeys(("paused", "interrupted", "cancelled", "failed"), "queued"),
    "restart": dict.fromkeys(("completed", "failed", "cancelled", "interrupted"), "queued"),
}
"""Action -> the state in which it may be asked -> the state that follows."""
ASKED_OF_WORKERS = {"cancel": "cancelled", "pause": "paused"}
"""What a running task is asked for -> the state in which its worker leaves it."""


def allowed_actions(status: str) -> tuple[str, ...]:
    """What can be asked of a task in that state."""
    now = {action for action, changes in TRANSITIONS.items() if status in changes}
    if status == "running":
        now |= set(ASKED_OF_WORKERS)
    return tuple(action for action in TRANSITIONS if action in now)


def first_lease() -> int:
    """The number that leases of a new task count from.

    SQLite gives the number of a deleted task to the next one: a worker that still holds a lease of
    the old one must not hold the new one's.
    """
    return secrets.randbits(30)


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


class Queue:
    """Creates tasks, moves them from state to state, and hands them to workers."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def create(
        self,
        *,
        name: str,
        description: str,
        content_id: str,
        config: dict[str, Any],
        model: str,
        engine: str,
        needs_gpu: str,
        needs_gpus: int,
        origin: str,
        base: str | None = None,
        v1_task_id: int | None = None,
        status: str = "pending",
    ) -> TaskRecord:
        """A new task; nothing runs yet.

        Args:
            needs_gpu: a GPU of the catalog, "cpu", or "" where any machine will do.
            base: folder from which relative paths in `config` count.
            origin: who asked for it: "api", "v1" or "cli".
        """
        now = _now()
        row = TaskRow(
            name=name,
            description=description,
            content_id=content_id,
            config=config,
            config_version=2,
            model=model,
            engine=engine,
            engine_version="",
            device="",
            plan={},
            status=status,
            stop_reason="",
            created_at=now,
            updated_at=now,
            queued_at=now if status == "queued" else None,
            ended_at=None,
            wall_s=0.0,
            origin=origin,
            base=base,
            needs_gpu=needs_gpu,
            needs_gpus=needs_gpus,
            v1_task_id=v1_task_id,
            lease=first_lease(),
        )
        with self._sessions.writing() as session:
            session.add(row)
            session.flush()
            _tell(session, row.id, "created", {"status": status})
            session.refresh(row)
            return task_record(row)

    def get(self, task_id: int) -> TaskRecord | None:
        """The task of that number."""
        with self._sessions.reading() as session:
            row = session.get(TaskRow, task_id)
            return None if row is None else task_record(row)

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
            StoreError: there is no such task.
        """
        with self._sessions.writing() as session:
            row = _locked(session, task_id)
            _check_revision(row, revision)
            if "config" in values and row.status != "pending":
                raise WrongTransitionError(
                    f"task {task_id} is {row.status}: what it does can be changed while pending",
                    status=row.status,
                    allowed=allowed_actions(row.status),
                )
            for name, value in values.items():
                setattr(row, name, value)
            _touch(row)
            session.flush()
            return task_record(row)

    def act(self, task_id: int, action: str, *, revision: int | None = None) -> TaskRecord:
        """Asks for a transition; of a running task its worker is asked, and does it soon.

        `restart` removes what was measured. See `TRANSITIONS`.

        Raises:
            WrongTransitionError: it cannot be asked for now; says what can.
            StaleRevisionError: the task was changed since `revision`.
            StoreError: there is no such task.
        """
        with self._sessions.writing() as session:
            row = _locked(session, task_id)
            _check_revision(row, revision)
            follows = TRANSITIONS[action].get(row.status)
            if row.status == "running" and action in ASKED_OF_WORKERS:
                row.wanted = action
            elif follows is None:
                raise WrongTransitionError(
                    f"task {task_id} is {row.status}: {action} is not possible",
                    status=row.status,
                    allowed=allowed_actions(row.status),
                )
            else:
                _enter(row, follows)
                if action == "restart":
                    _forget_everything(session, row)
            _touch(row)
            _tell(session, task_id, "asked", {"action": action, "status": row.status})
            session.flush()
            return task_record(row)

    def delete(self, task_id: int, *, revision: int | None = None) -> None:
        """Removes a task and all that was measured for it.

        Raises:
            WrongTransitionError: it is running.
            StaleRevisionError: it was changed since `revision`.
            StoreError: there is no such task.
        """
        with self._sessions.writing() as session:
            row = _locked(session, task_id)
            _check_revision(row, revision)
            if row.status == "running":
                raise WrongTransitionError(
                    f"task {task_id} is running: it cannot be deleted",
                    status=row.status,
                    allowed=allowed_actions(row.status),
                )
            session.execute(delete(TaskRow).where(TaskRow.id == task_id))

    def next_for(self, *, gpu: str, gpus: int) -> int | None:
        """The oldest queued task that can run on these devices; None where there is none.

        Args:
            gpu: what a worker has: a GPU of the catalog, or "cpu".
            gpus: how many of them.
        """
        fits = or_(
            TaskRow.needs_gpu == "", and_(TaskRow.needs_gpu == gpu, TaskRow.needs_gpus <= gpus)
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
            & (TaskRow.beat == seen.beat)
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
                beat=0,
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
            _tell(session, task_id, kind, {"worker": worker})
            session.flush()
            return Lease(task_record(row), row.lease)

    def beat(self, lease: Lease) -> str:
        """Says that the holder lives; returns what is wanted of it: "", "cancel" or "pause".

        Raises:
            LeaseLostError: the task is another worker's.
        """
        with self._sessions.guarded(holds(lease.task.id, lease.number)).writing() as session:
            row = session.get_one(TaskRow, lease.task.id)
            row.beat += 1
            return row.wanted

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
            _enter(row, status)
            # One that is given back goes on before those that were asked for after it.
            row.queued_at = asked_at or row.queued_at
            row.stop_reason = reason
            _touch(row)
            _tell(session, row.id, "released", {"status": status, "reason": reason})

    def running(self) -> tuple[TaskRecord, ...]:
        """Tasks that somebody works on, or should."""
        query = select(TaskRow).where(TaskRow.status == "running").order_by(TaskRow.id)
        with self._sessions.reading() as session:
            return tuple(map(task_record, session.scalars(query)))


def asked_for(row: TaskRow, status: str) -> str:
    """The state in which a task is left that would wait: what is asked of it meanwhile counts."""
    waits = status in ("queued", "interrupted")
    return ASKED_OF_WORKERS[row.wanted] if waits and row.wanted else status


def _locked(session: Session, task_id: int) -> TaskRow:
    row = session.scalar(select(TaskRow).where(TaskRow.id == task_id).with_for_update())
    if row is None:
        raise StoreError(f"there is no task {task_id}")
    return row


def _check_revision(row: TaskRow, revision: int | None) -> None:
    if revision is not None and revision != row.revision:
        raise StaleRevisionError(
            f"task {row.id} has revision {row.revision}, not {revision}",
            remedy="read it again, and decide anew",
        )


def _enter(row: TaskRow, status: str) -> None:
    row.status, row.worker, row.wanted = status, None, ""
    row.stop_reason = ""
    row.queued_at = _now() if status == "queued" else row.queued_at
    row.ended_at = None if status in UNENDED else _now()


def _forget_everything(session: Session, row: TaskRow) -> None:
    session.execute(delete(ExperimentRow).where(ExperimentRow.task_id == row.id))
    row.wall_s, row.plan, row.started_at = 0.0, {}, None


def _touch(row: TaskRow) -> None:
    row.revision += 1
    row.updated_at = _now()


def _tell(session: Session, task_id: int, kind: str, payload: dict[str, Any]) -> None:
    session.add(EventRow(task_id=task_id, at=_now(), kind=kind, payload=payload))


def _now() -> datetime:
    return datetime.now(UTC)
