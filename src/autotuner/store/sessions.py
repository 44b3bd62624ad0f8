"""Transactions: reading ones and writing ones, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from autotuner.store.database import WRITING, translated_errors

Guard = Callable[[Session], None]


class Sessions:
    """Hands out transactions of one database.

    Args:
        name: what errors call the database; carries no password.
        guard: called at the beginning of every writing transaction; what it raises ends it. It
            keeps a worker that has lost its task from writing.
    """

    def __init__(self, engine: Engine, name: str, guard: Guard | None = None) -> None:
        self.engine = engine
        self.name = name
        self._writer = engine.execution_options(**{WRITING: True})
        self._guard = guard
        # One statement is a transaction by itself: to begin and end one would be two more trips.
        alone = engine.dialect.name == "postgresql"
        self._asker = engine.execution_options(isolation_level="AUTOCOMMIT") if alone else engine

    def guarded(self, guard: Guard) -> Sessions:
        """The same database, with every write guarded."""
        return Sessions(self.engine, self.name, guard)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing; on SQLite it waits for no writer.

        Raises:
            StoreError: what the database says, with the remedy.
        """
        with translated_errors(self.name), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """For one question that is asked often and reads no rows whole: without the mapper.

        Raises:
            StoreError: what the database says, with the remedy.
        """
        with translated_errors(self.name), self._asker.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that may write; on SQLite it waits for its turn before it reads.

        Raises:
            StoreError: what the database says, with the remedy; or what the guard says.
        """
        with translated_errors(self.name), Session(self._writer) as session, session.begin():
            if self._guard is not None:
                self._guard(session)
            yield session
