"""A baseline that is an order of candidates, and orders that several baselines share."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autotuner.search import (
    OperatingPoint,
    Proposal,
    SearchState,
    Stop,
    hypervolume,
    pareto_front,
    reference_point,
    stop_reason,
)

Vector = tuple[float, ...]
Points = Mapping[str, Sequence[OperatingPoint]]


@dataclass(frozen=True)
class Ordered:
    """Launches the first untried candidate of `order`, and what the order lacks at random."""

    name: str
    order: Callable[[SearchState], Iterable[str]]

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


def expected_points(state: SearchState) -> dict[str, tuple[OperatingPoint, ...]]:
    """Candidate -> its predicted operating points; those without any are absent."""
    return {
        key: tuple(
            OperatingPoint(
                candidate_id=key,
                concurrency=one.concurrency,
                tok_s=one.tok_s,
                tok_s_per_gpu=one.tok_s_per_gpu,
                tok_s_per_user=one.tok_s_per_user,
                ttft_ms=one.ttft_ms,
                tpot_ms=one.tpot_ms,
                e2e_p90_ms=one.e2e_ms,
            )
            for one in state.knowledge.predictions[key]
        )
        for key in state.candidates
        if state.knowledge.predictions.get(key)
    }


def by_feasibility(points: Points, slo: Mapping[str, float]) -> list[str]:
    """Those with a point within the limits, the most tokens/s per GPU first; then by excess."""

    def excess(point: OperatingPoint) -> float:
        return max((getattr(point, name) / limit - 1 for name, limit in slo.items()), default=0)

    def rank(key: str) -> tuple[float, float]:
        within = [point.tok_s_per_gpu for point in points[key] if excess(point) <= 0]
        if within:
            return 0.0, -max(within)
        return min(map(excess, points[key]), default=math.inf), 0.0

    return sorted(points, key=rank)


def greedy(curves: Mapping[str, Sequence[Vector]], begun: Sequence[Vector] = ()) -> Iterator[str]:
    """Each adds the most hypervolume to `begun` and those before it; ends where none adds any.

    A gain can only shrink as others join (hypervolume is submodular), so a gain computed before
    is an upper bound, and only the candidate at the head of the queue is computed anew.
    """
    every = [*begun, *(vector for curve in curves.values() for vector in curve)]
    if not every:
        return
    reference = reference_point(pareto_front(every, key=tuple))
    reached = pareto_front(begun, key=tuple)
    volume, step = hypervolume(reached, reference), 0
    queue = [(-math.inf, -1, place, key) for place, key in enumerate(curves)]
    while queue:
        negative_gain, known_at, place, key = heapq.heappop(queue)
        with_it = pareto_front([*reached, *curves[key]], key=tuple)
        if known_at < step:
            gain = hypervolume(with_it, reference) - volume
            heapq.heappush(queue, (-gain, step, place, key))
        elif negative_gain < 0:
            yield key
            reached, volume, step = with_it, volume - negative_gain, step + 1
        else:
            return
