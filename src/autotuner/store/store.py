"""The facts under one home folder, each written in a transaction of its own.

Every write of whoever works on a task may be made again with the same words, as after an answer
that was lost: what is there already stays, and is not there twice. Such methods are `retried` while
the database is away, where the sessions have a backoff.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from autotuner.errors import StoreError
from autotuner.store.database import (
    address_of,
    connected,
    name_of,
    revisions,
    translated_errors,
)
from autotuner.store.event_log import EventStore
from autotuner.store.experiments import ExperimentStore
from autotuner.store.observations import ObservationStore
from autotuner.store.predicted_frontiers import PredictedFrontiers
from autotuner.store.relaunches import RelaunchStore
from autotuner.store.sessions import Sessions
from autotuner.store.tasks import Tasks, holds
from autotuner.store.v1.migrations import Migrations
from autotuner.store.v1.recognition import is_v1_file
from autotuner.store.workers import Workers


class Store(ExperimentStore, RelaunchStore, ObservationStore, EventStore):
    """The facts under one home folder.

    Example:
        with Store.open(home) as store:
            task = store.tasks.create(...)
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
    def tasks(self) -> Tasks:
        """Tasks, from a request to their end."""
        return Tasks(self._sessions)

    @property
    def workers(self) -> Workers:
        """Who works on tasks, and their engines."""
        return Workers(self._sessions)

    @property
    def predicted_frontiers(self) -> PredictedFrontiers:
        """Predicted frontiers of whole spaces, by task."""
        return PredictedFrontiers(self._sessions)

    @property
    def migrations(self) -> Migrations:
        """Record of what was moved here from databases of version 1."""
        return Migrations(self._sessions)

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


def open_database(home: Path, url: str | None = None) -> tuple[Engine, str]:
    """The database of `home`, or the one at `url`, created or upgraded where needed.

    Returns it with the name that errors call it by, which holds no password.

    Raises:
        StoreError: it cannot be used, or is no database of ours.
    """
    address = address_of(home, url)
    if url is None:
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder {home} cannot be used: {error.strerror}",
                remedy="choose another with --home or AUTOTUNER_HOME",
            ) from None
    name = name_of(address)
    if address.get_backend_name() == "sqlite":
        # Before it is connected to, which would change a setting in it.
        _refuse_v1(Path(str(address.database)))
    engine = connected(address)
    with translated_errors(name):
        with engine.connect() as connection:
            current, newest = revisions(connection)
        if current != newest:
            # Alembic takes a fifth of a second to load, and is rarely needed.
            from autotuner.store.upgrades import migrate

            migrate(engine)
    return engine, name


def _refuse_v1(file: Path) -> None:
    """Raises where version 1's database lies in the place of ours.

    Raises:
        StoreError: with the command that moves it.
    """
    if is_v1_file(file):
        raise StoreError(
            f"{file} is a database of version 1, and was left as it is",
            remedy="rename it, such as to v1.db, and move what is in it with "
            "`autotuner migrate db v1.db --apply`",
        )
