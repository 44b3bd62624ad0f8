"""One search, replayed on a recorded landscape: what it launches, and how long it thinks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from autotuner.landscapes import Landscape, measured
from autotuner.search import Budget, Knowledge, Proposal, SearchState, Strategy


@dataclass(frozen=True)
class Goal:
    """What a search is told to look for, as in `SearchState`."""

    objectives: tuple[str, ...]
    slo: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Replay:
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
) -> Replay:
    """Asks the strategy until it stops, one launch after the other, and measures with noise.

    A launch that fails costs as much of the budget as one that measures.

    Args:
        launches: the budget that the strategy is told.
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
        levels=landscape.concurrencies,
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
            return Replay(launched, tuple(seconds), choice.reason)
        if choice.candidate_id not in untried:
            raise ValueError(f"{strategy.name} proposes {choice.candidate_id!r}, which is not left")
        untried.remove(choice.candidate_id)
        seconds.append(thought_s)
        outcome = measured(landscape, by_id[choice.candidate_id], seed)
        history = (*state.history, outcome)
        state = replace(state, history=history, spent_experiments=len(history))
