"""Builds a small database of version 1: `python examples/v1/build.py v1.db`.

Its schema is `schema.sql`, its rows `rows.sql`: three tasks of `tasks/` as version 1 kept them, two
of them with results.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Writes the database to a path that is free."""
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/v1/build.py PATH")
    path = Path(sys.argv[1])
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        sys.exit(f"{path} is there already; give a path that is free")
    except OSError as error:
        sys.exit(f"{path} cannot be written: {error.strerror}")
    with closing(sqlite3.connect(path)) as database:
        for name in ("schema.sql", "rows.sql"):
            database.executescript((HERE / name).read_text("utf-8"))


if __name__ == "__main__":
    main()
