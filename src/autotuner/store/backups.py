"""Backups of a database: where they lie, making one, and those that are there."""

from __future__ import annotations

import contextlib
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autotuner.errors import NotFoundError
from autotuner.store.maintenance import Database

_FOLDER = "backups"
"""Folder of the home in which backups lie where nobody says another place."""
_NAME = re.compile(r"autotuner-[0-9A-Za-z]+-[0-9-]+\.(db|dump)")


@dataclass(frozen=True)
class Backup:
    """A backup in the home's folder."""

    name: str
    size_bytes: int
    created_at: datetime


def backup_place(found: Database, folder: Path) -> Path:
    """Where a backup lies where nobody says another place."""
    current, _ = found.revisions()
    ending = "db" if found.file is not None else "dump"
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    return folder / _FOLDER / f"autotuner-{current or 'none'}-{stamp}.{ending}"


def backups_in(folder: Path) -> list[Backup]:
    """Backups in the home's folder, the newest first."""
    found = []
    for path in (folder / _FOLDER).glob("autotuner-*"):
        # Another request may have deleted it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if _NAME.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
                found.append(_described(path))
    return sorted(found, key=lambda backup: backup.created_at, reverse=True)


def backup_file(folder: Path, name: str) -> Path:
    """A backup by its name.

    Raises:
        NotFoundError: there is none.
    """
    path = folder / _FOLDER / name
    if not _NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        raise no_backup(name)
    return path


def delete_backup(folder: Path, name: str) -> None:
    """Deletes a backup for good.

    Raises:
        NotFoundError: there is none.
        OSError: the folder cannot be written.
    """
    path = backup_file(folder, name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise no_backup(name) from None  # another request deleted it


def made_backup(found: Database, folder: Path) -> Backup:
    """Backs a database up into the home's folder.

    Raises:
        StoreError: it cannot be read, or there is no pg_dump; names the command.
        OSError: the folder cannot be written.
    """
    target = backup_place(found, folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    found.backup(target)
    return _described(target)


def no_backup(name: str) -> NotFoundError:
    """Error that there is no backup of that name."""
    return NotFoundError(f"there is no backup {name!r}")


def _described(path: Path) -> Backup:
    facts = path.stat()
    return Backup(path.name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))
