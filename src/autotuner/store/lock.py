"""Devices of this machine, held by one process at a time: two would spoil each other's figures.

The lock of a device is a file of the whole machine, whatever home and whatever user works there.
The operating system holds it, so it goes with the process that took it, however that ends.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from autotuner.errors import InUseError, StoreError

LOCKS = "AUTOTUNER_LOCKS"
"""Variable that names another folder for the locks, as where containers share GPUs."""
_OF_ALL_USERS = ("/run/lock", "/tmp")  # noqa: S108 - what is opened in it is checked
"""Folders in which every user may make files (the first one that is such a folder counts). Other
than TMPDIR they are the same for all; what lies in the first is not cleared by age."""
_FOLDER = "autotuner-devices"
_KINDS = {"task": "task", "worker": "worker", "run": "task"}
"""Holder of a device, as it is written -> as it is shown; former versions write `run`."""


def machine_locks() -> Path:
    """The folder in which this machine's devices are locked."""
    shared = next(filter(_takes_files_of_all, _OF_ALL_USERS), tempfile.gettempdir())
    return Path(shared) / _FOLDER


@contextmanager
def device_locks(
    devices: Sequence[str], name: str, *, kind: str = "task", folder: Path
) -> Iterator[None]:
    """Holds devices of this machine while the block runs.

    Args:
        devices: "cpu", or GPUs by index or unique name.
        name: of the holder, which is a `kind`, shown to others.
        folder: as `machine_locks` gives it; another stands for another machine.

    Raises:
        InUseError: another process holds one of them (named by its pid).
        StoreError: the folder cannot be used.
    """
    with ExitStack() as locks:
        for device in sorted(set(devices)):
            locks.enter_context(_held(folder, device, kind, name))
        yield


@contextmanager
def _held(folder: Path, device: str, kind: str, name: str) -> Iterator[None]:
    path = folder / f"{re.sub('[^A-Za-z0-9-]', '_', device)}.lock"
    try:
        _make_for_all(folder)
        file = _opened(path)
    except OSError as error:
        raise StoreError(
            f"devices cannot be locked in {folder}: {error.strerror or error}",
            remedy=f"make it a folder that all users may write to, or name another in {LOCKS}",
        ) from None
    with file:
        if not _try_lock(file):
            what = "the CPU" if device == "cpu" else f"GPU {device}"
            raise InUseError(
                f"{what} is in use by {_holder(file)}",
                remedy="wait until it ends, or use other devices",
            )
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "kind": kind, "name": name}, file)
        file.flush()
        yield


def _make_for_all(folder: Path) -> None:
    """The folder, for the use of every user (whatever the umask), each of whom keeps their files.

    Raises:
        OSError: it cannot be made, or another thing stands there.
    """
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o1777)
    except FileExistsError:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise NotADirectoryError(0, "it is no folder") from None


def _opened(path: Path) -> IO[str]:
    """The file at a path, made where it is not there; anyone may lock it and say who they are.

    Links are not followed: another user may have put them there.

    Raises:
        OSError: it is no file of its own, or may not be written.
    """
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        number = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        path.chmod(0o666)
    except FileExistsError:
        # Not with O_CREAT: kernels refuse that for another user's file in such a folder.
        number = os.open(path, flags)
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
        os.close(number)
        raise OSError(0, f"{path.name} is no file of its own")
    return os.fdopen(number, "r+", encoding="utf-8")


def _takes_files_of_all(folder: str) -> bool:
    try:
        mode = Path(folder).stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_IWOTH)


def _holder(file: IO[str]) -> str:
    try:
        file.seek(0)
        held = json.loads(file.read(4096))
        # Another user may have written anything there.
        return f"{_KINDS[held['kind']]} {str(held['name'])!r} (pid {int(held['pid'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another task"


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 20  # beyond the text, which a second taker has to be able to read

    def _try_lock(file: IO[str]) -> bool:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
