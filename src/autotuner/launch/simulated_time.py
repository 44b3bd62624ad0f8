"""An event loop on which waiting takes no time: its clock jumps to the moment waited for.

What sleeps for 240 seconds wakes at once, 240 s later by `loop.time()`, and what runs side by side
keeps its order. Signals and sockets are seen as on any other loop.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """Give it to `asyncio.Runner(loop_factory=SimulatedTimeLoop)`. Its time begins at 0."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_SkippingSelector(self._skip))

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._now_s

    def _skip(self, seconds: float) -> None:
        self._now_s += seconds


class _SkippingSelector(selectors.DefaultSelector):
    """Tells of the time that it would have waited instead of waiting."""

    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; without a timeout there is nothing to skip, and it waits."""
        ready = super().select(None if timeout is None else 0)
        if timeout and not ready:
            self._skip(timeout)
        return ready
