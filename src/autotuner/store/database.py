"""Opens the database, brought to the newest revision: SQLite in WAL mode, or PostgreSQL by URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    column,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError

from autotuner.errors import StoreError, StoreRefusedError, StoreUnavailableError

FILE_NAME = "autotuner.db"
WRITING = "autotuner_writing"
"""Execution option of transactions that will write: SQLite takes its lock before they read."""
_BUSY_TIMEOUT_MS = 10_000
_CONNECT_TIMEOUT_S = 5
_SILENT_PEERS = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""libpq's words for when a connection is given up whose other side is gone without a word."""
_IDLE_TRANSACTION_MS = 20_000
"""After so long PostgreSQL ends a transaction whose process is stopped: the rows that it has locked
are free for who takes over, before the lease has run out."""
_GONE = ("08", "25P03", "57P", "53")
"""Classes of SQLSTATE that say that PostgreSQL cannot be reached now (its manual, appendix A)."""

_REFUSALS = (
    *("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry"),
    *("is not permitted to log in", "permission denied for database"),
)
"""Of a server that answers: connecting fails without an SQLSTATE, in these words."""


def address_of(home: Path, text: str | None) -> URL:
    """Where the database of `home` is, or the one that `text` names; nothing is opened.

    Raises:
        StoreError: `text` is no address, or of another kind of database.
    """
    if text is None:
        return URL.create("sqlite", database=str(home / FILE_NAME))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not shown: it may hold a password.
        raise StoreError(
            "the database's address cannot be read",
            remedy="write postgresql://USER@HOST/NAME, or sqlite:///FILE",
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not url.database:
        raise StoreError(
            f"databases of the kind {url.drivername!r} are not supported",
            remedy="use postgresql://USER@HOST/NAME, or sqlite:///FILE",
        )
    return url


def name_of(url: URL) -> str:
    """Name of a database in errors: its file, or its address without a password."""
    is_file = url.get_backend_name() == "sqlite"
    return str(url.database) if is_file else url.render_as_string(hide_password=True)


def connected(url: URL) -> Engine:
    """Connections to a database as this store uses them; nothing is read or written yet."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        return engine
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=40,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "client_encoding": "utf8",  # else a database without an encoding answers in bytes
            **_SILENT_PEERS,
        },
    )
    event.listen(engine, "connect", _limit_transactions)
    return engine


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """Turns what a database says into a `StoreError` that names the database and the remedy.

    Raises:
        StoreUnavailableError: it cannot be reached now; trying again later may help.
        StoreError: anything else.
    """
    try:
        yield
    except SQLAlchemyError as error:
        if not isinstance(error, DatabaseError):
            raise
        if _is_gone(error):
            message = _first_line(error.orig)
            if isinstance(error.orig, sqlite3.Error):
                raise _store_error(name, message, StoreUnavailableError) from error
            if any(words in message for words in _REFUSALS):
                raise StoreRefusedError(
                    f"the database {name} does not let this user in: {message}",
                    remedy="check the user, the password and the name of the database",
                ) from error
            raise StoreUnavailableError(
                f"the database {name} cannot be reached: {message}",
                remedy="see whether it runs and may be reached from here",
            ) from error
        raise _store_error(name, _first_line(error.orig)) from error
    except sqlite3.DatabaseError as error:
        raise _store_error(name, str(error)) from error


def _is_gone(error: DatabaseError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(error.orig, sqlite3.Error):
        # Another process writes for longer than we wait: it will be done.
        # The driver's own refusals, such as of a value's type, have no code.
        code = getattr(error.orig, "sqlite_errorcode", 0)
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return error.connection_invalidated or (
        # Without a state it comes from the driver: refused, timed out, cut off.
        state.startswith(_GONE) if state else isinstance(error, OperationalError)
    )


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]


def _store_error(name: str, message: str, kind: type[StoreError] = StoreError) -> StoreError:
    remedies = {
        "readonly": "make it writable, or choose another place with --home",
        "full": "free some space; what was stored before is kept",
        "locked": "another program holds it; end that one and try again",
        "not a database": "it is no database: move it away, or choose another --home",
        "unable to open": "check that the path is a folder you may write to",
        "malformed": "it is damaged: restore a backup, or choose another --home",
    }
    remedy = next((text for word, text in remedies.items() if word in message), "check the disk")
    return kind(f"the store {name} cannot be used: {message}", remedy=remedy)


def _configure(connection: Any, _record: Any) -> None:
    # Left alone, the driver begins no transaction before CREATE TABLE or SELECT: a process killed
    # between two statements would leave half a schema. `_begin` says when one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=FULL")
    finally:
        cursor.close()


def _limit_transactions(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_TRANSACTION_MS}")
    connection.commit()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another has written
    # meanwhile, without waiting: whoever will write says so before.
    writing = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


_VERSIONS = table("alembic_version", column("version_num"))


def revisions(connection: Connection) -> tuple[str | None, str]:
    """Revision of the schema, and the newest that this version knows."""
    current = None
    if inspect(connection).has_table(_VERSIONS.name):
        current = connection.scalar(select(_VERSIONS.c.version_num))
    return current, known_revisions()[-1]


@cache
def known_revisions() -> tuple[str, ...]:
    """Revisions that this version knows, oldest first."""
    scripts = resources.files("autotuner.store").joinpath("migrations", "versions").iterdir()
    names = (script.name.partition("_")[0] for script in scripts)
    return tuple(sorted(name for name in names if name.isdigit()))
