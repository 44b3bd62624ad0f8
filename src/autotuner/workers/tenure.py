"""Holding a task: beats from a thread, and the news that its work has to end.

Threads beat and watch the time, so that both go on while the event loop waits for anything. The
one who holds a task gives it up by itself when it could not write a beat for `Pace.give_up_s`, well
before others take it for dead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session

from autotuner.errors import LeaseLostError, StoreError, StoreUnavailableError
from autotuner.store import Lease, Store
from autotuner.store.tasks import holds
from autotuner.workers.engines_here import EnginesHere
from autotuner.workers.identity import boot_time_s
from autotuner.workers.pace import PACE, Pace
from autotuner.workers.pulse import Pulse

CANCEL, PAUSE, SHUTDOWN, LOST = "cancel", "pause", "shutdown", "lost"
LEFT_BY_WORKERS = {
    CANCEL: ("cancelled", "cancelled by the user"),
    PAUSE: ("paused", "paused by the user"),
    SHUTDOWN: ("queued", "its worker was stopped"),
    LOST: ("queued", "its worker could not reach the database"),
}
"""Why work ends early -> the state that the task is left in, and the reason as it is told."""
_CHECKS = 20
"""How often the time is looked at within `Pace.give_up_s`."""
_LOG = logging.getLogger(__name__)


class Tenure:
    """The time in which this process works on a task: the block of this object.

    Args:
        lease: as the queue gave it, just now.
        engines: stopped, from a thread, when the task is lost.
        clock: seconds since any moment; goes on while the machine sleeps.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        engines: EnginesHere,
        *,
        pace: Pace = PACE,
        clock: Callable[[], float] = boot_time_s,
    ) -> None:
        self._queue = store.tasks
        self._lease = lease
        self._engines = engines
        self._pace = pace
        self._clock = clock
        self._renewed_s = clock()
        self._ending = ""
        self._is_lost = threading.Event()
        # A signal may interrupt its own holder.
        self._lock = threading.RLock()
        self._tell: Callable[[], None] | None = None
        self._pulses = ExitStack()
        self.store = Store(store.sessions.guarded(self._guard, self._wait))
        """Writes of the run: they wait while the database is away, and end with the tenure."""

    def __enter__(self) -> Self:
        task_id = self._lease.task.id
        beats = Pulse(self._beat, self._pace.beat_s, name=f"beat of task {task_id}")
        every_s = self._pace.give_up_s / _CHECKS
        checks = Pulse(self._give_up_if_late, every_s, name=f"watch over task {task_id}")
        self._pulses.enter_context(beats)
        self._pulses.enter_context(checks)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pulses.close()

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
            tell = self._tell if is_first else None
        if tell is not None:
            tell()
        if why == LOST:
            self._is_lost.set()
            self._engines.stop_all()

    def when_ended(self, tell: Callable[[], None] | None) -> None:
        """Has `tell` called once, from any thread, when work has to end; None takes that back."""
        with self._lock:
            self._tell = tell
            is_late = bool(self._ending) and tell is not None
        if is_late and tell is not None:
            tell()

    def engine_started(self, pid: int) -> None:
        """For the launcher: an engine was started.

        Raises:
            LeaseLostError: the task is lost, and the engine must not live.
            StoreError: it cannot be recorded.
        """
        self.store.sessions.retrying(lambda: self._engines.started(pid))
        # Asked for afterwards: whoever ends this tenure from now on knows the engine.
        self._refuse_when_lost()

    def engine_gone(self, pid: int) -> None:
        """For the launcher: an engine has ended."""
        self._engines.gone(pid)

    def _beat(self) -> None:
        began_s = self._clock()
        try:
            wanted = self._queue.beat(self._lease)
        except LeaseLostError:
            if not self._has_ended():
                self._lose("it was taken over")
            return
        except StoreError as error:
            _LOG.warning("task %d: no beat: %s", self._lease.task.id, error)
            return
        self._renewed_s = began_s
        if wanted:
            self.end(wanted)

    def _has_ended(self) -> bool:
        """Whether it is nobody's because its holder, this process, has ended it."""
        try:
            now = self._queue.get(self._lease.task.id)
        except StoreError:
            return False
        return now is not None and now.lease == self._lease.number and now.status != "running"

    def _give_up_if_late(self) -> None:
        late_s = self._clock() - self._renewed_s
        if late_s > self._pace.give_up_s:
            self._lose(f"no beat could be written for {late_s:.0f} s")

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
        self._is_lost.wait(self._pace.poll_s)

    def _refuse_when_lost(self) -> None:
        if self._is_lost.is_set():
            raise LeaseLostError(
                f"task {self._lease.task.id} is no longer this worker's",
                remedy="nothing: it goes on where it is taken up",
            )
