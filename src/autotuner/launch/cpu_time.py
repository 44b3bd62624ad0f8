"""CPU time of what is ours on this machine: of this process, of all below it, and of processes that
others start for us, as a daemon does those of a container."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from autotuner.launch.processes import Process, is_gone

_lock = threading.Lock()
_by_others: dict[Process, float] = {}
"""Process -> the CPU time of it and all below it, when that was last read."""
_ended_s = 0.0


def count_as_ours(process: Process) -> None:
    """Counts a process, which another than this one has started, and all below it from now on."""
    with _lock:
        _by_others.setdefault(process, 0.0)


def keep_as_it_is(process: Process) -> None:
    """Keeps the time of a process that is about to be ended by its parent: to be called before."""
    global _ended_s
    with _lock:
        if process in _by_others:
            _ended_s += _read_of_others(process)
            del _by_others[process]


def cpu_s_of_ours() -> float:
    """Seconds of all of it so far, ended processes that were waited for included."""
    with _lock:
        return _below(os.getpid()) + _ended_s + sum(map(_read_of_others, tuple(_by_others)))


def _read_of_others(root: Process) -> float:
    if not is_gone(root):
        _by_others[root] = max(_by_others[root], _below(root.pid))
    return _by_others[root]


def _below(pid: int) -> float:
    import psutil  # here: whoever launches nothing reads no counters

    total_s = 0.0
    with suppress(psutil.NoSuchProcess):  # it has just ended
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total_s += times.user + times.system + times.children_user + times.children_system
    return total_s
