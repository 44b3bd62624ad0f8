"""Moving, comparing and undoing, as tests ask for them; and looking at what lies on either side."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import text

from autotuner.migrate.database import Observer, Report, UnitChoice, move, opened
from autotuner.migrate.database.comparison import MovedComparison
from autotuner.migrate.database.verify import verify
from autotuner.store import Store

OBSERVER = Observer(Path("/nonexistent"))


def moved(source: Path, store: Store, **choice: Any) -> Report:
    with opened(source) as v1:
        return move(v1, store, UnitChoice(**choice), OBSERVER)[1]


def compared(source: Path, store: Store, **choice: Any) -> MovedComparison:
    with opened(source) as v1:
        return verify(v1, store, UnitChoice(**choice))


def undone(store: Store, *, force: bool = False) -> int:
    newest = store.migrations.all()[0]
    return sum(step.removed for step in store.migrations.undo(newest.id, force=force))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed(source: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(statement, values)
        connection.commit()


def content(store: Store) -> dict[str, list[Any]]:
    tables = ("tasks", "experiments", "parameter_presets", "tasks_v2", "experiments_v2")
    more = ("measurements", "observations", "profiles", "events", "migrated_rows")
    with store.sessions.reading() as session:
        return {
            name: list(map(tuple, session.execute(text(f"SELECT * FROM {name} ORDER BY 1"))))  # noqa: S608
            for name in (*tables, *more)
        }
