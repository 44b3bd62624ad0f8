"""Which machine and which process this is, and whether a process of this machine still lives.

A process id is used again after a while, so a process is named by its id and the moment at which
it started, in clock ticks after the machine did; a machine by its name, its boot, and the name
space of process ids that its processes see (containers on one kernel have different ones).
"""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATE, _SESSION, _STARTED = 0, 3, 19
"""Fields of /proc/PID/stat after the command's name: proc(5) counts them 3, 6 and 22."""
_DEAD, _STOPPED = ("Z", "X"), ("T", "t")
_NAME_LENGTH, _BOOT_LENGTH = 200, 64


@dataclass(frozen=True)
class Machine:
    """A machine since it was last started; `boot` is empty where it cannot be told."""

    host: str
    boot: str


@dataclass(frozen=True)
class Process:
    """A process of a machine; `started` is 0 where it cannot be told."""

    pid: int
    started: int


@functools.cache
def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(platform.node()[:_NAME_LENGTH], _boot()[:_BOOT_LENGTH])


def process_of(pid: int) -> Process:
    """The process that has this id now."""
    fields = _stat(pid)
    return Process(pid, 0 if fields is None else int(fields[_STARTED]))


def is_gone(process: Process) -> bool:
    """Whether a process of this machine has certainly ended; False in doubt."""
    if Path("/proc/self/stat").exists():
        fields = _stat(process.pid)
        if fields is None or fields[_STATE] in _DEAD:
            return True
        return process.started not in (0, int(fields[_STARTED]))
    if sys.platform == "win32":
        return False  # asking there is done by a signal that ends it
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def is_stopped(process: Process) -> bool:
    """Whether a process of this machine was stopped, as by SIGSTOP; False where it cannot be
    told."""
    fields = _stat(process.pid)
    return fields is not None and fields[_STATE] in _STOPPED and not is_gone(process)


def session_members(leader: int) -> tuple[int, ...]:
    """Live processes of the session that `leader` began, which may be gone itself; Linux only."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(folder.name))
        if fields and int(fields[_SESSION]) == leader and fields[_STATE] not in _DEAD:
            found.append(int(folder.name))
    return tuple(found)


def boot_time_s() -> float:
    """Seconds since the machine started; those in which it slept count too, where it can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name stands in parentheses, and may hold some itself.
    return text.rpartition(")")[2].split()


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return _boot_of_macos() if sys.platform == "darwin" else ""


def _boot_of_macos() -> str:
    asked = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, timeout=5).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
