"""Processes of this machine that tests have started, found by a mark in their environment."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence

import psutil

from autotuner.launch.devices import allowed_gpus

MARK = "AUTOTUNER_CONTRACT_MARK"
"""Variable that everything inherits which a marked launch starts."""
_GUARD = "supervisor.py"


def processes(mark: str) -> dict[int, str]:
    """Live processes that carry `mark`: pid -> command line."""
    # What cannot be read is None: it has ended meanwhile, or is another user's.
    return {
        found.pid: " ".join(found.info["cmdline"] or ())
        for found in psutil.process_iter(["environ", "cmdline"])
        if (found.info["environ"] or {}).get(MARK) == mark
    }


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty once it has ended."""
    try:
        return psutil.Process(pid).environ()
    except psutil.Error:
        return {}


def port_is_free(port: int) -> bool:
    """Whether nobody listens on `port` of the loopback."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


class LocalProcesses:
    """Hooks of the launcher contract where engines are processes of this machine."""

    def left(self, mark: str) -> Sequence[str]:
        """Command lines of what is still there."""
        return list(processes(mark).values())

    def visible_gpus(self, mark: str) -> tuple[str, ...] | None:
        """The GPUs that the environment of every process leaves it."""
        (seen,) = {allowed_gpus(environment_of(pid)) for pid in processes(mark)}
        return seen

    def kill_engine(self, mark: str) -> bool:
        """Kills the engine, and not its supervisor."""
        for pid, command in processes(mark).items():
            if _GUARD not in command:
                os.kill(pid, signal.SIGKILL)
        return True
