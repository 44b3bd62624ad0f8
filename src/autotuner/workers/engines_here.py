"""The engines that this process has started: recorded, so that others can end what it leaves."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time

from autotuner.errors import StoreError
from autotuner.store.workers import WorkerRecord, Workers
from autotuner.workers.identity import Process, is_gone, process_of, session_members

_LOG = logging.getLogger(__name__)
_POLL_S = 0.05


class EnginesHere:
    """Knows the engines of one task by the wardens that stand before them (see `launch.warden`).

    Its methods may be called from any thread.
    """

    def __init__(self, kept: Workers, worker: WorkerRecord, task_id: int) -> None:
        self._kept = kept
        self._worker = worker
        self._task_id = task_id
        self._wardens: set[int] = set()
        self._lock = threading.Lock()

    def started(self, pid: int) -> None:
        """An engine was started.

        Raises:
            StoreError: it could not be recorded.
        """
        with self._lock:
            self._wardens.add(pid)
        self._kept.engine_started(
            self._worker, self._task_id, pid=pid, pid_started=process_of(pid).started
        )

    def gone(self, pid: int) -> None:
        """An engine has ended. A record that cannot be removed now is removed by whoever sees it
        next."""
        with self._lock:
            self._wardens.discard(pid)
        try:
            self._kept.engine_gone(self._worker.id, pid)
        except StoreError as error:
            _LOG.warning("that engine %d has ended is not recorded yet: %s", pid, error)

    def stop_all(self) -> None:
        """Tells all of them to end, at once and without waiting: their wardens see to it."""
        with self._lock:
            wardens = tuple(self._wardens)
        for pid in wardens:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def end_engine(warden: Process, stop_s: float) -> bool:
    """Ends an engine of this machine that another process has started, and waits until it is gone.

    Returns:
        Whether nothing of it is left.
    """
    if not is_gone(warden):
        _signal(warden.pid, signal.SIGTERM)
    if _ended(warden, stop_s):
        return True
    for pid in (*session_members(warden.pid), *(() if is_gone(warden) else (warden.pid,))):
        _signal(pid, signal.SIGKILL)
    return _ended(warden, stop_s)


def _ended(warden: Process, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not _is_nothing_left(warden):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _is_nothing_left(warden: Process) -> bool:
    if not is_gone(warden):
        return False
    # An id is not given out again as long as a session bears it.
    is_another = process_of(warden.pid).started not in (0, warden.started)
    return is_another or not session_members(warden.pid)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
