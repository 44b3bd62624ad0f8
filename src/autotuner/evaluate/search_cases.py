"""What a replayed search is judged by: a strategy, a landscape, a budget and a seed.

A seed has four replays, each told its goal: the two-objective frontier, the three-objective one,
and the most throughput within two SLOs, of TTFT and TPOT and of E2E latency. Budgets are replayed
one by one, since a strategy may plan with the budget that it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from autotuner.evaluate.replay import Goal, replay
from autotuner.evaluate.search_score import Truth
from autotuner.landscapes import Landscape
from autotuner.search import Knowledge, Strategy

FRONTIER = ("tok_s_per_gpu", "tok_s_per_user")


@dataclass(frozen=True)
class Subject:
    """A landscape to replay, and what a search may know of it before it begins."""

    landscape: Landscape
    knowledge: Knowledge

    @cached_property
    def truth(self) -> Truth:
        """What scores are computed from."""
        return Truth.of(self.landscape)


@dataclass(frozen=True)
class Case:
    """One strategy on one subject (by its number) with one budget and one seed."""

    subject: int
    strategy: str
    launches: int
    seed: int


@dataclass(frozen=True)
class Scores:
    """What one case reached.

    Attributes:
        hv2, hv3: share of the true frontier's hypervolume, by the run told that many objectives.
        regret, e2e_regret: of the runs told an SLO.
        wasted: launches in vain of the two-objective run.
        seconds: thinking time of every proposal of the four runs.
    """

    hv2: float
    hv3: float
    regret: float
    e2e_regret: float
    wasted: int
    seconds: tuple[float, ...]


def scored(subject: Subject, case: Case, strategy: Strategy) -> Scores:
    """Replays one case: four runs."""
    landscape, truth = subject.landscape, subject.truth
    # Where answers have one token, a user's speed is that to the first.
    frontier = FRONTIER if landscape.osl > 1 else (*FRONTIER[:1], "ttft_ms")
    goals = (
        Goal(frontier),
        Goal(tuple(dict.fromkeys((*frontier, "ttft_ms")))),
        Goal(frontier[:1], truth.limits),
        Goal(frontier[:1], truth.e2e_limits),
    )
    launches = min(case.launches, len(landscape.launches))
    runs = [
        replay(
            strategy,
            landscape,
            goal,
            launches=launches,
            seed=case.seed,
            knowledge=subject.knowledge,
        )
        for goal in goals
    ]
    flat, solid, within, in_time = (run.launched for run in runs)
    return Scores(
        hv2=truth.hypervolume_ratio(flat, 2),
        hv3=truth.hypervolume_ratio(solid, 3),
        regret=truth.regret(within),
        e2e_regret=truth.regret(in_time, truth.e2e_limits),
        wasted=truth.in_vain(flat),
        seconds=tuple(second for run in runs for second in run.seconds),
    )
