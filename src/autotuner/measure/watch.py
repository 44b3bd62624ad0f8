"""Watches the load generator itself: is it the engine that is measured, or the client?"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

_PERIOD_S = 0.05
_BUSY_CPU_SHARE = 0.85
_LAG_FLOOR_MS = 1.0
_LAG_SHARE = 0.02
# epoll waits in whole milliseconds, rounded up: half of one on average is no lag of ours.
_TIMER_GRAIN_MS = 0.5


class ClientWatch:
    """Measures CPU time and event-loop lag while its block runs."""

    def __init__(self) -> None:
        self._lags_s: list[float] = []
        self._probe: asyncio.Task[None]
        self._wall_s = self._cpu_s = 0.0

    async def __aenter__(self) -> Self:
        self._probe = asyncio.create_task(self._watch())
        self._wall_s, self._cpu_s = -time.perf_counter(), -time.process_time()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wall_s += time.perf_counter()
        self._cpu_s += time.process_time()
        self._probe.cancel()

    @property
    def cpu_share(self) -> float:
        """CPU seconds of this process per second."""
        return self._cpu_s / self._wall_s if self._wall_s > 0 else 0.0

    @property
    def lag_ms(self) -> float:
        """Mean delay of the event loop beyond its timer's grain."""
        if not self._lags_s:
            return 0.0
        return max(sum(self._lags_s) / len(self._lags_s) * 1000 - _TIMER_GRAIN_MS, 0.0)

    def is_bottleneck(self, ttft_ms: float | None) -> bool:
        """Whether this process was busy enough to set the figures itself."""
        bearable_ms = max(_LAG_FLOOR_MS, _LAG_SHARE * (ttft_ms or 0.0))
        return self.cpu_share > _BUSY_CPU_SHARE or self.lag_ms > bearable_ms

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + _PERIOD_S
            await asyncio.sleep(_PERIOD_S)
            self._lags_s.append(loop.time() - due_s)
