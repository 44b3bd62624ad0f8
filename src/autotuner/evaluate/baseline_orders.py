"""A baseline that is an order of candidates, and the greedy order that several of them share.

Predicted frontier only: launches what is predicted to be best, and learns nothing.

Extremes first: for each objective the candidate with the best predicted point; then the others of
the predicted frontier, each as far from those before it as can be; then the frontier of what is
left. With one objective: the best point within the SLO first.

Greedy predicted hypervolume: each launch is to add most to what was measured so far.

Predictions stand as they are for what is not launched yet; nothing corrects them. With one
objective: the best predicted point within the SLO first.

An oracle: it sees the truth and launches what adds most to it, as a bound for the others.

Greedy true hypervolume; with one objective the best launch within the SLO first. Greedy may fall
short of the best set of launches, yet it reaches at least 1 - 1/e of that (Nemhauser, Wolsey and
Fisher, 1978), and here nearly all.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autotuner.landscapes import Landscape, true_outcome
from autotuner.search import (
    OperatingPoint,
    Proposal,
    SearchState,
    Stop,
    objective_vector,
    pareto_front,
    stop_reason,
)
from autotuner.search.frontier import normalised_by
from autotuner.search.predictions import predicted
from autotuner.search.two_stage import ranking

Order = Callable[[SearchState], Iterable[str]]


@dataclass(frozen=True)
class Ordered:
    """Launches the first untried candidate of `order`, and at random what the order lacks."""

    name: str
    order: Order

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The next in order."""
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        untried = state.untried()
        left = set(untried)
        for key in self.order(state):
            if key in left:
                return Proposal(key, f"the first by {self.name}", self.name)
        drawn = random.Random(state.seed).choice(untried)  # noqa: S311 - reproducible, not secret
        return Proposal(drawn, f"{self.name} says nothing of what is left: drawn", "random")


def greedy(
    sweeps: Mapping[str, Sequence[OperatingPoint]],
    objectives: Sequence[str],
    begun: Sequence[OperatingPoint] = (),
) -> Iterator[str]:
    """Each adds the most hypervolume to `begun` and those before it; ends where none adds any.

    A gain can only shrink as others join (hypervolume is submodular), so a gain computed before
    is an upper bound, and only the candidate at the head of the queue is computed anew.
    """
    every = [*begun, *(point for sweep in sweeps.values() for point in sweep)]
    if not every:
        return
    scale = normalised_by(every, objectives)
    vectors = {key: scale.vectors(sweep) for key, sweep in sweeps.items()}
    reached = scale.vectors(begun)
    volume, step = scale.volume(reached), 0
    queue = [(-math.inf, -1, place, key) for place, key in enumerate(vectors)]
    while queue:
        negative_gain, known_at, place, key = heapq.heappop(queue)
        with_it = pareto_front([*reached, *vectors[key]], key=tuple)
        if known_at < step:
            heapq.heappush(queue, (volume - scale.volume(with_it), step, place, key))
        elif negative_gain < 0:
            yield key
            reached, volume, step = with_it, volume - negative_gain, step + 1
        else:
            return


Vector = tuple[float, ...]


def predicted_frontier(state: SearchState) -> Iterable[str]:
    """Candidates by prediction alone."""
    points = predicted(state).points
    if len(state.objectives) == 1:
        return (choice.candidate_id for choice in ranking(points, state.objectives, state.slo))
    return _layers(points, state.objectives)


def _layers(
    points: Mapping[str, Sequence[OperatingPoint]], objectives: Sequence[str]
) -> Iterator[str]:
    left = dict(points)
    while left:
        every = [point for some in left.values() for point in some]
        front = pareto_front(every, key=lambda point: objective_vector(point, objectives))
        yield from _spread([(p.candidate_id, objective_vector(p, objectives)) for p in front])
        for point in front:
            left.pop(point.candidate_id, None)


def _spread(front: Sequence[tuple[str, Vector]]) -> Iterator[str]:
    """The extremes, then what is farthest from all before it."""
    columns = list(zip(*(vector for _, vector in front), strict=True))
    spans = [(min(column), max(column) - min(column) or 1.0) for column in columns]
    scaled = [
        (key, [(x - low) / span for x, (low, span) in zip(vector, spans, strict=True)])
        for key, vector in front
    ]
    extremes = [max(scaled, key=lambda entry: entry[1][axis])[0] for axis in range(len(spans))]
    chosen = list(dict.fromkeys(extremes))
    yield from chosen
    taken = [vector for key, vector in scaled if key in chosen]
    while left := [(key, vector) for key, vector in scaled if key not in chosen]:
        key, _ = max(left, key=lambda entry: min(math.dist(entry[1], other) for other in taken))
        chosen.append(key)
        taken += [vector for one, vector in left if one == key]
        yield key


def greedy_prediction(state: SearchState) -> Iterable[str]:
    """Untried candidates by what they are predicted to add."""
    points, untried = predicted(state).points, set(state.untried())
    left = {key: sweep for key, sweep in points.items() if key in untried}
    if len(state.objectives) == 1:
        return (choice.candidate_id for choice in ranking(left, state.objectives, state.slo))
    measured = [point for outcome in state.history for point in outcome.points]
    return greedy(left, state.objectives, measured)


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
