"""Revisions of the schema, read without Alembic: of a database, and those this version knows.

The scripts in `store/migrations/versions` stand in one line, in the order of their file names.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from sqlalchemy import Connection, column, inspect, select, table

_VERSIONS = table("alembic_version", column("version_num"))


def revisions(connection: Connection) -> tuple[str | None, str]:
    """What the schema is at, and the newest that this version knows."""
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
