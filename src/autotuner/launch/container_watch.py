"""Follows a container: its output goes to a file, and how it ended is kept."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from autotuner.launch.docker_daemon import (
    DockerDaemon,
    DockerRefusedError,
)
from autotuner.launch.docker_failures import DockerUnavailableError

_POLL_S = 0.02
_STILL_ENDING_S = 5.0
_SIGNAL_NOTED_S = 0.5
"""A daemon notes a signal that it sends after it has sent it."""
_KILLED = 137
_LIVE = ("running", "paused", "restarting")


@dataclass(frozen=True)
class ContainerEnd:
    """How a container ended.

    Attributes:
        exit_code: 128 + n where signal n ended it.
        out_of_memory: whether the kernel killed it for its memory.
        cause: why it says nothing of the engine in it; empty where it does.
    """

    exit_code: int
    out_of_memory: bool = False
    cause: str = ""


class ContainerWatch:
    """Watches one container from a thread, until it has ended.

    Args:
        log: where its output goes; closed in the end.
    """

    def __init__(self, daemon: DockerDaemon, name: str, log: IO[bytes]) -> None:
        self._daemon = daemon
        self._name = name
        self._log = log
        self._end: ContainerEnd | None = None
        self._is_silent = threading.Event()
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"log of {name}", daemon=True)
        self._thread.start()

    @property
    def end(self) -> ContainerEnd | None:
        """None while it lives, or it is not known yet how it ended."""
        return self._end

    def until_known(self) -> None:
        """Waits, where its output has ended, until it is known whether the container has, too."""
        while self._is_silent.is_set() and not self._has_ended.wait(_POLL_S):
            pass

    def wait(self, timeout_s: float) -> None:
        """Waits until it has ended and all of its output is written, or the time is over."""
        self._has_ended.wait(timeout_s)

    def _watch(self) -> None:
        try:
            self._follow()
        finally:
            if self._end is None:
                self._end = ContainerEnd(_KILLED, cause="it could not be followed to its end")
            self._has_ended.set()

    def _follow(self) -> None:
        since_s = 0.0
        # A full disk is met again when what is buffered is written at last.
        with suppress(OSError), self._log:
            while self._end is None:
                self._copy(since_s)
                stopped_s = time.time()
                self._is_silent.set()
                self._end = self._seen_end()
                if self._end is None:
                    self._is_silent.clear()
                    since_s = self._on_its_clock(stopped_s)

    def _copy(self, since_s: float) -> None:
        try:
            for fragment in self._daemon.follow(self._name, since_s=since_s):
                self._log.write(fragment)
                self._log.flush()
        except (DockerUnavailableError, DockerRefusedError, OSError):
            return  # why, is seen in a moment

    def _on_its_clock(self, at_s: float) -> float:
        """A moment on the daemon's clock, by which it stamps what containers say."""
        try:
            return at_s + self._daemon.clock_ahead_s()
        except (DockerUnavailableError, DockerRefusedError):
            return at_s  # it says so again in a moment

    def _seen_end(self) -> ContainerEnd | None:
        """How it ended; None where it still lives after a while."""
        deadline = time.monotonic() + _STILL_ENDING_S
        while time.monotonic() < deadline:
            try:
                found = self._daemon.container_if_there(self._name)
                if found is None:
                    return ContainerEnd(_KILLED, cause="its container was removed by others")
                state = found["State"]
                if state["Status"] not in _LIVE:
                    return self._as_ended(state)
            except DockerUnavailableError as error:
                return ContainerEnd(_KILLED, cause=f"the daemon went away: {error.message}")
            except DockerRefusedError as error:
                return ContainerEnd(_KILLED, cause=f"the daemon cannot say why: {error.message}")
            time.sleep(_POLL_S)
        return None

    def _as_ended(self, state: dict[str, object]) -> ContainerEnd:
        code = int(str(state.get("ExitCode") or 0))
        if state.get("OOMKilled"):
            return ContainerEnd(code, out_of_memory=True)
        ended_s = datetime.fromisoformat(str(state["FinishedAt"])).timestamp()
        if self._daemon.was_signalled(self._name, until_s=ended_s + _SIGNAL_NOTED_S):
            return ContainerEnd(code, cause="the daemon ended its container, or was asked to")
        return ContainerEnd(code)
