"""Auto: the strategy that fits what is known, the size of the space and the budget."""

from __future__ import annotations

from autotuner.search.grid_and_random import GridStrategy
from autotuner.search.hybrid import HybridStrategy
from autotuner.search.load_choice import EndLaunch, NextLevel, RunningLaunch, next_level
from autotuner.search.predictions import predicted
from autotuner.search.progressive.strategy import ProgressiveStrategy
from autotuner.search.strategy import Proposal, SearchState, Stop, Strategy
from autotuner.search.two_stage import TwoStageStrategy

FEWEST_PREDICTED = 3
"""Predictions of fewer candidates say nothing of the rest."""
MOST_SCORED = 20_000
"""Candidates that hybrid scores before every launch in some ten seconds."""


class AutoStrategy:
    """`strategy: auto`."""

    name = "auto"

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The proposal of the picked strategy."""
        return pick(state)[0].propose(state)

    def next_level(self, state: SearchState, running: RunningLaunch) -> NextLevel | EndLaunch:
        """The picked strategy's choice; the lowest level left where it makes none."""
        return next_level(pick(state)[0], state, running)

    def describe(self, state: SearchState) -> str:
        """The pick and why."""
        strategy, why = pick(state)
        return f"{strategy.name}, because {why}"


def pick(state: SearchState) -> tuple[Strategy, str]:
    """The strategy, and why: the same during all of a search, whatever was measured."""
    size, limit = len(state.candidates), state.budget.experiments
    if limit is not None and limit >= size and state.threshold is None:
        return GridStrategy(), f"the budget of {limit} experiments holds all {size} candidates"
    usable = predicted(state)
    known = len(usable.points)
    if known < FEWEST_PREDICTED:
        share = f"{known} of {size}" if known else f"none of {size}"
        return (
            ProgressiveStrategy(),
            f"{share} candidates are predicted, and it needs no prediction",
        )
    if size > MOST_SCORED:
        return TwoStageStrategy(), f"{size} candidates are too many to score before every launch"
    alike = usable.unpredicted
    unpredicted = f", {alike} are judged by the most similar" if alike else ""
    excluded = f", {len(usable.infeasible)} not to fit" if usable.infeasible else ""
    return HybridStrategy(), f"{known} of {size} candidates are predicted{excluded}{unpredicted}"
