"""Random: candidates without replacement, in an order that only the seed decides."""

from __future__ import annotations

import random

from autotuner.search.stopping import stop_reason
from autotuner.search.strategy import Proposal, SearchState, Stop


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
