"""Greedy predicted hypervolume: each launch is to add most to what was measured so far.

Predictions stand as they are for what is not launched yet; nothing corrects them. With one
objective: the best predicted point within the SLO first.
"""

from __future__ import annotations

from collections.abc import Iterable

from autotuner.evaluate.baselines.ordered import greedy
from autotuner.search import SearchState
from autotuner.search.predicted import predicted
from autotuner.search.two_stage import ranking


def greedy_prediction(state: SearchState) -> Iterable[str]:
    """Untried candidates by what they are predicted to add."""
    points, untried = predicted(state).points, set(state.untried())
    left = {key: sweep for key, sweep in points.items() if key in untried}
    if len(state.objectives) == 1:
        return (choice.candidate_id for choice in ranking(left, state.objectives, state.slo))
    measured = [point for outcome in state.history for point in outcome.points]
    return greedy(left, state.objectives, measured)
