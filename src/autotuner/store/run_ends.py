"""What the end of a run, or of a call that worked on it, changes; in the caller's session."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Update, update
from sqlalchemy.orm import Session

from autotuner.store.schema import ExperimentRow, TaskRow
from autotuner.store.transitions import UNENDED

_UNFINISHED = ("running", "interrupted")


def take_back(session: Session, run_id: int) -> int:
    """Takes unfinished experiments of a run back; returns how many. Levels that they had measured
    stay, for whoever goes on with them."""
    unfinished = (ExperimentRow.task_id == run_id) & ExperimentRow.status.in_(_UNFINISHED)
    change = update(ExperimentRow).where(unfinished).values(status="interrupted")
    return session.connection().execute(change).rowcount


def status_change(run_id: int, status: str, reason: str, add_wall_s: float) -> Update:
    """Sets the status of a run and adds to its wall time, in seconds."""
    return (
        update(TaskRow)
        .where(TaskRow.id == run_id)
        .values(
            status=status,
            stop_reason=reason,
            wall_s=TaskRow.wall_s + add_wall_s,
            ended_at=None if status in UNENDED else datetime.now(UTC),
            updated_at=datetime.now(UTC),
            revision=TaskRow.revision + 1,
            **({} if status == "running" else {"worker": None, "wanted": ""}),
        )
    )
