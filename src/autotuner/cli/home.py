"""The one folder in which all state lies, and the database where it lies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autotuner.store import Store

DATABASE = "AUTOTUNER_DATABASE"
"""Variable with the URL of a database to use in place of the file in the home; it may hold a
password, and is never shown."""
DATABASE_FILE = "autotuner.db"


def state_folder(given: Path | None) -> Path:
    """`--home` or AUTOTUNER_HOME where given, otherwise the platform's data folder."""
    if given is not None:
        return given.expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("inference-autotuner", appauthor=False)


def lock_folder() -> Path:
    """The folder in which devices are locked: AUTOTUNER_LOCKS, or the machine's own."""
    from autotuner.store import LOCKS, machine_locks

    named = os.environ.get(LOCKS)
    return Path(named).expanduser() if named else machine_locks()


def has_store(folder: Path) -> bool:
    """Whether there is a database to read: one that is named, or the file of an earlier task."""
    return bool(os.environ.get(DATABASE)) or (folder / DATABASE_FILE).exists()


def open_store(folder: Path) -> Store:
    """The store of a home, or the database that AUTOTUNER_DATABASE names; made where needed.

    Raises:
        StoreError: it cannot be opened.
    """
    from autotuner.store import Store

    return Store.open(folder, os.environ.get(DATABASE) or None)
