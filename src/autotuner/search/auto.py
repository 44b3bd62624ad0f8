"""Auto: the strategy that fits what is known, the size of the space and the budget."""

from __future__ import annotations

from autotuner.search.grid_and_random import GridStrategy
from autotuner.search.hybrid import HybridStrategy
from autotuner.search.predictions import predicted
from autotuner.search.progressive.strategy import ProgressiveStrategy
from autotuner.search.strategy import Proposal, SearchState, Stop, Strategy
from autotuner.search.two_stage import TwoStageStrategy

FEWEST_PREDICTED = 3
"""Predictions of fewer candidates say nothing of the rest."""
MOST_WEIGHED = 20_000
"""Candidates that hybrid weighs before every launch in some ten seconds."""


class AutoStrategy:
    """`strategy: auto`."""

    name = "auto"

    def propose(self, state: SearchState) -> Proposal | Stop:
        """What the picked strategy proposes."""
        return pick(state)[0].propose(state)

    def describe(self, state: SearchState) -> str:
        """The pick and why."""
        strategy, why = pick(state)
        return f"{strategy.name}, because {why}"


def pick(state: SearchState) -> tuple[Strategy, str]:
    """The strategy, and why: the same during all of a search, whatever was measured."""
    size, limit = len(state.candidates), state.budget.experiments
    if limit is not None and limit >= size and state.threshold is None:
        return GridStrategy(), f"the budget of {limit} experiments holds all {size} candidates"
    spoken = predicted(state)
    known = len(spoken.points)
    if known < FEWEST_PREDICTED:
        said = f"{known} of {size}" if known else f"none of {size}"
        return ProgressiveStrategy(), f"{said} candidates are predicted, and it needs no prediction"
    if size > MOST_WEIGHED:
        return TwoStageStrategy(), f"{size} candidates are too many to weigh before every launch"
    silent = f", {spoken.silent} are judged by the most alike" if spoken.silent else ""
    misfits = f", {len(spoken.out_of_memory)} not to fit" if spoken.out_of_memory else ""
    return HybridStrategy(), f"{known} of {size} candidates are predicted{misfits}{silent}"
