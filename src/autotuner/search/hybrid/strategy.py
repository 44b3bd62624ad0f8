"""Hybrid: launch what is expected to add most to the frontier, and learn from each launch.

Three things are weighed for every candidate left: what its sweep would measure, by the prediction
corrected with all that this search and earlier tasks have measured (`residuals`, `memory`); whether
it fits (`fits`); and what the two would add to the frontier, or under an SLO to the best feasible
point (`gains`), for every minute that the launch is expected to take. An uncertain candidate may
turn out far better than expected, so it has more to add than a known one of the same mean: nothing
else is needed to explore. Where a predictor is silent, what it says of the most alike stands in;
where it says nothing at all, the progressive rules choose.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autotuner.search.hybrid.reasons import told
from autotuner.search.predicted import predicted
from autotuner.search.progressive import ProgressiveStrategy
from autotuner.search.stopping import stop_reason, too_little
from autotuner.search.strategy import Proposal, SearchState, Stop

if TYPE_CHECKING:
    from autotuner.search.hybrid.weighing import Weighed


class HybridStrategy:
    """`strategy: hybrid`."""

    name = "hybrid"

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The candidate left that is expected to add most."""
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        if not predicted(state).points:
            return _without_predictions(state)
        from autotuner.search.hybrid.weighing import weigh

        best = weigh(state)
        little = too_little(state, best.gain) if best.misses_slo is None else None
        return Stop(little) if little else Proposal(best.candidate, told(state, best), _phase(best))

    def describe(self, state: SearchState) -> str:
        """What it does, and what it knows to begin with."""
        known = predicted(state)
        if not known.points:
            return "hybrid: nothing is predicted, so the progressive rules choose"
        earlier = len(state.knowledge.earlier)
        remembered = (
            f", and {earlier} measured levels of earlier tasks are known" if earlier else ""
        )
        return (
            f"hybrid: {len(known.points)} of {len(state.candidates)} candidates are predicted"
            f"{remembered}; each launch is the one expected to add most, and corrects the rest"
        )


def _without_predictions(state: SearchState) -> Proposal | Stop:
    choice = ProgressiveStrategy().propose(state)
    if isinstance(choice, Stop):
        return choice
    return Proposal(choice.candidate_id, f"nothing is predicted; {choice.reason}", choice.phase)


def _phase(best: Weighed) -> str:
    """`exploring` where the outcome is open by more than a quarter, else `improving`."""
    return "exploring" if best.log_std > math.log(1.25) else "improving"
