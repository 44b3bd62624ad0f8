"""A private copy of a SQLite file that others may be writing to; the file itself is only read.

To open it with SQLite would create files beside it, and might write its log back into it. So its
bytes are copied, with those of the log beside it, until nothing has changed meanwhile.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autotuner.errors import MigrationError
from autotuner.scratch_folder import ScratchFolder

_BESIDE = ("-wal", "-journal")
"""Ends of the names of what SQLite has written and not yet put into the file."""
_MAGIC = b"SQLite format 3\0"
_TRIES = 23
_PAUSE_S, _LONGEST_PAUSE_S = 0.025, 0.25
"""Before a second copy, which settles a file that was written just before, and between later ones:
each is twice the one before it."""
_TICK_NS = 20_000_000


@dataclass(frozen=True)
class FileCopy:
    """A copy of a file: `path` is where it lies, `sha256` that of the file itself."""

    path: Path
    sha256: str


@contextmanager
def snapshot_of(source: Path) -> Iterator[FileCopy]:
    """A copy that is there until the end.

    Raises:
        MigrationError: there is no such file, it cannot be read, or it is no SQLite file.
    """
    _require_sqlite(source)
    with ScratchFolder("v1") as folder:
        copy = folder.path / "v1.db"
        try:
            _copy_quietly(source, copy)
        except OSError as error:
            raise MigrationError(
                f"{source} cannot be copied: {error.strerror}",
                remedy="see that it may be read, and that the folder of TMPDIR has room for it",
            ) from None
        yield FileCopy(copy, sha256_of(copy))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_sqlite(source: Path) -> None:
    try:
        with source.open("rb") as file:
            begins = file.read(len(_MAGIC))
    except OSError as error:
        raise MigrationError(
            f"{source} cannot be read: {error.strerror}",
            remedy="name the file of version 1, such as ~/.local/share/autotuner/autotuner.db",
        ) from None
    if begins != _MAGIC:
        what = "is empty" if not begins else "is no SQLite file"
        raise MigrationError(
            f"{source} {what}", remedy="name the database file of version 1 (autotuner.db)"
        )


def _copy_quietly(source: Path, copy: Path) -> None:
    pause_s = _PAUSE_S
    for _ in range(_TRIES):
        before, began_ns = _states(source), time.time_ns()
        for end in ("", *_BESIDE):
            target = copy.with_name(copy.name + end)
            target.unlink(missing_ok=True)
            beside = source.with_name(source.name + end)
            if beside.exists():
                shutil.copyfile(beside, target)
        # A change in the same tick of the clock that dates files would not be seen.
        settled = all(s is None or abs(began_ns - s[1]) > _TICK_NS for s in before)
        if settled and _states(source) == before:
            return
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    raise MigrationError(
        f"{source} changes all the time: no copy of one moment could be taken",
        remedy="stop version 1 for as long as the copy takes, and try again",
    )


def _states(source: Path) -> list[tuple[int, int, int] | None]:
    found: list[tuple[int, int, int] | None] = []
    for end in ("", *_BESIDE):
        try:
            state = source.with_name(source.name + end).stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((state.st_size, state.st_mtime_ns, state.st_ino))
    return found
