"""From state to state: what may become of a task, each change decided under the lock of its row.

Every function works in the transaction of its caller, so that what belongs together is done wholly
or not at all: of two that ask at once, the later one sees what the earlier one made of the task.
Who needs both locks takes that of the v1 task first, then that of the v2 task that runs it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

from sqlalchemy import Update, delete, exists, select, update
from sqlalchemy.orm import Session

from autotuner.errors import NotFoundError, StaleRevisionError, WrongTransitionError
from autotuner.store.event_log import TASK_DELETED
from autotuner.store.schema import (
    EventRow,
    ExperimentRow,
    PredictedFrontierRow,
    RelaunchRow,
    TaskRow,
)
from autotuner.store.v1_schema import tasks as v1_tasks

_UNFINISHED = ("running", "interrupted")
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
"""Action that a running task is asked for -> the state in which its worker leaves it."""


COMMAND_LINE, V1 = "cli", "v1"
_OF_COMMAND_LINE: Mapping[str, Any] = {
    "origin": COMMAND_LINE,
    "engine_version": "",
    "device": "",
    "plan": {},
}


class NewTask(TypedDict):
    """Parts of a new task; `pending` and of the command line unless it says otherwise.

    `requested_gpu`: a GPU of the catalog, "cpu", or "" where any machine will do. `base`: folder
    from which relative paths in `config` count. `origin`: who asked for it: "api", "v1" or "cli".
    """

    name: str
    content_id: str
    config: dict[str, Any]
    model: str
    engine: str
    description: NotRequired[str]
    engine_version: NotRequired[str]
    device: NotRequired[str]
    plan: NotRequired[dict[str, Any]]
    requested_gpu: NotRequired[str]
    requested_gpus: NotRequired[int]
    origin: NotRequired[str]
    base: NotRequired[str | None]
    v1_task_id: NotRequired[int | None]
    status: NotRequired[str]


def allowed_actions(status: str, *, has_worker: bool = True) -> tuple[str, ...]:
    """Actions that can be asked of a task in that state; a running one without a worker, as of a
    command line that nobody can reach, takes none."""
    now = {action for action, changes in TRANSITIONS.items() if status in changes}
    if status == "running" and has_worker:
        now |= set(ASKED_OF_WORKERS)
    return tuple(action for action in TRANSITIONS if action in now)


def first_lease() -> int:
    """The number that leases of a new task count from, unlike that of any other task."""
    return secrets.randbits(30)


def create(session: Session, new: NewTask) -> TaskRow:
    """A new task, `pending` unless it says otherwise; nothing runs yet."""
    now = _now()
    status = new.get("status", "pending")
    row = TaskRow(
        **{**_OF_COMMAND_LINE, **new, "status": status},
        config_version=2,
        stop_reason="",
        created_at=now,
        updated_at=now,
        queued_at=now if status == "queued" else None,
        ended_at=None,
        wall_s=0.0,
        lease=first_lease(),
    )
    derive(row)
    session.add(row)
    session.flush()
    if row.origin != COMMAND_LINE:
        # One of the command line begins at once, and its first event says so.
        add_event(session, row.id, "created", {"status": status})
        session.flush()
        session.refresh(row)
    return row


def derive(row: TaskRow) -> None:
    """Fills the columns of lists that follow from a task's documents, which were just written."""
    row.is_replay = row.config.get("deployment_mode") == "replay"
    candidates = row.plan.get("candidates")
    budget = ((row.config.get("optimization") or {}).get("budget") or {}).get("experiments")
    again = row.plan.get("confirm_launches", 0)
    beside = row.plan.get("baseline_launches", 0) + again
    limit = budget - again if budget else candidates
    row.launches = None if candidates is None else min(candidates, limit) + beside


def locked(session: Session, task_id: int) -> TaskRow:
    """The task, which nobody else changes until this transaction ends.

    Raises:
        NotFoundError: there is none.
    """
    row = session.scalar(select(TaskRow).where(TaskRow.id == task_id).with_for_update())
    if row is None:
        raise NotFoundError(f"there is no task {task_id}")
    return row


def check_revision(row: TaskRow, revision: int | None) -> None:
    """Lets pass what is meant for the task as it is; None is meant for any.

    Raises:
        StaleRevisionError: it was changed since.
    """
    if revision is not None and revision != row.revision:
        raise StaleRevisionError(
            f"task {row.id} has revision {row.revision}, not {revision}",
            remedy="read it again, and decide anew",
        )


def act(session: Session, row: TaskRow, action: str) -> None:
    """Asks for a transition; of a running task its worker is asked. See `TRANSITIONS`.

    Raises:
        WrongTransitionError: it cannot be asked for now; says what can.
    """
    follows = TRANSITIONS[action].get(row.status)
    if row.status == "running" and action in ASKED_OF_WORKERS:
        row.requested_action = action
    elif follows is None:
        raise WrongTransitionError(
            f"task {row.id} is {row.status}: {action} is not possible",
            status=row.status,
            allowed=allowed_actions(row.status),
        )
    else:
        enter(row, follows)
        if action == "restart":
            for table in (ExperimentRow, PredictedFrontierRow):
                session.execute(delete(table).where(table.task_id == row.id))
            row.wall_s, row.plan, row.started_at = 0.0, {}, None
            row.best = row.expected_wall_s = None
            derive(row)
    touch(row)
    add_event(session, row.id, "asked", {"action": action, "status": row.status})


def remove(session: Session, row: TaskRow) -> None:
    """Removes a task and all that was measured for it; one event is left, which says so.

    Raises:
        WrongTransitionError: it is running.
    """
    if row.status == "running":
        raise WrongTransitionError(
            f"task {row.id} is running: it cannot be deleted",
            status=row.status,
            allowed=allowed_actions(row.status),
        )
    task_id, name = row.id, row.name
    session.execute(delete(EventRow).where(EventRow.task_id == task_id))
    session.execute(delete(TaskRow).where(TaskRow.id == task_id))
    add_event(session, task_id, TASK_DELETED, {"name": name})


def is_carried(row: TaskRow) -> bool:
    """Whether a task was carried over with what version 1 found, and never asked for here: its
    results are version 1's own."""
    return row.origin == V1 and row.queued_at is None


def kept_v1_task(session: Session, task_id: int) -> int | None:
    """The v1 task that a task runs, locked; None where it runs none."""
    v1_task_id = session.scalar(select(TaskRow.v1_task_id).where(TaskRow.id == task_id))
    if v1_task_id is not None:
        session.execute(select(v1_tasks.c.id).where(v1_tasks.c.id == v1_task_id).with_for_update())
    return v1_task_id


def leave_v1_task(session: Session, v1_task_id: int) -> None:
    """A v1 task whose task is gone runs no longer, unless another task has followed."""
    unrun = ~exists().where(TaskRow.v1_task_id == v1_task_id)
    running = (v1_tasks.c.id == v1_task_id) & (v1_tasks.c.status == "RUNNING")
    session.execute(update(v1_tasks).where(running, unrun).values(status="CANCELLED"))


def asked_for(row: TaskRow, status: str) -> str:
    """The state in which a task is left that would wait: what is asked of it meanwhile counts."""
    waits = status in ("queued", "interrupted")
    return ASKED_OF_WORKERS[row.requested_action] if waits and row.requested_action else status


def enter(row: TaskRow, status: str) -> None:
    """Puts a task into a state that nobody works on it in."""
    row.status, row.worker, row.requested_action = status, None, ""
    row.stop_reason = ""
    row.queued_at = _now() if status == "queued" else row.queued_at
    row.ended_at = None if status in UNENDED else _now()


def touch(row: TaskRow) -> None:
    """Notes that a task was changed."""
    row.revision += 1
    row.updated_at = _now()


def add_event(session: Session, task_id: int, kind: str, payload: dict[str, Any]) -> None:
    """Notes that something happened in a task."""
    session.add(EventRow(task_id=task_id, at=_now(), kind=kind, payload=payload))


def interrupt_experiments(session: Session, task_id: int) -> int:
    """Takes unfinished experiments of a task back; returns how many. Levels that they had measured
    stay, for whoever goes on with them; of an unfinished relaunch the seconds that were lost with
    its machine, and nothing else."""
    own = select(ExperimentRow.id).where(ExperimentRow.task_id == task_id)
    ended = RelaunchRow.experiment_id.in_(own) & (RelaunchRow.status == "running")
    forgotten = delete(RelaunchRow).where(ended, RelaunchRow.lost_s == 0.0)
    kept = update(RelaunchRow).where(ended).values(status="interrupted")
    for relaunches in (forgotten, kept):
        session.execute(relaunches.execution_options(synchronize_session=False))
    unfinished = (ExperimentRow.task_id == task_id) & ExperimentRow.status.in_(_UNFINISHED)
    change = update(ExperimentRow).where(unfinished).values(status="interrupted")
    return session.connection().execute(change).rowcount


def status_change(task_id: int, status: str, reason: str, add_wall_s: float) -> Update:
    """Sets the status of a task and adds to its wall time, in seconds."""
    return (
        update(TaskRow)
        .where(TaskRow.id == task_id)
        .values(
            status=status,
            stop_reason=reason,
            wall_s=TaskRow.wall_s + add_wall_s,
            ended_at=None if status in UNENDED else datetime.now(UTC),
            updated_at=datetime.now(UTC),
            revision=TaskRow.revision + 1,
            **({} if status == "running" else {"worker": None, "requested_action": ""}),
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)
