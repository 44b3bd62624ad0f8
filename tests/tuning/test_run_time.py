"""What is kept of a run while it is worked on, and what a busy machine changes."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest
from made_up_bench import level

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.errors import StoreError
from autotuner.measure import LevelPlan, StoppingRule
from autotuner.measure.disturbance import MachineLoad
from autotuner.store import Store
from autotuner.tuning.estimate import time_left_s
from autotuner.tuning.history import WallTime
from autotuner.tuning.points import informative_levels


class Kept:
    """A run of 100 s before, and the wall times that are stored of it."""

    id, wall_s = 1, 100.0

    def __init__(self, *, broken: bool = False) -> None:
        self.broken, self.seconds, self.twice = broken, list[float](), threading.Event()
        self.tasks = self

    def keep_wall_time(self, task_id: int, wall_s: float) -> None:
        if self.broken:
            raise StoreError("no more")
        self.seconds.append(wall_s)
        if len(self.seconds) > 1:
            self.twice.set()


def run_time(kept: Any) -> WallTime:
    return WallTime(cast("Store", kept), kept, every_s=0.01)


def test_the_wall_time_is_stored_while_a_run_is_worked_on() -> None:
    kept = Kept()
    with run_time(kept) as times:
        assert kept.twice.wait(30)
        left_s = times.left_s()
        stored = list(kept.seconds)
    assert stored == sorted(stored)
    assert stored[0] > 100.0
    assert left_s >= 0
    assert kept.seconds == stored, "nothing is stored after the end"


def test_a_store_that_fails_is_left_to_the_run_itself() -> None:
    with run_time(Kept(broken=True)) as times:
        assert times.left_s() >= 0


@pytest.mark.parametrize(
    ("completed", "taken_s", "left_s"),
    [(0, 5.0, None), (5, 10.0, 30.0), (20, 10.0, 0.0), (5, 50.0, 10.0), (1, 70.0, 0.0)],
)
def test_the_time_left_follows_the_rate_and_the_limit(
    completed: int, taken_s: float, left_s: float | None
) -> None:
    plan = LevelPlan(
        LengthDistribution.parse("D(1,1)"), LoadLevel.concurrency(1), StoppingRule(20, 60.0), 0
    )
    assert time_left_s(plan, completed, 20, taken_s) == left_s


def test_levels_of_a_busy_machine_do_not_teach_unless_they_are_asked_to() -> None:
    load = {"others": 0.5, "idle": 0.0, "stolen": 0.0, "held_back": 0.0}
    calm, busy = (
        level(1, 100.0, 20.0).model_copy(update={"machine": MachineLoad(**load, busy=is_busy)})
        for is_busy in (False, True)
    )
    unknown = level(1, 100.0, 20.0)
    assert informative_levels([calm, busy, unknown]) == [calm, unknown]
    assert informative_levels([calm, busy, unknown], when_busy=True) == [calm, busy, unknown]
