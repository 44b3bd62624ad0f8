"""Which workers live, as this process sees it: by its own clock, from how their beats grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autotuner.store.figures import KnownWorker

QUIET_S = 50.0
"""A worker whose beat has not grown for so long is taken for dead, here as by other workers."""


@dataclass(frozen=True)
class _Seen:
    beat: int
    at_s: float


class Liveness:
    """Remembers the beats that were seen. One that is seen for the first time is taken to live.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def quiet_s(self, workers: Iterable[KnownWorker]) -> dict[str, float]:
        """Worker -> seconds for which its beat has been seen not to grow."""
        now_s = self._clock()
        with self._lock:
            self._seen = {
                worker.id: before
                if (before := self._seen.get(worker.id)) is not None and before.beat == worker.beat
                else _Seen(worker.beat, now_s)
                for worker in workers
            }
            return {key: now_s - seen.at_s for key, seen in self._seen.items()}
