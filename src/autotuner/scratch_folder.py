"""Temporary folders that outlive no process for long.

A process that is killed removes nothing. So each holds a lock in its folder, and whoever makes the
next folder of that kind removes those whose lock nobody holds.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_LOCK = ".lock"


class ScratchFolder:
    """A folder of this process alone; it goes when its block is left, and with the process.

    Attributes:
        path: where it lies, among the machine's temporary files.

    Args:
        kind: begins its name, after `autotuner-`; those of one kind remove each other's.
    """

    def __init__(self, kind: str) -> None:
        prefix = f"autotuner-{kind}-"
        _remove_left(prefix)
        self.path, lock = _made(prefix)
        self._remove = weakref.finalize(self, _removed, self.path, lock)

    def close(self) -> None:
        """Removes it with all that is in it."""
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _made(prefix: str) -> tuple[Path, int]:
    """A new folder, and its lock, which is held."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            is_locked = _try_lock(lock)
        except OSError:  # no locks on this file system: nobody removes anything
            return folder, lock
        # Another one may have found it before its lock was held, and removed it.
        if is_locked and (folder / _LOCK).exists():
            return folder, lock
        os.close(lock)


def _removed(folder: Path, lock: int) -> None:
    os.close(lock)
    shutil.rmtree(folder, ignore_errors=True)


if sys.platform == "win32":

    def _try_lock(lock: int) -> bool:
        return True

    def _remove_left(prefix: str) -> None:
        """Removes nothing: its locks would keep files from being removed."""

else:
    import fcntl

    def _try_lock(lock: int) -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _remove_left(prefix: str) -> None:
        """Removes this user's folders of a kind whose processes have ended."""
        for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            try:
                about = folder.lstat()
                if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
                    continue
                lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:
                continue  # it has no lock yet, or is being removed
            with os.fdopen(lock, "rb"), suppress(OSError):
                if _try_lock(lock):
                    shutil.rmtree(folder, ignore_errors=True)
