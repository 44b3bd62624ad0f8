"""Processes of this machine: which one an id names, whether it still lives, and how it is ended.

A process id is used again after a while, so a process is named by its id and the moment at which
it started, in hundredths of a second after the machine did (Linux's clock ticks, proc(5)): a wall
clock that is set does not change that. A machine is named by its name, its boot, and the name space
of process ids that its processes see (containers on one kernel have different ones).
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = 100
_DEAD, _STOPPED = ("zombie", "dead"), ("stopped", "tracing-stop")
"""psutil's words for the state of a process."""
_POLL_S = 0.05
_NAME_LENGTH, _BOOT_LENGTH = 200, 64


@dataclass(frozen=True)
class Machine:
    """A machine since it was last started; `boot` is empty where it is not known."""

    host: str
    boot: str


@dataclass(frozen=True)
class Process:
    """A process of a machine; `started` is 0 where it is not known."""

    pid: int
    started: int


@functools.cache
def this_machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(platform.node()[:_NAME_LENGTH], _boot()[:_BOOT_LENGTH])


def process_of(pid: int) -> Process:
    """The process that has this id now."""
    started, _ = _seen(pid) or (0, "")
    return Process(pid, started)


def is_gone(process: Process) -> bool:
    """Whether a process of this machine has certainly ended; False where it may live."""
    seen = _seen(process.pid)
    if seen is None or seen[1] in _DEAD:
        return True
    return 0 not in (process.started, seen[0]) and process.started != seen[0]


def is_stopped(process: Process) -> bool:
    """Whether a process of this machine was stopped, as by SIGSTOP; False where it is not
    known."""
    _, state = _seen(process.pid) or (0, "")
    return state in _STOPPED and not is_gone(process)


def session_members(leader: int) -> tuple[int, ...]:
    """Live processes of the session that `leader` began, which may be gone itself."""
    import psutil

    members = (pid for pid in psutil.pids() if _session(pid) == leader)
    return tuple(pid for pid in members if not is_gone(process_of(pid)))


def end_session(leader: Process, *, within_s: float) -> bool:
    """Ends a process of this machine and the session that it leads, and waits until they are gone.

    First the leader is asked to (SIGTERM); what is left after `within_s` is killed. A process that
    has taken over the leader's id meanwhile is left alone.

    Returns:
        Whether nothing is left; False where it still is after another `within_s`.
    """
    if not is_gone(leader):
        _signal(leader.pid, signal.SIGTERM)
    if _has_ended(leader, within_s):
        return True
    for pid in (*_members_of(leader), *(() if is_gone(leader) else (leader.pid,))):
        _signal(pid, signal.SIGKILL)
    return _has_ended(leader, within_s)


def boot_time_s() -> float:
    """Seconds since the machine started; those asleep count too, where its clock has them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _seen(pid: int) -> tuple[int, str] | None:
    """When the process of this id started (as in `Process`), and its state; None: there is none."""
    import psutil  # here: most commands ask after no process

    try:
        found = psutil.Process(pid)
        boot_s = psutil.boot_time()
        started = round((found.create_time() - boot_s) * _TICKS_PER_S)
        # Both moments are by the wall clock, which may have been set between them.
        return started if psutil.boot_time() == boot_s else 0, found.status()
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return 0, ""


def _has_ended(leader: Process, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not is_gone(leader) or _members_of(leader):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _members_of(leader: Process) -> tuple[int, ...]:
    """Live processes of the session that `leader` leads, or led.

    An id is not given out again as long as a session bears it: where another process has it, the
    session is over.
    """
    if process_of(leader.pid).started not in (0, leader.started):
        return ()
    return session_members(leader.pid)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None  # it has ended meanwhile, or must not be asked


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
