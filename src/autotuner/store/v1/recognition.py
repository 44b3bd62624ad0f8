"""How a database of version 1 is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

V1_COLUMNS: Mapping[str, frozenset[str]] = {
    "tasks": frozenset(("id", "task_name", "base_runtime", "model_config", "parameters")),
    "experiments": frozenset(("id", "task_id", "experiment_id", "parameters")),
}
"""Table -> columns that it has in every schema of version 1."""
OURS = "tasks_v2"
"""A table that only databases of version 2 have."""


def is_v1(tables: Mapping[str, Collection[str]]) -> bool:
    """Whether a database with these tables and columns is one of version 1."""
    known = all(columns <= set(tables.get(name, ())) for name, columns in V1_COLUMNS.items())
    return known and OURS not in tables


def is_v1_file(file: Path) -> bool:
    """Whether a file is one of version 1; it is only read, and may be none or be damaged."""
    if not file.is_file():
        return False
    # Where there is a log, what is in it counts too; else nothing is made beside the file.
    logged = file.with_name(f"{file.name}-wal").exists()
    address = f"{file.resolve().as_uri()}?mode=ro{'' if logged else '&immutable=1'}"
    columns = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
    found: dict[str, set[str]] = {}
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            for table, column in connection.execute(f"{columns} WHERE m.type = 'table'"):
                found.setdefault(table, set()).add(column)
    except sqlite3.DatabaseError:
        return False  # whoever opens it next says what is wrong
    return is_v1(found)
