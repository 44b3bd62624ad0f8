"""Levels that end when their interval is narrow: no bias, and intervals that hold what they say.

Requests are simulated: they arrive at a queue with slots by an arrival process, lengths vary, and
each request ends for the level at its simulated time. No sockets, no clock.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field

import pytest

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.measure import ArrivalProcess, LevelPlan, Measurement, StoppingRule
from autotuner.measure.arrival import ClosedLoop, ConstantRate
from autotuner.measure.disturbance import ClientWatch
from autotuner.measure.level import Level, Ticket
from autotuner.measure.reply import Reply

SLO = tuple[tuple[str, float], ...]


@dataclass
class SimulatedQueue:
    """Slots before which requests queue; a request takes a second on average, and its first token
    comes at a tenth of its time."""

    arrival: ArrivalProcess
    slots: int
    exponential: bool = False

    def mean_e2e_s(self) -> float:
        """In a loop that always has so many requests, each waits for its turn (Little's law); in an
        open one it is that of very many requests."""
        if self.arrival.users is not None:
            return self.arrival.users / min(self.arrival.users, self.slots)
        draw, free, total_s, count = random.Random(0), [0.0] * self.slots, 0.0, 30_000
        for n in range(count):
            due_s = self.arrival.due_s(n, 0) or 0.0
            ended_s = max(heapq.heappop(free), due_s) + self.taken_s(draw)
            heapq.heappush(free, ended_s)
            total_s += ended_s - due_s
        return total_s / count

    def taken_s(self, draw: random.Random) -> float:
        return draw.expovariate(1.0) if self.exponential else draw.uniform(0.05, 1.95)

    def level(
        self, seed: int, width: float, slo_ms: SLO = (), *, requests: int = 4000
    ) -> Measurement:
        draw, now_s, woken_s = random.Random(seed), 0.0, -1.0
        plan = LevelPlan(
            lengths=LengthDistribution.parse("U(1,99)/(1,99)"),
            load=LoadLevel.concurrency(self.slots),
            stop=StoppingRule(requests, 1e9, width, slo_ms),
            warmup_requests=4 * (self.arrival.users or 5),
            arrival=self.arrival,
        )
        level = Level(plan, lambda completed, wanted: None, clock=lambda: now_s)
        free, events = [0.0] * self.slots, [Moment(0.0)]
        while not level.over.is_set():
            moment = heapq.heappop(events)
            now_s = moment.at_s
            if moment.ticket is not None:
                level.end(moment.ticket, 2, moment.reply)
            while not level.over.is_set():
                due_s = self.arrival.due_s(level.sent, level.in_flight)
                if due_s is None or due_s > now_s:
                    if due_s is not None and due_s != woken_s:
                        heapq.heappush(events, Moment(woken_s := due_s))
                    break
                ticket = level.begin(None if self.arrival.users else due_s)
                begins_s, taken_s = max(heapq.heappop(free), now_s), self.taken_s(draw)
                ended_s = begins_s + taken_s
                heapq.heappush(free, ended_s)
                times_s = (begins_s + 0.1 * taken_s, ended_s)
                reply = Reply(now_s, times_s, ended_s, 2, 2)
                heapq.heappush(events, Moment(ended_s, ticket=ticket, reply=reply))
        return level.measurement(ClientWatch(), engine_alive=True)


@dataclass(order=True)
class Moment:
    """An event of the simulation: the end of a request, or the time at which one is due."""

    at_s: float
    order: int = field(default_factory=itertools.count().__next__)
    ticket: Ticket | None = field(default=None, compare=False)
    reply: Reply | str = field(default="", compare=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loop", "width"),
    [
        (SimulatedQueue(ClosedLoop(1), 1), 0.3),
        (SimulatedQueue(ClosedLoop(4), 4, exponential=True), 0.3),
        (SimulatedQueue(ClosedLoop(4), 4), 0.15),
        (SimulatedQueue(ClosedLoop(8), 4), 0.15),
        (SimulatedQueue(ConstantRate(2.0), 4), 0.15),
    ],
    ids=["one_user", "skewed_lengths", "four_users", "with_a_queue", "constant_rate"],
)
def test_a_level_that_ends_early_is_unbiased_and_covers(loop: SimulatedQueue, width: float) -> None:
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
    shown = SimulatedQueue(ClosedLoop(8), 8).level(1, 0.3)
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
    loop = SimulatedQueue(ClosedLoop(2), 2)
    clear = loop.level(3, 0.3, slo_ms=(("e2e_p90_ms", 60_000.0),))
    unclear = loop.level(3, 0.3, slo_ms=(("ttft_ms", 101.0),))
    assert clear.ended_by == "interval"
    assert unclear.requests_completed > clear.requests_completed


def test_nothing_ends_early_unasked() -> None:
    assert not StoppingRule(1000, 60.0).is_met([Reply(0.0, (0.1, 0.2), 0.2, 2, 2)] * 100)
