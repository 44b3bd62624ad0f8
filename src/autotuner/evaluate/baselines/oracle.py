"""An oracle: it sees the truth and launches what adds most to it, as a bound for the others.

Greedy true hypervolume, in the coordinates in which searches are scored; with an SLO and one
objective the best feasible launch first. Greedy may fall short of the best set of launches, yet it
reaches at least 1 - 1/e of that (Nemhauser, Wolsey and Fisher, 1978), and here nearly all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from autotuner.evaluate.baselines.ordered import by_feasibility, greedy
from autotuner.evaluate.search_score import Truth, coordinates
from autotuner.landscapes import Landscape
from autotuner.search import SearchState


def oracle(landscape: Landscape) -> Callable[[SearchState], Iterable[str]]:
    """The order of a landscape's launches by its truth; computed once for each goal."""
    points = Truth.of(landscape).points
    orders: dict[tuple[int, frozenset[tuple[str, float]]], list[str]] = {}

    def order(state: SearchState) -> Iterable[str]:
        dimensions = len(state.objectives)
        goal = dimensions, frozenset(state.slo.items())
        if goal not in orders:
            curves = {k: [coordinates(p, dimensions) for p in some] for k, some in points.items()}
            best = by_feasibility(points, state.slo) if dimensions == 1 else greedy(curves)
            orders[goal] = list(best)
        return orders[goal]

    return order
