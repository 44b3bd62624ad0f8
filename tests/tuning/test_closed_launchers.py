"""Launchers that keep something between launches, at the end of a task."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from made_up_bench import MadeUpLauncher, opened, smooth

from autotuner.errors import ConfigError
from autotuner.measure import Measurement


class ClosedLauncher(MadeUpLauncher):
    """Keeps something between launches: how often each engine had been stopped when it closed."""

    closed: list[list[bool]]

    async def close(self) -> None:
        self.closed.append([engine.stopped for engine in self.engines])


@pytest.mark.parametrize("end", [None, asyncio.CancelledError, ConfigError("t", [])])
def test_a_launcher_that_keeps_something_is_closed_when_the_last_engine_has_ended(
    end: BaseException | None, tmp_path: Path
) -> None:
    launcher = ClosedLauncher()
    launcher.closed = []

    def load(slots: int, concurrency: int) -> Measurement | None:
        if end is not None:
            raise end
        return smooth(slots, concurrency)

    with contextlib.suppress(asyncio.CancelledError, ConfigError), opened(tmp_path) as bench:
        bench.tune(load, launcher)
    assert launcher.closed == [[True] * (3 if end is None else 1)]
