"""Searches replayed on recorded landscapes: what they launch, and how long they think.

A case is a strategy, a landscape, a budget and a seed. A seed has four replays, each with its goal:
the two-objective frontier, the three-objective one, and the most throughput within two SLOs, of
TTFT and TPOT and of E2E latency. Budgets are replayed one by one, since a strategy may plan with
the budget that it has. What earlier tasks may teach a replayed search is of other models'
landscapes, never its own.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from autotuner.evaluate.baselines import contender
from autotuner.evaluate.search_scores import Truth
from autotuner.landscapes import Landscape, measured, observations, same_model
from autotuner.predict import Observation
from autotuner.search import Budget, Knowledge, Proposal, SearchState, Strategy

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
class SearchReplay:
    """A finished search.

    Attributes:
        launched: ids in the order of their launch.
        seconds: wall time of every proposal; the answer to stop is not counted.
        stopped: why it ended.
    """

    launched: tuple[str, ...]
    seconds: tuple[float, ...]
    stopped: str


def replay(
    strategy: Strategy,
    landscape: Landscape,
    goal: Goal,
    *,
    launches: int,
    seed: int = 0,
    knowledge: Knowledge | None = None,
) -> SearchReplay:
    """Asks the strategy until it stops, one launch after the other, and measures with noise.

    A launch that fails costs as much of the budget as one that measures.

    Args:
        launches: the budget that the strategy has.
        seed: of the strategy and of the noise.

    Raises:
        ValueError: the strategy proposes what is launched already, or what does not exist.
    """
    state = SearchState(
        candidates=tuple(launch.id for launch in landscape.launches),
        history=(),
        objectives=goal.objectives,
        budget=Budget(experiments=launches),
        seed=seed,
        levels=landscape.levels,
        settings={launch.id: launch.settings for launch in landscape.launches},
        slo=goal.slo,
        knowledge=knowledge or Knowledge(),
    )
    by_id = {launch.id: launch for launch in landscape.launches}
    untried, seconds = set(by_id), list[float]()
    while True:
        began = time.perf_counter()
        choice = strategy.propose(state)
        thought_s = time.perf_counter() - began
        if not isinstance(choice, Proposal):
            launched = tuple(outcome.candidate_id for outcome in state.history)
            return SearchReplay(launched, tuple(seconds), choice.reason)
        if choice.candidate_id not in untried:
            raise ValueError(f"{strategy.name} proposes {choice.candidate_id!r}, which is not left")
        untried.remove(choice.candidate_id)
        seconds.append(thought_s)
        outcome = measured(landscape, by_id[choice.candidate_id], seed)
        history = (*state.history, outcome)
        state = replace(state, history=history, spent_experiments=len(history))


FRONTIER = ("tok_s_per_gpu", "tok_s_per_user")


@dataclass(frozen=True)
class Subject:
    """A landscape to replay, and what a search may know of it before it begins."""

    landscape: Landscape
    knowledge: Knowledge

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
