"""Predicted frontier only: launches what is predicted to be best, and learns nothing.

Extremes first: for each objective the candidate with the best predicted point; then the others of
the predicted frontier, each as far from those before it as can be; then the frontier of what is
left. With one objective: the best point within the SLO first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autotuner.search import OperatingPoint, SearchState, objective_vector, pareto_front
from autotuner.search.predicted import predicted
from autotuner.search.two_stage import ranking

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
