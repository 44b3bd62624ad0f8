"""Liveness of workers, as one process sees it: by its own clock, from heartbeats that grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autotuner.store.maintenance import KnownWorker

DEAD_AFTER_S = 50.0
"""A worker whose heartbeat has not grown for so long counts as dead, here as for other workers."""


@dataclass(frozen=True)
class _Seen:
    heartbeat: int
    at_s: float


class Liveness:
    """Remembers the heartbeats of workers; one that is new counts as alive.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def heartbeat_age_s(self, workers: Iterable[KnownWorker]) -> dict[str, float]:
        """Worker, of all that are known, -> seconds since its heartbeat was last seen to grow."""
        now_s = self._clock()
        with self._lock:
            self._seen = {
                worker.id: before
                if (before := self._seen.get(worker.id)) is not None
                and before.heartbeat == worker.heartbeat
                else _Seen(worker.heartbeat, now_s)
                for worker in workers
            }
            return {key: now_s - seen.at_s for key, seen in self._seen.items()}

    def alive(self, workers: Iterable[KnownWorker]) -> tuple[KnownWorker, ...]:
        """Those of all known workers that are alive."""
        known = tuple(workers)
        ages_s = self.heartbeat_age_s(known)
        return tuple(worker for worker in known if ages_s[worker.id] < DEAD_AFTER_S)
