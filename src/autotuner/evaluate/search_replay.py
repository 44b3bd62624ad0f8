"""Searches replayed on recorded landscapes: what they launch, and how long they think.

A case is a strategy, a landscape, a budget and a seed. A seed has four replays, each with its goal:
the two-objective frontier, the three-objective one, and the most throughput within two SLOs, of
TTFT and TPOT and of E2E latency. The first three are replayed once more with the minutes that so
many launches take in place of their number (`simulated_time`): there a launch that fails costs
less. Budgets are replayed one by one, since a strategy may plan with the budget that it has. What
earlier tasks may teach a replayed search is of other models' landscapes, never its own.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from autotuner.config import LoadLevel
from autotuner.evaluate.baselines import contender
from autotuner.evaluate.search_scores import Truth
from autotuner.evaluate.simulated_time import LaunchCosts
from autotuner.landscapes import Landscape, measured, observations, same_model
from autotuner.predict import Observation
from autotuner.search import (
    Budget,
    ChoosesLevels,
    EndLaunch,
    Knowledge,
    Outcome,
    Proposal,
    RunningLaunch,
    SearchState,
    Strategy,
    next_level,
)

ByModel = Mapping[str, Sequence[Observation]]


@dataclass(frozen=True)
class TransferredObservations:
    """Observations of other models, and how many are left out as they may be the replayed one's."""

    used: tuple[Observation, ...] = ()
    left_out: int = 0


def by_model(landscapes: Iterable[Landscape]) -> ByModel:
    """Everything that was both predicted and measured, by the model that it is of."""
    found: dict[str, list[Observation]] = {}
    for landscape in landscapes:
        found.setdefault(landscape.model, []).extend(observations(landscape))
    return found


def transferred_to(landscape: Landscape, others: ByModel) -> TransferredObservations:
    """The landscapes among `others` that may teach where this one is replayed.

    A landscape that tells no model may be of any, so it neither teaches nor is taught.
    """
    same = {model for model in others if same_model(landscape.model, model)}
    return TransferredObservations(
        used=tuple(one for model in others if model not in same for one in others[model]),
        left_out=sum(len(others[model]) for model in same),
    )


@dataclass(frozen=True)
class Goal:
    """Objectives and limits of a search, as in `SearchState`."""

    objectives: tuple[str, ...]
    slo: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TimedLevel:
    """A load level that was tried, and the minutes of the search when it was over."""

    candidate_id: str
    load: LoadLevel
    at_minutes: float


@dataclass(frozen=True)
class SearchReplay:
    """A finished search.

    Attributes:
        launched: ids in the order of their launch.
        seconds: wall time of every proposal; the answer to stop is not counted.
        stopped: why it ended.
        levels: what was measured, in order.
    """

    launched: tuple[str, ...]
    seconds: tuple[float, ...]
    stopped: str
    levels: tuple[TimedLevel, ...]

    def measured_within(self, minutes: float) -> set[tuple[str, LoadLevel]]:
        """Candidates and load levels whose measuring was over by then."""
        return {(x.candidate_id, x.load) for x in self.levels if x.at_minutes <= minutes + _EPSILON}


_EPSILON = 1e-9
"""Of minutes that are added up in another order."""


def replay(
    strategy: Strategy,
    landscape: Landscape,
    goal: Goal,
    *,
    launches: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    knowledge: Knowledge | None = None,
    costs: LaunchCosts | None = None,
    level_by_level: bool = False,
) -> SearchReplay:
    """Asks the strategy until it stops, one launch after the other, and measures with noise.

    A launch that fails costs as much of a budget of launches as one that measures. The last launch
    may end after the budget of minutes: see `SearchReplay.measured_within`.

    Args:
        launches, minutes: the budget that the strategy has.
        seed: of the strategy and of the noise.
        level_by_level: whether a strategy that chooses load levels is asked for each.

    Raises:
        ValueError: the strategy proposes what is launched already, or what does not exist.
    """
    clock = costs or LaunchCosts()
    state = SearchState(
        candidates=tuple(launch.id for launch in landscape.launches),
        history=(),
        objectives=goal.objectives,
        budget=Budget(experiments=launches, minutes=minutes),
        seed=seed,
        levels=landscape.levels,
        settings={launch.id: launch.settings for launch in landscape.launches},
        slo=goal.slo,
        knowledge=knowledge or Knowledge(),
        level_by_level=clock.by_level(landscape) if level_by_level else None,
    )
    by_id = {launch.id: launch for launch in landscape.launches}
    untried, seconds, levels = set(by_id), list[float](), list[TimedLevel]()
    while True:
        began = time.perf_counter()
        choice = strategy.propose(state)
        thought_s = time.perf_counter() - began
        if not isinstance(choice, Proposal):
            launched = tuple(outcome.candidate_id for outcome in state.history)
            return SearchReplay(launched, tuple(seconds), choice.reason, tuple(levels))
        if choice.candidate_id not in untried:
            raise ValueError(f"{strategy.name} proposes {choice.candidate_id!r}, which is not left")
        untried.remove(choice.candidate_id)
        seconds.append(thought_s)
        launch = by_id[choice.candidate_id]
        outcome = measured(landscape, launch, seed)
        now = state.spent_minutes + clock.startup(launch)
        kept: list[LoadLevel] = []
        while left := tuple(load for load in _tried(outcome) if load not in kept):
            if level_by_level:
                running = RunningLaunch(_limited(outcome, kept), left)
                choice_of_level = next_level(strategy, replace(state, spent_minutes=now), running)
                if isinstance(choice_of_level, EndLaunch):
                    break
                kept.append(choice_of_level.load)
            else:
                kept.append(left[0])
            now += clock.level(launch)
            levels.append(TimedLevel(launch.id, kept[-1], now))
        state = replace(
            state,
            history=(*state.history, _limited(outcome, kept)),
            spent_experiments=len(state.history) + 1,
            spent_minutes=now,
        )


def _tried(outcome: Outcome) -> list[LoadLevel]:
    """The load levels that a launch could measure, rising: none where it failed."""
    if outcome.status == "failed":
        return []
    return sorted((*(point.load for point in outcome.points), *outcome.failed_levels))


def _limited(outcome: Outcome, kept: Collection[LoadLevel]) -> Outcome:
    """The outcome of a launch that got to these levels alone; a failed one stays as it is."""
    if outcome.status == "failed":
        return outcome
    return replace(
        outcome,
        points=tuple(point for point in outcome.points if point.load in kept),
        failed_levels=tuple(load for load in outcome.failed_levels if load in kept),
    )


FRONTIER = ("tok_s_per_gpu", "tok_s_per_user")


@dataclass(frozen=True)
class Subject:
    """A landscape to replay, what a search may know before it begins, and what launches cost."""

    landscape: Landscape
    knowledge: Knowledge
    costs: LaunchCosts = field(default_factory=LaunchCosts)

    @cached_property
    def timed_knowledge(self) -> Knowledge:
        """The same with what each launch is expected to take."""
        whole = {one.id: self.costs.whole(one) for one in self.landscape.launches}
        return replace(self.knowledge, minutes=whole)

    @cached_property
    def truth(self) -> Truth:
        """The values that scores are computed from."""
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
    """The outcome of one case.

    Attributes:
        hv2, hv3: share of the true frontier's hypervolume, by the run with that many objectives.
        regret, e2e_regret: of the runs with an SLO.
        wasted: launches in vain of the two-objective run.
        seconds: thinking time of every proposal of these four runs.
        minutes: that so many launches take; hv2_minutes, hv3_minutes, regret_minutes: what is
            measured within them, by runs with that budget.
    """

    hv2: float
    hv3: float
    regret: float
    e2e_regret: float
    wasted: int
    seconds: tuple[float, ...]
    minutes: float
    hv2_minutes: float
    hv3_minutes: float
    regret_minutes: float


def scored(subject: Subject, case: Case, strategy: Strategy) -> Scores:
    """Replays one case: four runs with a budget of launches, three with one of minutes."""
    landscape, truth, costs = subject.landscape, subject.truth, subject.costs
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
            costs=costs,
        )
        for goal in goals
    ]
    minutes = costs.of_launches(landscape, launches)
    timed = [
        replay(
            strategy,
            landscape,
            goal,
            minutes=minutes,
            seed=case.seed,
            knowledge=subject.timed_knowledge,
            costs=costs,
            level_by_level=isinstance(strategy, ChoosesLevels),
        ).measured_within(minutes)
        for goal in goals[:3]
    ]
    flat, solid, within, in_time = (run.launched for run in runs)
    every = truth.points
    return Scores(
        hv2=truth.hypervolume_ratio(flat, 2),
        hv3=truth.hypervolume_ratio(solid, 3),
        regret=truth.regret(within),
        e2e_regret=truth.regret(in_time, truth.e2e_limits),
        wasted=truth.in_vain(flat),
        seconds=tuple(second for run in runs for second in run.seconds),
        minutes=minutes,
        hv2_minutes=truth.hypervolume_ratio(every, 2, only=timed[0]),
        hv3_minutes=truth.hypervolume_ratio(every, 3, only=timed[1]),
        regret_minutes=truth.regret(every, only=timed[2]),
    )


@dataclass
class ReplayWorker:
    """Replays cases in one process; strategies are made once, as an oracle's truth is costly."""

    subjects: Sequence[Subject]
    strategies: dict[tuple[int, str], Strategy] = field(default_factory=dict)

    def scored(self, case: Case) -> Scores:
        """One case."""
        key, subject = (case.subject, case.strategy), self.subjects[case.subject]
        if key not in self.strategies:
            self.strategies[key] = contender(case.strategy, subject.landscape)
        return scored(subject, case, self.strategies[key])


def run_cases(
    subjects: Sequence[Subject], cases: Sequence[Case], *, jobs: int = 1
) -> Iterator[tuple[Case, Scores]]:
    """Replays every case, in the order given; with one job in this process, else in `jobs` others.

    Each of several has one thread for linear algebra, so that they do not slow each other.
    """
    if jobs == 1:
        worker = ReplayWorker(subjects)
        yield from ((case, worker.scored(case)) for case in cases)
        return
    context = multiprocessing.get_context("spawn")
    with (
        one_thread(),
        ProcessPoolExecutor(jobs, context, _begin, (subjects,)) as pool,
    ):
        yield from zip(cases, pool.map(_scored, cases), strict=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes started meanwhile use one thread each for linear algebra."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_worker = ReplayWorker(())


def _begin(subjects: Sequence[Subject]) -> None:
    global _worker  # the only state that a pool's initializer can leave to its calls
    _worker = ReplayWorker(subjects)


def _scored(case: Case) -> Scores:
    return _worker.scored(case)
