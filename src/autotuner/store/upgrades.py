"""Brings the schema of a database up or down, by Alembic's scripts in `store/migrations`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from autotuner.errors import StoreError
from autotuner.store.database import WRITING, revisions

_LOCK_KEY = 0x6175746F
"""Of PostgreSQL's advisory lock under which one process at a time upgrades the schema."""


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the schema to `revision`, up or down, wholly or not at all.

    A current one is only looked at.

    Raises:
        StoreError: the database was written by a newer version.
    """
    config = alembic_config()
    with engine.connect() as connection:
        current, newest = revisions(connection)
        if revision == "head" and current == newest:
            return
    with _changing_tables(engine) as connection:
        # Of two processes one waits and then finds the work done.
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
        current, newest = revisions(connection)
        if revision == "head" and current == newest:
            return
        config.attributes["connection"] = connection
        try:
            if _is_below(revision, current, config):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
        except CommandError:
            raise StoreError(
                f"the database has revision {current}, which this version does not know",
                remedy="use the version of autotuner that wrote it, or another --home",
            ) from None


@contextmanager
def _changing_tables(engine: Engine) -> Iterator[Connection]:
    """A transaction in which tables may be put in others' places.

    SQLite would delete the rows that refer to a table that is dropped; foreign keys are checked at
    the end instead, as its documentation has it for such changes (lang_altertable.html).

    Raises:
        StoreError: something refers to what is not there.
    """
    with engine.execution_options(**{WRITING: True}).connect() as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        raw = connection.connection.dbapi_connection
        assert raw is not None  # noqa: S101 - a connection that was just opened has one
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                before = _lost_references(connection)
                yield connection
                for table, other in _lost_references(connection) - before:
                    raise StoreError(
                        f"a row of {table} would refer to one of {other} that is not there",
                        remedy="nothing was changed; use the version that wrote the database",
                    )
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


def _lost_references(connection: Connection) -> set[tuple[str, str]]:
    """(table, table that it refers to) of rows that refer to what is not there."""
    found = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return {(row[0], row[2]) for row in found}


def _is_below(revision: str, current: str | None, config: Config) -> bool:
    if revision == "base":
        return True
    if current is None or revision == "head":
        return False
    older = ScriptDirectory.from_config(config).iterate_revisions(current, "base")
    return revision != current and revision in {script.revision for script in older}


def alembic_config() -> Config:
    """Alembic's configuration; the scripts travel inside the package."""
    config = Config()
    scripts = resources.files("autotuner.store").joinpath("migrations")
    config.set_main_option("script_location", str(scripts))
    return config
