"""Who works on tasks, and the engines that they have started; each call a transaction."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, exists, select, update

from autotuner.launch import EngineHandle
from autotuner.store.schema import EngineHandleRow, TaskRow, WorkerRow
from autotuner.store.sessions import Sessions


@dataclass(frozen=True)
class WorkerRecord:
    """A process that runs tasks; see `WorkerRow`. `kind` is "worker" or "cli"."""

    id: str
    name: str
    kind: str
    host: str
    boot: str
    pid: int
    pid_started: int
    version: str
    gpu: str
    devices: list[str]
    status: str = "idle"
    heartbeat: int = 0


@dataclass(frozen=True)
class KeptHandle:
    """The handle of an engine that a worker has started and not yet seen end."""

    id: int
    worker: str
    task_id: int | None
    handle: EngineHandle
    started_at: datetime


class Workers:
    """Workers and their engines in the database."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def add(self, worker: WorkerRecord) -> None:
        """From now on it is known; one of the same id is replaced."""
        given = {name: getattr(worker, name) for name in _OF_WORKERS}
        with self._sessions.writing() as session:
            session.merge(WorkerRow(**given, started_at=_now(), seen_at=_now()))

    def heartbeat(self, worker_id: str, status: str, usage: dict[str, Any] | None = None) -> bool:
        """Says that it lives, and whether it is "idle" or "busy"; False where it is forgotten.

        Args:
            usage: how busy its machine is; None where that is not known.
        """
        change = (
            update(WorkerRow)
            .where(WorkerRow.id == worker_id)
            .values(heartbeat=WorkerRow.heartbeat + 1, status=status, usage=usage, seen_at=_now())
        )
        with self._sessions.writing() as session:
            return session.connection().execute(change).rowcount == 1

    def forget(self, worker_id: str) -> None:
        """It has ended, or is taken for dead. One that still holds a task stays."""
        holds = exists().where((TaskRow.worker == worker_id) & (TaskRow.status == "running"))
        with self._sessions.writing() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id, ~holds))

    def all(self) -> tuple[WorkerRecord, ...]:
        """Every worker that is known, dead ones too until they are missed."""
        with self._sessions.reading() as session:
            rows = session.scalars(select(WorkerRow).order_by(WorkerRow.started_at, WorkerRow.id))
            return tuple(_worker_record(row) for row in rows)

    def get(self, worker_id: str | None) -> WorkerRecord | None:
        """The worker of that id."""
        if worker_id is None:
            return None
        with self._sessions.reading() as session:
            row = session.get(WorkerRow, worker_id)
            return None if row is None else _worker_record(row)

    def engine_started(self, worker: WorkerRecord, task_id: int, handle: EngineHandle) -> None:
        """Keeps the handle of an engine that `worker` has started for a task."""
        row = EngineHandleRow(
            worker=worker.id,
            task_id=task_id,
            kind=handle.kind,
            handle=handle.id,
            host=handle.host,
            started_at=_now(),
        )
        with self._sessions.writing() as session:
            session.add(row)

    def engine_gone(self, worker_id: str, handle: EngineHandle) -> None:
        """An engine of that worker has ended."""
        row = EngineHandleRow
        mine = (row.worker == worker_id) & (row.kind == handle.kind) & (row.handle == handle.id)
        with self._sessions.writing() as session:
            session.execute(delete(EngineHandleRow).where(mine))

    def engines(self) -> tuple[KeptHandle, ...]:
        """Engines that are not known to have ended."""
        with self._sessions.reading() as session:
            rows = session.scalars(select(EngineHandleRow).order_by(EngineHandleRow.id))
            return tuple(
                KeptHandle(
                    row.id,
                    row.worker,
                    row.task_id,
                    EngineHandle(row.kind, row.handle, row.host),
                    row.started_at,
                )
                for row in rows
            )

    def forget_engine(self, engine: KeptHandle) -> None:
        """It is known to have ended."""
        with self._sessions.writing() as session:
            session.execute(delete(EngineHandleRow).where(EngineHandleRow.id == engine.id))


def _worker_record(row: WorkerRow) -> WorkerRecord:
    """The record of a row."""
    return WorkerRecord(**{name: getattr(row, name) for name in _OF_WORKERS})


def _now() -> datetime:
    return datetime.now(UTC)


_OF_WORKERS = [field.name for field in fields(WorkerRecord)]
