"""The facts under one home folder, each written in a transaction of its own.

Every write of a run may be made again with the same words, as after an answer that was lost: what
is there already stays, and is not there twice. Such methods are `retried` while the database is
away, where the sessions have a backoff.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete, select

from autotuner.predict import Observation
from autotuner.store import kept_observations
from autotuner.store.database import open_database
from autotuner.store.experiments_kept import ExperimentsKept
from autotuner.store.kept_observations import About
from autotuner.store.queue import Queue, holds
from autotuner.store.records import EventRecord, ObservationRecord
from autotuner.store.runs_kept import RunsKept
from autotuner.store.schema import EventRow
from autotuner.store.sessions import Sessions, retried
from autotuner.store.workers_kept import WorkersKept


class Store(RunsKept, ExperimentsKept):
    """The facts under one home folder.

    Example:
        with Store.open(home) as store:
            run = store.create_run(...)
    """

    @classmethod
    def open(cls, home: Path, database: str | None = None) -> Store:
        """Opens the store of `home`, created or upgraded where needed.

        Args:
            database: URL of a database to use in place of the file in `home`.

        Raises:
            StoreError: it cannot be opened; says why and what to do.
        """
        return cls(Sessions(*open_database(home, database)))

    @property
    def sessions(self) -> Sessions:
        """Transactions, for the parts of this room that keep other things."""
        return self._sessions

    @property
    def queue(self) -> Queue:
        """Tasks on their way from a request to a worker."""
        return Queue(self._sessions)

    @property
    def workers(self) -> WorkersKept:
        """Who works on tasks, and their engines."""
        return WorkersKept(self._sessions)

    def fenced(self, task_id: int, lease: int) -> Store:
        """The same store, which writes only while `lease` holds the task.

        Raises (when written to):
            LeaseLostError: another worker has taken it over.
        """
        return Store(self._sessions.guarded(holds(task_id, lease)))

    def close(self) -> None:
        """Gives the database back."""
        self._sessions.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @retried
    def add_observations(
        self, observations: Sequence[Observation], *, run_id: int | None = None
    ) -> int:
        """Stores those that are not there yet; returns how many these were."""
        with self._sessions.writing() as session:
            return kept_observations.add(session, observations, run_id)

    @retried
    def observations(
        self,
        *,
        engine: str | None = None,
        device: str | None = None,
        model: str | None = None,
        run_id: int | None = None,
        until: int | None = None,
        trusted: bool = True,
    ) -> tuple[ObservationRecord, ...]:
        """What was measured beside a prediction, oldest first; None asks for any.

        Args:
            until: as `newest_observation` said at some moment: what is newer is left out.
            trusted: only those that may correct predictions; the others are kept to be looked at.
        """
        chosen = kept_observations.chosen(engine, device, model, run_id, until, trusted=trusted)
        with self._sessions.reading() as session:
            return kept_observations.found(session, chosen)

    @retried
    def observations_about(self, about: About, *, most: int) -> tuple[ObservationRecord, ...]:
        """The observations nearest to what is asked about, oldest first; see `nearest`."""
        with self._sessions.reading() as session:
            return kept_observations.nearest(session, about, most=most)

    @retried
    def newest_observation(self) -> int:
        """The place of the newest observation; 0 where there is none."""
        with self._sessions.reading() as session:
            return kept_observations.newest(session)

    def forget_observations(self, ids: Sequence[str]) -> int:
        """Removes the observations of these ids; returns how many there were."""
        with self._sessions.writing() as session:
            return kept_observations.forget(session, ids)

    @retried
    def add_event(
        self, run_id: int, kind: str, payload: dict[str, Any], *, passing: bool = False
    ) -> None:
        """Notes that something happened.

        Args:
            passing: what came before it of its kind in that run is out of date, and goes.
        """
        with self._sessions.writing() as session:
            if passing:
                before = (EventRow.task_id == run_id) & (EventRow.kind == kind)
                session.execute(delete(EventRow).where(before))
            session.add(EventRow(task_id=run_id, at=_now(), kind=kind, payload=payload))

    @retried
    def events(self, run_id: int) -> tuple[EventRecord, ...]:
        """A run's events in order."""
        query = select(EventRow).where(EventRow.task_id == run_id).order_by(EventRow.id)
        with self._sessions.reading() as session:
            return tuple(EventRecord(r.at, r.kind, r.payload) for r in session.scalars(query))


def _now() -> datetime:
    return datetime.now(UTC)
