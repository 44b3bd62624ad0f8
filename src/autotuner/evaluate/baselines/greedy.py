"""Greedy predicted hypervolume: each launch is to add most to what was measured so far.

Predictions stand as they are for what is not launched yet; nothing corrects them. With an SLO and
one objective: the best predicted point within the limits first.
"""

from __future__ import annotations

from collections.abc import Iterable

from autotuner.evaluate.baselines.ordered import by_feasibility, expected_points, greedy
from autotuner.search import SearchState, objective_vector


def greedy_prediction(state: SearchState) -> Iterable[str]:
    """Untried candidates by what they are predicted to add."""
    untried = set(state.untried())
    points = {key: some for key, some in expected_points(state).items() if key in untried}
    if len(state.objectives) == 1:
        return by_feasibility(points, state.slo)
    names = state.objectives
    curves = {key: [objective_vector(p, names) for p in some] for key, some in points.items()}
    measured = [objective_vector(p, names) for outcome in state.history for p in outcome.points]
    return greedy(curves, measured)
