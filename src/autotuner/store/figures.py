"""How much of everything there is, and what the database is like; for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from autotuner.store.revisions import revisions
from autotuner.store.schema import (
    Base,
    EventRow,
    ExperimentRow,
    MeasurementRow,
    ObservationRow,
    ProfileRow,
    TaskRow,
    WorkerRow,
)
from autotuner.store.sessions import Sessions


@dataclass(frozen=True)
class Figures:
    """Counts at one moment. `oldest_queued_at` is None where nothing waits."""

    tasks: Mapping[str, int]
    experiments: Mapping[str, int]
    oldest_queued_at: datetime | None


@dataclass(frozen=True)
class DatabaseState:
    """`kind` is sqlite or postgresql; `revision` what its schema is at, `newest` what is known."""

    kind: str
    revision: str | None
    newest: str

    @property
    def is_current(self) -> bool:
        """Whether this version can work on it."""
        return self.revision == self.newest


@dataclass(frozen=True)
class KnownWorker:
    """A worker as it registered itself, and the task that it works on."""

    id: str
    name: str
    kind: str
    host: str
    pid: int
    version: str
    gpu: str
    devices: list[str]
    status: str
    beat: int
    started_at: datetime
    seen_at: datetime
    task_id: int | None


def figures(sessions: Sessions) -> Figures:
    """Tasks and experiments by status, and since when the oldest task waits."""
    waiting = select(func.min(TaskRow.queued_at)).where(TaskRow.status == "queued")
    with sessions.reading() as session:
        return Figures(
            tasks=_by_status(session, TaskRow),
            experiments=_by_status(session, ExperimentRow),
            oldest_queued_at=session.scalar(waiting),
        )


def sizes(sessions: Sessions) -> dict[str, int]:
    """How many rows there are of what grows."""
    rows: dict[str, type[Base]] = {
        "measurements": MeasurementRow,
        "observations": ObservationRow,
        "events": EventRow,
        "profiles": ProfileRow,
    }
    with sessions.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(row)) or 0
            for name, row in rows.items()
        }


def database_state(sessions: Sessions) -> DatabaseState:
    """What the database is like now.

    Raises:
        StoreError: it cannot be reached.
    """
    with sessions.reading() as session:
        current, newest = revisions(session.connection())
        return DatabaseState(session.connection().dialect.name, current, newest)


def database_version(sessions: Sessions) -> str:
    """The version of SQLite or of the PostgreSQL server: `17.2`."""
    with sessions.reading() as session:
        told = session.connection().dialect.server_version_info or ()
        return ".".join(map(str, told))


def known_workers(sessions: Sessions) -> tuple[KnownWorker, ...]:
    """Every worker that is known, the oldest first; dead ones too until they are missed."""
    own = [getattr(WorkerRow, name) for name in KnownWorker.__dataclass_fields__ if name != _TASK]
    joined = (TaskRow.worker == WorkerRow.id) & (TaskRow.status == "running")
    query = (
        select(*own, func.min(TaskRow.id).label(_TASK))
        .outerjoin(TaskRow, joined)
        .group_by(WorkerRow.id)
        .order_by(WorkerRow.started_at, WorkerRow.id)
    )
    with sessions.reading() as session:
        return tuple(KnownWorker(**row._mapping) for row in session.execute(query))


_TASK = "task_id"


def _by_status(session: Session, row: type[TaskRow] | type[ExperimentRow]) -> dict[str, int]:
    query = select(row.status, func.count()).group_by(row.status)
    return {status: int(count) for status, count in session.execute(query)}
