"""A worker as a child process, that ends with the process that started it, however that ends.

The child's standard input is a pipe whose other end only its parent holds: the kernel closes it
with the parent, `kill -9` included, and the child then stops as it does when asked to. A child that
ends although nobody asked it to is started again, later each time.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_STOP_S = 30.0
"""For a child to stop its engine and give its task back."""
_LOG = logging.getLogger(__name__)


class WorkerChild:
    """Keeps one child alive while its block runs.

    Args:
        argv: the program and its words.
        environment: of the child.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._argv = list(argv)
        self._environment = dict(environment)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._process = self._started()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        self._thread.join(_STOP_S)
        if self._thread.is_alive() and process is not None:
            _LOG.warning("worker %d does not stop; it is killed", process.pid)
            process.kill()
            self._thread.join()

    def _supervise(self) -> None:
        wait_s = _FIRST_WAIT_S
        while self._process is not None:
            code = self._process.wait()
            if self._stopping.is_set():
                return
            _LOG.warning("the worker has ended with %d; it starts again in %g s", code, wait_s)
            if self._stopping.wait(wait_s):
                return
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        # In a session of its own: a Ctrl-C is its parent's to pass on.
        return subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,
        )


def when_parent_ends(act: Callable[[], None]) -> None:
    """In the child: calls `act`, from a thread, when the parent has gone or closed the pipe."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        act()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def when_asked_to_stop(act: Callable[[], None]) -> None:
    """Calls `act`, from a thread, when a signal asks this process to end, or announces its end."""
    import _thread

    def stop(_number: int, _frame: object) -> None:
        # Not here: a signal may interrupt whoever holds a lock that `act` wants.
        _thread.start_new_thread(act, ())

    for number in (signal.SIGINT, signal.SIGTERM, *_OF_POSIX):
        signal.signal(number, stop)


_OF_POSIX = (signal.SIGHUP, signal.SIGUSR1) if hasattr(signal, "SIGUSR1") else ()
"""A terminal that closes; the warning that Slurm's `--signal=USR1` gives before the walltime."""
