"""A baseline that is an order of candidates, and the greedy order that several of them share."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autotuner.search import OperatingPoint, Proposal, SearchState, Stop, pareto_front, stop_reason
from autotuner.search.worth import scale_of

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
    scale = scale_of(every, objectives)
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
