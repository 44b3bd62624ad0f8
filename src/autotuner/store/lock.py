"""What one process of a machine has at a time: two at once would spoil each other's measurements.

The operating system holds a lock, so it goes with the process that took it, however that ends.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from autotuner.errors import InUseError, StoreError

CPU = "cpu"
_POLL_S = 0.2


@contextmanager
def home_lock(home: Path, run_name: str) -> Iterator[None]:
    """Holds this machine's CPU for tuning under `home` while the block runs.

    Raises:
        InUseError: another process holds it (named by its pid).
        StoreError: the folder is not writable.
    """
    with _held(home / "tune.lock", "run", run_name):
        yield


@contextmanager
def device_locks(home: Path, devices: Sequence[str], run_name: str) -> Iterator[None]:
    """Holds devices for a run: "cpu", or GPUs by their index. See `home_lock`."""
    with ExitStack() as locks:
        for device in sorted(devices):
            name = "tune.lock" if device == CPU else f"gpu-{device}.lock"
            locks.enter_context(_held(home / name, "run", run_name))
        yield


@contextmanager
def worker_lock(
    home: Path, devices: Sequence[str], worker_name: str, *, wait_s: float = 0.0
) -> Iterator[None]:
    """Holds devices for a worker for as long as it lives, whether it runs a task or not.

    Args:
        wait_s: for one that is about to end.

    Raises:
        InUseError: another worker has one of the devices (named by its pid).
    """
    deadline = time.monotonic() + wait_s
    with ExitStack() as locks:
        for device in sorted(devices):
            path = home / f"worker-{device}.lock"
            while True:
                try:
                    locks.enter_context(_held(path, "worker", worker_name))
                    break
                except InUseError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_POLL_S)
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
