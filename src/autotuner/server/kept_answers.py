"""Answers of others that are kept for some seconds, so that many who look ask once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class KeptAnswers(Generic[T]):
    """Answers by what was asked for; its method may be called from any thread.

    Args:
        most_age_s: after which an answer is asked for again.
        clock: seconds since any moment.
    """

    def __init__(self, most_age_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_age_s = most_age_s
        self._clock = clock
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, ask: Callable[[], T]) -> T:
        """The answer to `ask`, or the one that is kept; whoever comes meanwhile waits for it."""
        with self._lock:
            now_s = self._clock()
            self._kept = {
                one: kept for one, kept in self._kept.items() if now_s - kept[0] < self._most_age_s
            }
            if key not in self._kept:
                answer = ask()
                self._kept[key] = (self._clock(), answer)
            return self._kept[key][1]
