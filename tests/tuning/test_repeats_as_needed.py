"""Repeats of load levels that a strategy chooses one by one: all of a level before the next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, opened, smooth

from autotuner.measure import Measurement
from autotuner.search import (
    EndLaunch,
    NextLevel,
    Proposal,
    RunningLaunch,
    SearchState,
    Stop,
)
from autotuner.search.grid_and_random import GridStrategy


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


class WhileTimeIsLeft:
    """Launches in order; the highest level first, until the minutes are used up."""

    name = "while_time_is_left"
    uses_knowledge = False

    def propose(self, state: SearchState) -> Proposal | Stop:
        return GridStrategy().propose(state)

    def next_level(self, state: SearchState, running: RunningLaunch) -> NextLevel | EndLaunch:
        if running.has_begun and state.spent_minutes >= (state.budget.minutes or 0.0):
            return EndLaunch("no time is left")
        return NextLevel(running.left[-1])


def changes(seconds: float) -> dict[str, Any]:
    return {
        "benchmark": {"concurrency": [1, 4, 8, 16], "repeats": 3},
        "optimization": {"strategy": "auto", "budget": {"minutes": seconds / 60}},
    }


def test_nothing_is_measured_once_the_minutes_are_used_up(bench: Bench) -> None:
    """A start takes half a second and each measurement two: six of them end after 12.5 s."""
    summary, generator = bench.tune(changes=changes(12.0), strategy=WhileTimeIsLeft())
    assert [plan.load.value for plan in generator.plans] == [16] * 3 + [8] * 3
    (experiment,) = summary.experiments
    assert experiment.cut_short == "after 2 levels: no time is left"
    assert len({plan.seed for plan in generator.plans}) == 6


def test_a_level_interrupted_between_its_repeats_is_finished_first(bench: Bench) -> None:
    seen: Counter[int] = Counter()

    def stopped(slots: int, concurrency: int) -> Measurement | None:
        seen[concurrency] += 1
        if seen[8] == 2:
            raise asyncio.CancelledError
        return smooth(slots, concurrency)

    with pytest.raises(asyncio.CancelledError):
        bench.tune(stopped, changes=changes(12.0), strategy=WhileTimeIsLeft())
    _, generator = bench.tune(changes=changes(12.0), strategy=WhileTimeIsLeft())
    assert [plan.load.value for plan in generator.plans] == [8, 8]
