"""Watches the load generator itself: is it the engine that is measured, or the client?"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

# A stall that is shorter than this is seen in part only.
_PERIOD_S = 0.01
_BUSY_CPU_SHARE = 0.85
_WORST_FLOOR_MS = 25.0
_WORST_SHARE = 0.25
_LAG_FLOOR_MS = 1.0
_LAG_SHARE = 0.02
# epoll waits in whole milliseconds, rounded up: half of one on average is no lag of ours.
_TIMER_GRAIN_MS = 0.5


class ClientWatch:
    """Measures the loop's CPU time and lag while its block runs, on the thread of that loop."""

    def __init__(self) -> None:
        self._lags_s: list[float] = []
        self._probe: asyncio.Task[None]
        self._wall_s = self._cpu_s = 0.0

    async def __aenter__(self) -> Self:
        self._probe = asyncio.create_task(self._watch())
        self._wall_s, self._cpu_s = -time.perf_counter(), -time.thread_time()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wall_s += time.perf_counter()
        self._cpu_s += time.thread_time()
        self._probe.cancel()

    @property
    def cpu_share(self) -> float:
        """CPU seconds of the loop's thread per second."""
        return self._cpu_s / self._wall_s if self._wall_s > 0 else 0.0

    @property
    def lag_ms(self) -> float:
        """Mean delay of the event loop beyond its timer's grain."""
        if not self._lags_s:
            return 0.0
        return max(sum(self._lags_s) / len(self._lags_s) * 1000 - _TIMER_GRAIN_MS, 0.0)

    @property
    def worst_lag_ms(self) -> float:
        """Longest delay of the event loop beyond its timer's grain."""
        return max(max(self._lags_s, default=0.0) * 1000 - _TIMER_GRAIN_MS, 0.0)

    def is_bottleneck(self, ttft_ms: float | None) -> bool:
        """Whether the client was late enough to set the figures itself.

        A mean hides the stall that a few requests or a percentile show, so the worst lag is judged
        too: by its share of a TTFT.
        """
        bearable_ms = max(_LAG_FLOOR_MS, _LAG_SHARE * (ttft_ms or 0.0))
        worst_ms = max(_WORST_FLOOR_MS, _WORST_SHARE * (ttft_ms or 0.0))
        return (
            self.cpu_share > _BUSY_CPU_SHARE
            or self.lag_ms > bearable_ms
            or self.worst_lag_ms > worst_ms
        )

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _PERIOD_S
            await asyncio.sleep(_PERIOD_S)
            self._lags_s.append(loop.time() - due_s)
