"""Runs of tasks, each written in a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from autotuner.errors import NotFoundError
from autotuner.store.records import RunRecord
from autotuner.store.rows import run_record
from autotuner.store.run_ends import status_change, take_back
from autotuner.store.schema import EventRow, TaskRow
from autotuner.store.sessions import Sessions, retried
from autotuner.store.transitions import asked_for, first_lease


class RunsKept:
    """Creates runs, and follows each to its end."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def create_run(
        self,
        *,
        name: str,
        content_id: str,
        config: dict[str, Any],
        model: str,
        engine: str,
        engine_version: str,
        device: str,
        plan: dict[str, Any],
        status: str = "running",
    ) -> RunRecord:
        """A new run of the command line; `pending` until somebody works on it, or `running`."""
        row = TaskRow(
            name=name,
            content_id=content_id,
            config=config,
            config_version=2,
            model=model,
            engine=engine,
            engine_version=engine_version,
            device=device,
            plan=plan,
            status=status,
            stop_reason="",
            created_at=_now(),
            updated_at=_now(),
            ended_at=None,
            wall_s=0.0,
            lease=first_lease(),
        )
        with self._sessions.writing() as session:
            session.add(row)
            session.flush()
            return run_record(row)

    @retried
    def find_run(self, content_id: str) -> RunRecord | None:
        """The newest run of a task with that content."""
        query = select(TaskRow).where(TaskRow.content_id == content_id).order_by(TaskRow.id.desc())
        with self._sessions.reading() as session:
            row = session.scalars(query.limit(1)).first()
            return None if row is None else run_record(row)

    @retried
    def get_run(self, run_id: int) -> RunRecord | None:
        """The run of that number."""
        with self._sessions.reading() as session:
            row = session.get(TaskRow, run_id)
            return None if row is None else run_record(row)

    @retried
    def runs(self) -> tuple[RunRecord, ...]:
        """All runs, newest first."""
        with self._sessions.reading() as session:
            rows = session.scalars(select(TaskRow).order_by(TaskRow.id.desc()))
            return tuple(map(run_record, rows))

    @retried
    def end_run(self, run_id: int, *, status: str, reason: str, add_wall_s: float) -> None:
        """Takes unfinished experiments back, sets the status, tells of it: all or nothing."""
        with self._sessions.writing() as session:
            take_back(session, run_id)
            status = asked_for(session.get_one(TaskRow, run_id), status)
            session.execute(status_change(run_id, status, reason, add_wall_s))
            told = {"status": status, "reason": reason}
            session.add(EventRow(task_id=run_id, at=_now(), kind="run_ended", payload=told))

    @retried
    def set_run_status(
        self, run_id: int, *, status: str, stop_reason: str, add_wall_s: float
    ) -> None:
        """Sets the status and adds to the wall time, in seconds."""
        with self._sessions.writing() as session:
            session.execute(status_change(run_id, status, stop_reason, add_wall_s))

    @retried
    def keep_wall_time(self, run_id: int, wall_s: float) -> None:
        """Keeps the seconds that have been worked on a run by now."""
        with self._sessions.writing() as session:
            session.execute(update(TaskRow).where(TaskRow.id == run_id).values(wall_s=wall_s))

    @retried
    def update_plan(
        self,
        run_id: int,
        *,
        plan: dict[str, Any],
        config: dict[str, Any] | None = None,
        found: Mapping[str, str] | None = None,
    ) -> RunRecord:
        """Keeps the plan as it is now: words, SLO and budget may change between calls.

        Args:
            config: the task as it is written now; the one that is kept where left out.
            found: column -> what this machine says: `engine`, `engine_version`, `device`, `model`.

        Raises:
            NotFoundError: there is no run of that number.
        """
        with self._sessions.writing() as session:
            row = session.get(TaskRow, run_id)
            if row is None:
                raise NotFoundError(f"there is no run {run_id}")
            row.plan = plan
            row.config = row.config if config is None else config
            for name, value in (found or {}).items():
                setattr(row, name, value)
            row.revision += 1
            row.updated_at = _now()
            session.flush()
            return run_record(row)


def _now() -> datetime:
    return datetime.now(UTC)
