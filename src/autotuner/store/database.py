"""Opens the database: SQLite in WAL mode, brought to the newest revision."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from autotuner.errors import StoreError

FILE_NAME = "autotuner.db"
_BUSY_TIMEOUT_MS = 10_000


def open_database(home: Path) -> Engine:
    """The database of `home`, created or upgraded where needed.

    Raises:
        StoreError: the folder cannot be written, or the file is no database of ours.
    """
    path = home / FILE_NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder {home} cannot be used: {error.strerror}",
            remedy="choose another with --home or AUTOTUNER_HOME",
        ) from None
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _configure)
    with translated_errors(path):
        migrate(engine)
    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the schema to `revision`, wholly or not at all; a current one is only looked at.

    Raises:
        StoreError: the database was written by a newer version.
    """
    config = alembic_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        if revision == "head" and _revision(connection) == newest:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            # Left alone, the driver opens no transaction before CREATE TABLE: a process killed
            # between two would leave a schema that nothing can upgrade. Immediate, so that of two
            # processes one waits and then finds the work done.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        current = _revision(connection)
        if revision == "head" and current == newest:
            return
        config.attributes["connection"] = connection
        try:
            if revision == "base":
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
        except CommandError:
            raise StoreError(
                f"the database has revision {current}, which this version does not know",
                remedy="use the version of autotuner that wrote it, or another --home",
            ) from None


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def alembic_config() -> Config:
    """Alembic's configuration; the scripts travel inside the package."""
    config = Config()
    scripts = resources.files("autotuner.store").joinpath("migrations")
    config.set_main_option("script_location", str(scripts))
    return config


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turns what a database says into a `StoreError` that names the file and the remedy."""
    try:
        yield
    except SQLAlchemyError as error:
        if not isinstance(error, DatabaseError):
            raise
        raise _store_error(path, str(error.orig)) from error
    except sqlite3.DatabaseError as error:
        raise _store_error(path, str(error)) from error


def _store_error(path: Path, said: str) -> StoreError:
    remedies = {
        "readonly": "make it writable, or choose another place with --home",
        "full": "free some space; what was stored before is kept",
        "locked": "another program holds it; end that one and try again",
        "not a database": "it is no database: move it away, or choose another --home",
        "unable to open": "check that the path is a folder you may write to",
        "malformed": "it is damaged: restore a backup, or choose another --home",
    }
    remedy = next((text for word, text in remedies.items() if word in said), "check the disk")
    return StoreError(f"the store {path} cannot be used: {said}", remedy=remedy)


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=FULL")
    finally:
        cursor.close()
