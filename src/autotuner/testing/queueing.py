"""The fake engine's speed: when each token of each request is due.

Requests wait in one line for a slot. The first token is due `ttft_ms` after a slot is taken, plus
`prefill_ms_per_token` for each prompt token; every further one `tpot_ms` after the one before, plus
`tpot_slope_ms` for each other request that runs then. No randomness, and due times build on due
times, so that lateness of the process does not add up.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """Speed of the fake engine; times in ms."""

    slots: int = 4
    ttft_ms: float = 20.0
    tpot_ms: float = 5.0
    tpot_slope_ms: float = 0.0
    prefill_ms_per_token: float = 0.0


@dataclass(eq=False)
class Job:
    """A request in the queue; `emit(index, last)` is called as each token is due."""

    prompt_tokens: int
    output_tokens: int
    emit: Callable[[int, bool], None]
    emitted: int = 0
    cancelled: bool = False


class RequestQueue:
    """First come, first served. All times are in seconds of the caller's clock."""

    def __init__(self, speed: Speed) -> None:
        self._speed = speed
        self._waiting: deque[Job] = deque()
        self._due: list[tuple[float, int, Job]] = []
        self._running: set[Job] = set()
        self._order = itertools.count()

    def submit(self, job: Job, now_s: float) -> None:
        """Puts a request in line."""
        self._waiting.append(job)
        self._admit(now_s)

    def cancel(self, job: Job, now_s: float) -> None:
        """The client has gone: frees the slot."""
        job.cancelled = True
        self._running.discard(job)
        self._admit(now_s)

    def next_due_s(self) -> float | None:
        """When `advance` has something to do; None while idle."""
        return self._due[0][0] if self._due else None

    def advance(self, now_s: float) -> None:
        """Emits every token that is due."""
        while self._due and self._due[0][0] <= now_s:
            due_s, _, job = heapq.heappop(self._due)
            if job.cancelled:
                continue
            job.emitted += 1
            last = job.emitted >= job.output_tokens
            if last:
                self._running.discard(job)
            else:
                self._schedule(job, due_s + self._step_s())
            job.emit(job.emitted - 1, last)
            if last:
                self._admit(due_s)

    def _admit(self, now_s: float) -> None:
        while self._waiting and len(self._running) < self._speed.slots:
            job = self._waiting.popleft()
            if job.cancelled:
                continue
            self._running.add(job)
            prefill_ms = self._speed.prefill_ms_per_token * job.prompt_tokens
            self._schedule(job, now_s + (self._speed.ttft_ms + prefill_ms) / 1000)

    def _schedule(self, job: Job, due_s: float) -> None:
        heapq.heappush(self._due, (due_s, next(self._order), job))

    def _step_s(self) -> float:
        others = max(len(self._running) - 1, 0)
        return (self._speed.tpot_ms + self._speed.tpot_slope_ms * others) / 1000
