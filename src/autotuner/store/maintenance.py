"""A database as its operator sees it: revision, counts, backup, schema up or down, expired rows.

Unlike `Store.open` nothing here brings the schema to the newest revision by itself.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, func, inspect, select, text
from sqlalchemy.orm import Session

from autotuner.errors import StoreError
from autotuner.store import browser_sessions, idempotency
from autotuner.store.database import address_of, connected, name_of, revisions, translated_errors
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
from autotuner.store.sessions import Sessions, delete_in_batches
from autotuner.store.workers import WorkerRecord

_PAGES = ("page_count", "page_size")
_PG_DUMP, _PG_RESTORE = "pg_dump", "pg_restore"
_OF_ANY_SCHEMA = (
    *("id", "name", "kind", "host", "boot", "pid", "pid_started", "version", "gpu", "devices"),
)
"""Columns of a worker that every schema with workers has."""


@dataclass(frozen=True)
class HeldTask:
    """A task that is marked as running, and the worker that has it; None where none is known."""

    id: int
    name: str
    worker: WorkerRecord | None


@dataclass(frozen=True)
class Database:
    """A database that is there, at whatever revision.

    Attributes:
        name: shown to people; holds no password.
        file: of SQLite; None for a server.
    """

    url: URL
    name: str
    file: Path | None

    @classmethod
    def found(cls, home: Path, address: str | None) -> Database:
        """The database of `home`, or the one at `address`.

        Raises:
            StoreError: `address` is none, or the file is not there.
        """
        url = address_of(home, address)
        file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        if file is not None and not file.is_file():
            raise StoreError(
                f"there is no database {file}",
                remedy="name its home with --home, or its address with --database",
            )
        return cls(url, name_of(url), file)

    @classmethod
    def of(cls, sessions: Sessions) -> Database:
        """The database of a store that is open."""
        url = sessions.engine.url
        file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        return cls(url, sessions.name, file)

    def revisions(self) -> tuple[str | None, str]:
        """Its revision, and the newest that this version knows.

        Raises:
            StoreError: it cannot be read.
        """
        with self._engine() as engine, engine.connect() as connection:
            return revisions(connection)

    def held_tasks(self) -> tuple[HeldTask, ...]:
        """Tasks that are marked as running.

        Raises:
            StoreError: it cannot be read.
        """
        # Schemas before the service have no workers: the living cannot be known from the dead.
        query = (
            select(TaskRow.id, TaskRow.name, *(getattr(WorkerRow, name) for name in _OF_ANY_SCHEMA))
            .join(WorkerRow, WorkerRow.id == TaskRow.worker, isouter=True)
            .where(TaskRow.status == "running")
            .order_by(TaskRow.id)
        )
        with self._engine() as engine:
            if not inspect(engine).has_table(WorkerRow.__tablename__):
                return ()
            with Session(engine) as session:
                return tuple(
                    HeldTask(number, name, _worker(columns))
                    for number, name, *columns in session.execute(query)
                )

    def migrate(self, revision: str) -> None:
        """Brings the schema to `revision`, wholly or not at all.

        Raises:
            StoreError: it cannot be written, or its revision is not known.
        """
        from autotuner.store.upgrades import migrate

        with self._engine() as engine:
            migrate(engine, revision)

    def backup(self, target: Path) -> None:
        """Writes a copy to `target` while others go on; it is there whole or not at all.

        Raises:
            StoreError: the database cannot be read, or there is no pg_dump; names the command.
            OSError: the target cannot be written.
        """
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        os.close(handle)
        try:
            if self.file is not None:
                with translated_errors(self.name):
                    _copy(self.file, Path(aside))
            else:
                _dump(self.url, Path(aside))
            Path(aside).replace(target)
        finally:
            Path(aside).unlink(missing_ok=True)

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = connected(self.url)
        try:
            with translated_errors(self.name):
                yield engine
        finally:
            engine.dispose()


def _worker(columns: list[Any]) -> WorkerRecord | None:
    known = dict(zip(_OF_ANY_SCHEMA, columns, strict=True))
    return None if known["id"] is None else WorkerRecord(**known)


def _copy(source: Path, target: Path) -> None:
    """SQLite's online backup; the copy is one file, without a log beside it."""
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as one,
        closing(sqlite3.connect(target)) as other,
    ):
        one.backup(other)
        other.execute("PRAGMA journal_mode=DELETE")
        (answer,) = other.execute("PRAGMA quick_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"malformed: {answer}")


def _dump(url: URL, target: Path) -> None:
    # A password among a command's words is seen in lists of processes.
    plain = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    ).render_as_string()
    command = [_PG_DUMP, "--format=custom", f"--file={target}", f"--dbname={plain}"]
    if shutil.which(_PG_DUMP) is None:
        raise StoreError(
            "pg_dump is not installed here, which makes backups of PostgreSQL",
            remedy=f"where it is, run: {_PG_DUMP} --format=custom --file=autotuner.dump "
            f"--dbname={plain}",
        )
    environment = dict(os.environ)
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise StoreError(f"pg_dump failed: {done.stderr.strip()}", remedy=f"it was: {plain}")
    _check_dump(target)


def _check_dump(dump: Path) -> None:
    """Reads the table of contents of a dump, where pg_restore is installed.

    Raises:
        StoreError: it is none.
    """
    if shutil.which(_PG_RESTORE) is None:
        return
    command = [_PG_RESTORE, "--list", str(dump)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StoreError(
            f"pg_dump wrote what pg_restore cannot read: {done.stderr.strip()}",
            remedy="see that both are of one version of PostgreSQL",
        )


@dataclass(frozen=True)
class StoreCounts:
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
    heartbeat: int
    usage: dict[str, Any] | None
    started_at: datetime
    seen_at: datetime
    task_id: int | None


def figures(sessions: Sessions) -> StoreCounts:
    """Tasks and experiments by status, and since when the oldest task waits."""
    waiting = select(func.min(TaskRow.queued_at)).where(TaskRow.status == "queued")
    with sessions.reading() as session:
        return StoreCounts(
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
    """State of the database now.

    Raises:
        StoreError: it cannot be reached.
    """
    with sessions.reading() as session:
        current, newest = revisions(session.connection())
        return DatabaseState(session.connection().dialect.name, current, newest)


def database_version(sessions: Sessions) -> str:
    """The version of SQLite or of the PostgreSQL server: `17.2`."""
    with sessions.reading() as session:
        version = session.connection().dialect.server_version_info or ()
        return ".".join(map(str, version))


def database_bytes(sessions: Sessions) -> int:
    """Bytes that the database takes on its disk."""
    with sessions.reading() as session:
        if session.connection().dialect.name == "sqlite":
            pages, page = (session.scalar(text(f"PRAGMA {name}")) for name in _PAGES)
            return int(pages or 0) * int(page or 0)
        return int(session.scalar(select(func.pg_database_size(func.current_database()))) or 0)


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


EVERY_S = 600.0
"""How often it is done."""


def remove_expired(sessions: Sessions, now: datetime, *, keep_events_days: float) -> None:
    """Removes what is too old.

    Args:
        keep_events_days: events are kept for so long; 0 keeps all.
    """
    idempotency.forget_old(sessions, now)
    browser_sessions.forget_ended(sessions, now)
    if keep_events_days:
        delete_in_batches(sessions, EventRow, EventRow.at < now - timedelta(days=keep_events_days))
