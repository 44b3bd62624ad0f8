"""An oracle: it sees the truth and launches what adds most to it, as a bound for the others.

Greedy true hypervolume; with one objective the best launch within the SLO first. Greedy may fall
short of the best set of launches, yet it reaches at least 1 - 1/e of that (Nemhauser, Wolsey and
Fisher, 1978), and here nearly all.
"""

from __future__ import annotations

from collections.abc import Iterable

from autotuner.evaluate.baselines.ordered import Order, greedy
from autotuner.landscapes import Landscape, true_outcome
from autotuner.search import SearchState
from autotuner.search.two_stage import ranking


def oracle(landscape: Landscape) -> Order:
    """The order of a landscape's launches by its truth; computed once for each goal."""
    every = {launch.id: true_outcome(launch).points for launch in landscape.launches}
    truth = {key: points for key, points in every.items() if points}
    orders: dict[object, list[str]] = {}

    def order(state: SearchState) -> Iterable[str]:
        goal = state.objectives, frozenset(state.slo.items())
        if goal not in orders:
            orders[goal] = list(
                (choice.candidate_id for choice in ranking(truth, state.objectives, state.slo))
                if len(state.objectives) == 1
                else greedy(truth, state.objectives)
            )
        return orders[goal]

    return order
