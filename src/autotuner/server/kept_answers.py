"""Answers of daemons and clusters that are kept for some seconds: many who look ask once, and one
that hangs keeps nobody waiting for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_FORGOTTEN_AFTER_S = 600.0


class NoAnswerYetError(Exception):
    """Nothing has come within the wait, and nothing is known from before."""


@dataclass(frozen=True)
class AgedAnswer(Generic[T]):
    """An answer that was given `age_s` ago.

    Attributes:
        is_overdue: whether a newer one was waited for, which has not come.
    """

    value: T
    age_s: float
    is_overdue: bool


class KeptAnswers(Generic[T]):
    """Answers by what was asked for; its methods may be called from any thread.

    Each question has a thread of its own until its answer comes. A failure is kept as an answer is.

    Args:
        max_age_s: after which an answer is asked for again; one that took longer is kept for as
            long as it took.
        max_wait_s: from the question on, until the last answer has to do.
        clock: seconds since any moment.
    """

    def __init__(
        self,
        max_age_s: float,
        *,
        max_wait_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_age_s = max_age_s
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._known: dict[str, _Question[T]] = {}
        self._open: dict[str, _Question[T]] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, ask: Callable[[], T]) -> None:
        """Asks, unless the last answer is new enough or a question is open; waits for nothing."""
        with self._lock:
            self._begin(key, ask)

    def get(self, key: str, ask: Callable[[], T]) -> AgedAnswer[T]:
        """The answer to `ask`, or the one that is kept.

        Raises:
            NoAnswerYetError: see there.
            Exception: the one that `ask` raised.
        """
        with self._lock:
            awaited = self._begin(key, ask)
            left_s = 0.0 if awaited is None else self._left_s(awaited)
        if awaited is not None:
            awaited.is_over.wait(left_s)
        with self._lock:
            known, now_s = self._known.get(key), self._clock()
            is_overdue = awaited is not None and self._open.get(key) is awaited
        if known is None:
            raise NoAnswerYetError
        return AgedAnswer(known.answer.result(), now_s - known.ended_s, is_overdue)

    def _begin(self, key: str, ask: Callable[[], T]) -> _Question[T] | None:
        """The open question; None where the last answer is new enough."""
        now_s = self._clock()
        self._known = {
            one: known
            for one, known in self._known.items()
            if now_s - known.ended_s < _FORGOTTEN_AFTER_S
        }
        known = self._known.get(key)
        if known is not None and now_s - known.ended_s < max(self._max_age_s, known.took_s):
            return None
        if key not in self._open:
            question: _Question[T] = _Question(now_s)
            # It ends under the lock, so after this.
            threading.Thread(
                target=self._ask, args=(key, question, ask), name=f"asks {key}", daemon=True
            ).start()
            self._open[key] = question
        return self._open[key]

    def _ask(self, key: str, question: _Question[T], ask: Callable[[], T]) -> None:
        try:
            question.answer.set_result(ask())
        except BaseException as error:
            question.answer.set_exception(error)
        with self._lock:
            question.ended_s = self._clock()
            self._known[key] = self._open.pop(key)
        question.is_over.set()

    def _left_s(self, question: _Question[T]) -> float:
        return max(0.0, question.begun_s + self._max_wait_s - self._clock())


class _Question(Generic[T]):
    """A question from when it is asked on; its answer is a value or an error."""

    def __init__(self, begun_s: float) -> None:
        self.begun_s = self.ended_s = begun_s
        self.answer: Future[T] = Future()
        self.is_over = threading.Event()

    @property
    def took_s(self) -> float:
        """Seconds from the question to its answer."""
        return self.ended_s - self.begun_s
