"""Launches that have to be prepared, as by waiting for resources, which is no part of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, MadeUpClock, MadeUpEngine, MadeUpLauncher, level, opened

from autotuner.engines import LaunchSpec
from autotuner.launch import LaunchLost, Preparation
from autotuner.measure import Measurement
from autotuner.tuning.events import LaunchTakenBack, Preparing
from autotuner.tuning.search_state import spent_s

WAIT_S = 3600.0
TAKEN_S = MadeUpEngine.startup_s + 2 * 2.0


class WaitingLauncher(MadeUpLauncher):
    """Waits for an hour before each launch."""

    waits = 0

    async def prepare(self, spec: LaunchSpec, report: Callable[[Preparation], None]) -> None:
        report(Preparation("waiting for others"))
        self.clock.now_s += WAIT_S
        self.waits += 1


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as found:
        yield found


def load(slots: int, concurrency: int) -> Measurement:
    return level(concurrency, 100.0 * slots, 5.0)


@pytest.mark.parametrize("broken", [(), (2,)])
def test_time_of_waiting_is_neither_starting_nor_measuring_nor_of_the_budget(
    broken: tuple[int, ...], bench: Bench
) -> None:
    launcher = WaitingLauncher(broken, clock=MadeUpClock())
    optimization: dict[str, Any] = {"strategy": "grid", "confirm": 1, "budget": {"minutes": 5}}
    summary, _ = bench.tune(load, launcher, changes={"optimization": optimization})
    found = bench.store.experiments(summary.task.id)
    again = [one for experiment in found for one in experiment.relaunches]
    measured_s = [0.0 if one.status == "failed" else 4.0 for one in found]
    assert [one.startup_s for one in (*found, *again)] == [MadeUpEngine.startup_s] * 4
    assert [one.measure_s for one in (*found, *again)] == [*measured_s, 2.0]
    assert launcher.waits == 4
    assert spent_s(found) == launcher.clock.now_s - 4 * WAIT_S
    assert Preparing("waiting for others", 0.0, 0.0) in bench.events


def test_a_lost_launch_that_waits_again_has_lost_its_own_time_alone(bench: Bench) -> None:
    launcher, lost = WaitingLauncher(clock=MadeUpClock()), [2, 4]

    def losing(slots: int, concurrency: int) -> Measurement:
        if slots in lost:
            lost.remove(slots)
            raise LaunchLost("node n1 went down")
        return load(slots, concurrency)

    summary, _ = bench.tune(losing, launcher, changes={"optimization": {"strategy": "grid"}})
    assert sum(isinstance(event, LaunchTakenBack) for event in bench.events) == 2
    found = bench.store.experiments(summary.task.id)
    assert [one.lost_s for one in found] == [0.0, 2.5, 2.5]
    assert [one.measure_s for one in found] == [4.0] * 3
    assert spent_s(found) == launcher.clock.now_s - 5 * WAIT_S == 3 * TAKEN_S + 5.0
