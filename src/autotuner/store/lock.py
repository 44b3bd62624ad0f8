"""What one process of a machine has at a time: two at once would spoil each other's measurements.

The operating system holds a lock, so it goes with the process that took it, however that ends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from autotuner.errors import InUseError, StoreError

CPU = "cpu"


@contextmanager
def device_locks(
    home: Path, devices: Sequence[str], name: str, *, kind: str = "run"
) -> Iterator[None]:
    """Holds devices of this machine for work under `home` while the block runs.

    Args:
        devices: "cpu", or GPUs by their index.
        name: of the holder, which is a `kind`, as others are told.

    Raises:
        InUseError: another process holds one of them (named by its pid).
        StoreError: the folder is not writable.
    """
    with ExitStack() as locks:
        for device in sorted(devices):
            file = "tune.lock" if device == CPU else f"gpu-{device}.lock"
            locks.enter_context(_held(home / file, kind, name))
        yield


@contextmanager
def _held(path: Path, kind: str, name: str) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} cannot be used: {error.strerror}",
            remedy="choose another with --home or AUTOTUNER_HOME",
        ) from None
    with file:
        if not _try_lock(file):
            raise InUseError(
                f"{path.parent} is in use by {_holder(path)}",
                remedy="wait until it ends, or use another --home",
            )
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "kind": kind, "name": name}, file)
        file.flush()
        yield


def home_in_use(home: Path) -> bool:
    """Whether a tuner works on `home` now: a run that says so may be one that was killed."""
    try:
        with (home / "tune.lock").open("a+", encoding="utf-8") as file:
            return not _try_lock(file)
    except OSError:
        return False


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return f"{held['kind']} {held['name']!r} (pid {held['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"


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
