"""Levels that end when their interval is narrow: no bias, and intervals that hold what they say.

A closed loop is simulated: users send one request after the other to a queue with slots, lengths
vary, and the level is told of each end at its simulated time. No sockets, no clock.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass

import pytest

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.measure import LevelPlan, Measurement, StoppingRule
from autotuner.measure.disturbance import ClientWatch
from autotuner.measure.level import Level
from autotuner.measure.reply import Reply


@dataclass
class ClosedLoop:
    """Users before a queue; a request's time is drawn, its first token comes at a tenth of it."""

    users: int
    slots: int
    exponential: bool = False

    def mean_e2e_s(self) -> float:
        """In a loop that always has `users` requests: each waits for its turn (Little's law)."""
        return self.users / min(self.users, self.slots)

    def level(
        self, seed: int, width: float, slo_ms: tuple[tuple[str, float], ...] = ()
    ) -> Measurement:
        draw = random.Random(seed)
        now_s = 0.0
        plan = LevelPlan(
            lengths=LengthDistribution.parse("U(1,99)/(1,99)"),
            load=LoadLevel.concurrency(self.users),
            stop=StoppingRule(4000, 1e9, width, slo_ms),
            warmup_requests=4 * self.users,
        )
        level = Level(plan, lambda completed, wanted: None, clock=lambda: now_s)
        order = itertools.count()
        free = [0.0] * self.slots
        events = [(n * 1e-3, next(order), None) for n in range(self.users)]
        ends: dict[int, tuple] = {}  # type: ignore[type-arg]
        while not level.over.is_set():
            now_s, key, _ = heapq.heappop(events)
            if key in ends:
                level.end(*ends.pop(key))
            ticket = level.begin()
            taken_s = draw.expovariate(1.0) if self.exponential else draw.uniform(0.05, 1.95)
            begins_s = max(heapq.heappop(free), now_s)
            ended_s = begins_s + taken_s
            heapq.heappush(free, ended_s)
            times_s = (begins_s + 0.1 * taken_s, ended_s)
            key = next(order)
            ends[key] = (ticket, 2, Reply(now_s, times_s, ended_s, 2, 2))
            heapq.heappush(events, (ended_s, key, None))
        return level.measurement(ClientWatch(), engine_alive=True)


@pytest.mark.parametrize(
    ("loop", "width"),
    [
        (ClosedLoop(1, 1), 0.3),
        (ClosedLoop(4, 4, exponential=True), 0.3),
        (ClosedLoop(4, 4), 0.15),
        (ClosedLoop(8, 4), 0.15),
    ],
    ids=["one_user", "skewed_lengths", "four_users", "with_a_queue"],
)
def test_a_level_that_ends_early_is_unbiased_and_covers(loop: ClosedLoop, width: float) -> None:
    truth_ms = 1000 * loop.mean_e2e_s()
    means, held, seeds = 0.0, 0, 500
    for seed in range(seeds):
        shown = loop.level(seed, width)
        assert shown.ended_by == "interval"
        assert shown.e2e_ms is not None
        assert shown.e2e_ms.ci95 is not None
        means += shown.e2e_ms.mean / seeds
        held += abs(shown.e2e_ms.mean - truth_ms) <= shown.e2e_ms.ci95
    print(f"bias {means / truth_ms - 1:+.2%}, held {held / seeds:.1%}")  # shown where it fails
    assert abs(means / truth_ms - 1) <= 0.01
    assert 0.93 <= held / seeds <= 0.97


def test_the_slowest_of_those_that_were_admitted_are_counted() -> None:
    shown = ClosedLoop(8, 8).level(1, 0.3)
    # Admission closes at the checkpoint after the decision, or at what was under way by then.
    assert shown.requests_completed >= 72
    assert shown.e2e_ms is not None
    assert shown.e2e_ms.count == shown.requests_completed


def test_checkpoints_are_fixed_beforehand_and_grow_by_half() -> None:
    assert list(itertools.islice(StoppingRule(1000, 60.0).checkpoints(8), 5)) == [
        48,
        72,
        108,
        162,
        243,
    ]


def test_an_slo_inside_its_interval_asks_for_more_requests() -> None:
    loop = ClosedLoop(2, 2)
    clear = loop.level(3, 0.3, slo_ms=(("e2e_p90_ms", 60_000.0),))
    unclear = loop.level(3, 0.3, slo_ms=(("ttft_ms", 101.0),))
    assert clear.ended_by == "interval"
    assert unclear.requests_completed > clear.requests_completed


def test_nothing_ends_early_unasked() -> None:
    assert not StoppingRule(1000, 60.0).is_met([Reply(0.0, (0.1, 0.2), 0.2, 2, 2)] * 100)
