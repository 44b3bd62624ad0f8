"""Transactions: reading ones and writing ones, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, delete, inspect, select, tuple_
from sqlalchemy.orm import Session

from autotuner.errors import StoreUnavailableError
from autotuner.store.database import WRITING, translated_errors
from autotuner.store.schema import Base

Guard = Callable[[Session], None]
Backoff = Callable[[StoreUnavailableError], None]
"""Called before a retry, with what went wrong: waits, or raises where no retry is worth it."""
P = ParamSpec("P")
T = TypeVar("T")


def no_retry(error: StoreUnavailableError) -> None:
    """The backoff of whoever wants to know at once."""
    raise error


class Sessions:
    """Hands out transactions of one database.

    Args:
        name: what errors call the database; carries no password.
        guard: called at the beginning of every writing transaction; what it raises ends it. It
            keeps a worker that has lost its task from writing.
        backoff: of `retrying`.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        guard: Guard | None = None,
        backoff: Backoff = no_retry,
    ) -> None:
        self.engine = engine
        self.name = name
        self._writer = engine.execution_options(**{WRITING: True})
        self._guard = guard
        self._backoff = backoff
        # One statement is a transaction by itself: to begin and end one would be two more trips.
        alone = engine.dialect.name == "postgresql"
        self._asker = engine.execution_options(isolation_level="AUTOCOMMIT") if alone else engine

    def guarded(self, guard: Guard, backoff: Backoff = no_retry) -> Sessions:
        """The same database, with every write guarded."""
        return Sessions(self.engine, self.name, guard, backoff)

    def retrying(self, call: Callable[[], T]) -> T:
        """Result of `call`, made again while the database is away.

        A call may have been done although its answer was lost: it has to be one that can be made
        twice.

        Raises:
            StoreUnavailableError: the database is away, and the backoff allows no retry.
        """
        while True:
            try:
                return call()
            except StoreUnavailableError as error:
                self._backoff(error)

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


class _KeepsSessions(Protocol):
    _sessions: Sessions


Keeper = TypeVar("Keeper", bound=_KeepsSessions)


def retried(method: Callable[Concatenate[Keeper, P], T]) -> Callable[Concatenate[Keeper, P], T]:
    """A method that can be made twice with the same words; see `Sessions.retrying`."""

    @functools.wraps(method)
    def with_retries(keeper: Keeper, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return keeper._sessions.retrying(lambda: method(keeper, *args, **kwargs))

    return with_retries


_AT_ONCE = 2_000
"""Rows of one transaction: some milliseconds on SQLite, where others wait for it."""


def delete_in_batches(
    sessions: Sessions, table: type[Base], *conditions: ColumnElement[bool]
) -> int:
    """Removes the rows that meet all conditions, some at a time; returns how many."""
    keys = inspect(table).primary_key
    some = select(*keys).where(*conditions).limit(_AT_ONCE)
    gone, there = 0, _AT_ONCE
    while there == _AT_ONCE:
        with sessions.writing() as session:
            change = delete(table).where(tuple_(*keys).in_(some.subquery().select()))
            there = session.connection().execute(change).rowcount
        gone += there
    return gone
