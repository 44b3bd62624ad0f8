"""Launches whose machine is lost: made again, given up, and what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import (
    Bench,
    MadeUpClock,
    MadeUpEngine,
    MadeUpLauncher,
    level,
    opened,
    smooth,
)

from autotuner.engines import LaunchSpec
from autotuner.errors import LaunchError
from autotuner.launch import LaunchLost
from autotuner.launch.engine_log import open_log
from autotuner.measure import Measurement
from autotuner.tuning.events import Event, LaunchTakenBack
from autotuner.tuning.recording import landscape_of
from autotuner.tuning.search_state import spent_s

LOST = (2,)
START_S, LEVEL_S, LOST_S = MadeUpEngine.startup_s, 2.0, 60.0
CONFIRMED: dict[str, Any] = {"strategy": "grid", "baseline": "none", "confirm": 2}


class LosingLauncher(MadeUpLauncher):
    """Loses some launches with their machine, after a minute.

    Args:
        lost: slots -> how many of its launches.
    """

    def __init__(self, lost: dict[int, int]) -> None:
        super().__init__(clock=MadeUpClock())
        self.left, self.launched = lost, Counter[int]()

    async def launch(
        self, spec: LaunchSpec, devices: Sequence[str], *, log_path: Path, ready_timeout_s: float
    ) -> MadeUpEngine:
        slots = int(spec.argv[spec.argv.index("--parallel") + 1])
        self.launched[slots] += 1
        if self.left.get(slots, 0):
            self.left[slots] -= 1
            self.clock.now_s += LOST_S
            with open_log(log_path) as log:
                log.write("the last line that came\n")
            raise LaunchLost("node n1 went down")
        return await super().launch(
            spec, devices, log_path=log_path, ready_timeout_s=ready_timeout_s
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as found:
        yield found


def test_a_launch_that_is_lost_three_times_fails_alone_and_costs_its_time(bench: Bench) -> None:
    launcher = LosingLauncher({2: 3})
    summary, _ = bench.tune(launcher=launcher)
    assert [one.status for one in summary.experiments] == ["completed", "failed", "completed"]
    assert launcher.launched == {1: 1, 2: 3, 4: 1}
    failed = summary.experiments[1]
    assert failed.failure is not None
    assert failed.failure.kind == "machine_lost"
    assert failed.failure.message.endswith("lost 3 times, the last time with: node n1 went down")
    assert failed.failure.log_tail == "the last line that came"
    assert (failed.startup_s, failed.measure_s, failed.lost_s) == (None, 0.0, 3 * LOST_S)
    assert sum(isinstance(event, LaunchTakenBack) for event in bench.events) == 2
    task = bench.store.tasks.get(summary.task.id)
    assert task is not None
    assert spent_s(bench.store.experiments(task.id)) == launcher.clock.now_s
    assert failed.id not in {launch.id for launch in landscape_of(bench.store, task).launches}


def test_a_launch_that_is_made_at_last_has_its_own_figures_and_the_lost_time_beside(
    bench: Bench,
) -> None:
    launcher = LosingLauncher({2: 2})
    summary, _ = bench.tune(launcher=launcher)
    found = bench.store.experiments(summary.task.id)
    assert [one.status for one in found] == ["completed"] * 3
    figures = [(one.startup_s, one.measure_s, one.lost_s) for one in found]
    own = (START_S, 2 * LEVEL_S)
    assert figures == [(*own, 0.0), (*own, 2 * LOST_S), (*own, 0.0)]
    assert [one.began_s for one in found] == [0.0, 4.5, 4.5 + 4.5 + 2 * LOST_S]
    assert spent_s(found) == launcher.clock.now_s


def test_levels_measured_before_a_loss_stay_and_are_no_lost_time(bench: Bench) -> None:
    launcher = LosingLauncher({})
    seen: list[tuple[int, int]] = []

    def load(slots: int, concurrency: int) -> Measurement | None:
        seen.append((slots, concurrency))
        if seen.count((2, 4)) == 1 and (slots, concurrency) == (2, 4):
            launcher.clock.now_s += LOST_S
            raise LaunchLost("node n1 went down")
        return smooth(slots, concurrency)

    summary, _ = bench.tune(load, launcher)
    assert seen == [(1, 1), (1, 4), (2, 1), (2, 4), (2, 4), (4, 1), (4, 4)]
    (found,) = (one for one in summary.experiments if one.lost_s)
    assert found.measure_s == 2 * LEVEL_S
    assert found.lost_s == START_S + LEVEL_S + LOST_S
    assert launcher.clock.now_s == 3 * (START_S + 2 * LEVEL_S) + found.lost_s


def test_the_time_of_lost_launches_ends_a_budget(bench: Bench) -> None:
    limited = {"strategy": "grid", "budget": {"minutes": 2.0}}
    summary, _ = bench.tune(launcher=LosingLauncher({1: 2}), changes={"optimization": limited})
    assert [one.status for one in summary.experiments] == ["completed"]
    assert "minutes" in summary.task.stop_reason


def test_different_launches_lost_in_a_row_end_the_task_and_it_can_go_on(bench: Bench) -> None:
    changes = {"scheduling": {"max_running_requests": [1, 2, 3, 4, 5, 6]}}
    with pytest.raises(LaunchError, match="5 launches were lost, and none came to its end"):
        bench.tune(launcher=LosingLauncher(dict.fromkeys(range(1, 7), 9)), changes=changes)
    summary, _ = bench.tune(launcher=LosingLauncher({}), changes=changes)
    assert [one.status for one in summary.experiments] == ["completed"] * 6
    lost_s = [one.lost_s for one in bench.store.experiments(summary.task.id)]
    assert lost_s == [3 * LOST_S] * 4 + [LOST_S, 0.0]


def test_a_further_launch_that_is_lost_does_not_unconfirm(bench: Bench) -> None:
    launcher = LosingLauncher({})

    def load(slots: int, concurrency: int) -> Measurement | None:
        if launcher.launched[slots] > 1:
            raise LaunchLost("node n1 went down")
        return level(concurrency, 100.0 * slots, 5.0)

    summary, _ = bench.tune(load, launcher, changes={"optimization": CONFIRMED})
    found = bench.store.experiments(summary.task.id)
    again = [one for experiment in found for one in experiment.relaunches]
    assert [one.failure_kind for one in again] == ["machine_lost"]
    assert again[0].lost_s == 3 * (START_S + LEVEL_S)
    assert spent_s(found) == launcher.clock.now_s


class InterruptedHereError(Exception):
    """Ends a call of the loop."""


@pytest.mark.parametrize(("minutes", "again"), [(1.2, 0), (9.0, 1)])
def test_seconds_lost_by_a_further_launch_outlast_an_interruption_and_count(
    minutes: float, again: int, bench: Bench
) -> None:
    changes = {"optimization": CONFIRMED | {"budget": {"minutes": minutes}}}
    launcher, is_lost = LosingLauncher({}), [True]

    def load(slots: int, concurrency: int) -> Measurement | None:
        if launcher.launched[slots] > 1 and is_lost[0]:
            launcher.clock.now_s += LOST_S
            raise LaunchLost("node n1 went down")
        return level(concurrency, 100.0 * slots, 5.0)

    def interrupt(event: Event) -> None:
        if isinstance(event, LaunchTakenBack):
            raise InterruptedHereError

    with pytest.raises(InterruptedHereError):
        bench.tune(load, launcher, changes=changes, listen=interrupt)
    is_lost[0] = False
    summary, _ = bench.tune(load, launcher, changes=changes)
    found = bench.store.experiments(summary.task.id)
    assert spent_s(found) == launcher.clock.now_s
    relaunches = [one for experiment in found for one in experiment.relaunches]
    assert [one.status for one in relaunches] == ["completed"] * again
    assert sum(one.lost_s for one in relaunches) == (START_S + LEVEL_S + LOST_S) * bool(again)
    assert ("no room to confirm" in summary.task.stop_reason) is (again == 0)
