"""The lease of a task: its heartbeats from a thread, and the news that work has to end.

Threads give the heartbeats and watch the time, so that both go on while the event loop waits for
anything. Whoever holds a task gives it up by itself when no heartbeat could be written for
`WorkerTimes.give_up_s`, well before others take it for dead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session

from autotuner.errors import LaunchError, LeaseLostError, StoreError, StoreUnavailableError
from autotuner.launch import EngineHandle, reap
from autotuner.launch.processes import boot_time_s
from autotuner.store import Lease, Store
from autotuner.store.tasks import holds
from autotuner.store.workers import WorkerRecord, Workers
from autotuner.workers.heartbeat import WORKER_TIMES, PeriodicThread, WorkerTimes

CANCEL, PAUSE, SHUTDOWN, LOST = "cancel", "pause", "shutdown", "lost"
LEFT_BY_WORKERS = {
    CANCEL: ("cancelled", "cancelled by the user"),
    PAUSE: ("paused", "paused by the user"),
    SHUTDOWN: ("queued", "its worker was stopped"),
    LOST: ("queued", "its worker could not reach the database"),
}
"""Why work ends early -> the state that the task is left in, and the reason that is stored."""
_CHECKS = 20
"""How often the time is looked at within `WorkerTimes.give_up_s`."""
_LOG = logging.getLogger(__name__)


class TaskEngines:
    """The engines of one task, by their handles: stored, so that others can end what is left.

    Its methods may be called from any thread.
    """

    def __init__(self, kept: Workers, worker: WorkerRecord, task_id: int) -> None:
        self._kept = kept
        self._worker = worker
        self._task_id = task_id
        self._live: set[EngineHandle] = set()
        self._lock = threading.Lock()

    def started(self, handle: EngineHandle) -> None:
        """An engine was started.

        Raises:
            StoreError: it could not be recorded.
        """
        with self._lock:
            self._live.add(handle)
        self._kept.engine_started(self._worker, self._task_id, handle)

    def gone(self, handle: EngineHandle) -> None:
        """An engine has ended. A record that cannot be removed now is removed by whoever sees it
        next."""
        with self._lock:
            self._live.discard(handle)
        try:
            self._kept.engine_gone(self._worker.id, handle)
        except StoreError as error:
            _LOG.warning("that the %s has ended is not recorded yet: %s", handle, error)

    def stop_all(self) -> None:
        """Begins to end all of them at once, without waiting until they are gone."""
        with self._lock:
            live = tuple(self._live)
        for handle in live:
            threading.Thread(target=_end, args=(handle,), name=f"end of {handle}").start()


def _end(handle: EngineHandle) -> None:
    try:
        reap(handle)
    except LaunchError as error:
        _LOG.warning("%s", error)


class LeaseKeeper:
    """Keeps the lease of a task while its block runs, and says when the work has to end.

    Args:
        lease: as the queue gave it, just now.
        engines: stopped, from a thread, when the task is lost.
        clock: seconds since any moment; goes on while the machine sleeps.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        engines: TaskEngines,
        *,
        times: WorkerTimes = WORKER_TIMES,
        clock: Callable[[], float] = boot_time_s,
    ) -> None:
        self._queue = store.tasks
        self._lease = lease
        self._engines = engines
        self._times = times
        self._clock = clock
        self._renewed_s = clock()
        self._ending = ""
        self._is_lost = threading.Event()
        # A signal may interrupt its own holder.
        self._lock = threading.RLock()
        self._when_ended: Callable[[], None] | None = None
        self._threads = ExitStack()
        self.store = Store(store.sessions.guarded(self._guard, self._wait))
        """Writes of the task: they wait while the database is away, and end with the lease."""

    def __enter__(self) -> Self:
        task_id = self._lease.task.id
        heartbeats = PeriodicThread(
            self._give_heartbeat, self._times.heartbeat_s, name=f"heartbeat of task {task_id}"
        )
        every_s = self._times.give_up_s / _CHECKS
        checks = PeriodicThread(self._give_up_if_late, every_s, name=f"watch over task {task_id}")
        self._threads.enter_context(heartbeats)
        self._threads.enter_context(checks)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.close()

    @property
    def ending(self) -> str:
        """Why work has to end: `CANCEL`, `PAUSE`, `SHUTDOWN` or `LOST`; empty while it goes on."""
        return self._ending

    def end(self, why: str) -> None:
        """Work has to end. The first reason counts, but that the task is lost counts always."""
        with self._lock:
            is_first = not self._ending
            if is_first or why == LOST:
                self._ending = why
            act = self._when_ended if is_first else None
        if act is not None:
            act()
        if why == LOST:
            self._is_lost.set()
            self._engines.stop_all()

    def when_ended(self, act: Callable[[], None] | None) -> None:
        """Has `act` called once, from any thread, when work has to end; None takes that back."""
        with self._lock:
            self._when_ended = act
            is_late = bool(self._ending)
        if is_late and act is not None:
            act()

    def labels(self) -> dict[str, str]:
        """For the launcher: what an engine of this task is found by, beside its handle."""
        return {"task": str(self._lease.task.id), "lease": str(self._lease.number)}

    def engine_started(self, handle: EngineHandle) -> None:
        """For the launcher: an engine was started.

        Raises:
            LeaseLostError: the task is lost, and the engine must not live.
            StoreError: it cannot be recorded.
        """
        self.store.sessions.retrying(lambda: self._engines.started(handle))
        # Asked for afterwards: whoever ends this lease from now on knows the engine.
        self._refuse_when_lost()

    def engine_gone(self, handle: EngineHandle) -> None:
        """For the launcher: an engine has ended."""
        self._engines.gone(handle)

    def _give_heartbeat(self) -> None:
        began_s = self._clock()
        try:
            requested_action = self._queue.heartbeat(self._lease)
        except LeaseLostError:
            if not self._has_ended():
                self._lose("it was taken over")
            return
        except StoreError as error:
            _LOG.warning("task %d: no heartbeat: %s", self._lease.task.id, error)
            return
        self._renewed_s = began_s
        if requested_action:
            self.end(requested_action)

    def _has_ended(self) -> bool:
        """Whether it is nobody's because its holder, this process, has ended it."""
        try:
            now = self._queue.get(self._lease.task.id)
        except StoreError:
            return False
        return now is not None and now.lease == self._lease.number and now.status != "running"

    def _give_up_if_late(self) -> None:
        late_s = self._clock() - self._renewed_s
        if late_s > self._times.give_up_s:
            self._lose(f"no heartbeat could be written for {late_s:.0f} s")

    def _lose(self, why: str) -> None:
        if not self._is_lost.is_set():
            _LOG.warning("task %d is given up: %s", self._lease.task.id, why)
        self.end(LOST)

    def _guard(self, session: Session) -> None:
        self._refuse_when_lost()
        holds(self._lease.task.id, self._lease.number)(session)

    def _wait(self, error: StoreUnavailableError) -> None:
        self._refuse_when_lost()
        _LOG.warning("task %d waits: %s", self._lease.task.id, error)
        self._is_lost.wait(self._times.poll_s)

    def _refuse_when_lost(self) -> None:
        if self._is_lost.is_set():
            raise LeaseLostError(
                f"task {self._lease.task.id} is no longer this worker's",
                remedy="nothing: it goes on where it is taken up",
            )
