"""Grid and random: strategies that need neither predictions nor measurements.

Grid launches every candidate in the order of the space. Where the budget holds fewer experiments
than there are candidates, the launches are spread evenly from the first to the last, so that each
axis is sampled over its whole length. Random launches candidates without replacement, in an order
that only the seed decides.
"""

from __future__ import annotations

import random

from autotuner.search.stopping import stop_reason
from autotuner.search.strategy import Proposal, SearchState, Stop


class GridStrategy:
    """`strategy: grid`."""

    name = "grid"
    uses_knowledge = False

    def describe(self, state: SearchState) -> str:
        """Whether it launches all or a spread."""
        size = len(state.candidates)
        wanted = state.budget.experiments or size
        if wanted >= size:
            return f"all {size} candidates in the order of the space"
        return f"{wanted} of {size} candidates, spread evenly over the space"

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The first untried candidate of the spread; then whatever is left, in order."""
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        untried = set(state.untried())
        size = len(state.candidates)
        wanted = min(state.budget.experiments or size, size)
        for index in spread(size, wanted):
            if state.candidates[index] in untried:
                where = f"candidate {index + 1} of {size} in grid order"
                even = "" if wanted == size else f", {wanted} spread evenly over the grid"
                return Proposal(state.candidates[index], where + even, "grid")
        # A raised budget, or experiments made under another one, leave gaps in the spread.
        candidate = next(c for c in state.candidates if c in untried)
        place = state.candidates.index(candidate) + 1
        return Proposal(candidate, f"candidate {place} of {size}, left by the spread", "grid")


def spread(size: int, wanted: int) -> list[int]:
    """`wanted` of the indices 0 … size - 1, evenly apart, the first and last among them."""
    if wanted >= size:
        return list(range(size))
    if wanted <= 1:
        return [0][:wanted]
    return [round(step * (size - 1) / (wanted - 1)) for step in range(wanted)]


class RandomStrategy:
    """`strategy: random`."""

    name = "random"
    uses_knowledge = False

    def describe(self, state: SearchState) -> str:
        """How many are drawn."""
        size = len(state.candidates)
        wanted = min(state.budget.experiments or size, size)
        return f"{wanted} of {size} candidates drawn without replacement, with seed {state.seed}"

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The first untried candidate of the seed's order."""
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        order = list(state.candidates)
        random.Random(state.seed).shuffle(order)  # noqa: S311 - reproducible, not secret
        untried = set(state.untried())
        candidate = next(c for c in order if c in untried)
        place = order.index(candidate) + 1
        return Proposal(candidate, f"draw {place} of {len(order)} with seed {state.seed}", "random")
