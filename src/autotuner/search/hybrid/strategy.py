"""Hybrid: launch what is expected to add most to the frontier, and learn from each launch.

Three things count for every candidate left: what its sweep would measure, by the prediction
corrected with all that this search and earlier tasks have measured (`residuals`, `transfer`);
whether it fits (`feasibility`); and what the two would add to the frontier, or under an SLO to the
best feasible point (`acquisition`), for every minute that the launch is expected to take. An
uncertain candidate may turn out far better than expected, so it has more to add than a known one of
the same mean: nothing else is needed to explore. Where a predictor has no answer, what it says of
the most similar stands in; where it has none at all, the progressive rules choose.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autotuner.search.axes import differing, label
from autotuner.search.load_choice import EndLaunch, NextLevel, RunningLaunch
from autotuner.search.points import describe_point, percent
from autotuner.search.predictions import predicted
from autotuner.search.progressive.strategy import ProgressiveStrategy
from autotuner.search.slo import describe_slo, within
from autotuner.search.stopping import stop_reason, too_little
from autotuner.search.strategy import Proposal, SearchState, Stop

if TYPE_CHECKING:
    from autotuner.search.hybrid.acquisition import ScoredCandidate


_SURE = 0.95
"""A probability of feasibility that needs no mention."""
_FEW = 2
"""Differing settings that are named."""


def describe_choice(state: SearchState, best: ScoredCandidate) -> str:
    """Why the candidate is launched: what it is expected to add, where, how sure, how new."""
    parts = [_improvement(state, best), _expected(state, best), _knowledge(state, best)]
    if best.probability < _SURE:
        parts.append(f"it fits into memory with {percent(best.probability)} probability")
    return "; ".join(filter(None, parts))


def _improvement(state: SearchState, best: ScoredCandidate) -> str:
    if best.misses_slo is not None:
        return (
            f"the nearest to the SLO of what is left, uncertain: expected to miss "
            f"{describe_slo(state.slo)} by {percent(best.misses_slo)}"
        )
    what = "hypervolume" if len(state.objectives) > 1 else "of the best so far"
    if math.isinf(best.improvement):
        return _nothing_to_improve(state)
    from autotuner.search.hybrid.acquisition import NOTHING

    if best.improvement < NOTHING:
        gain = "hypervolume" if len(state.objectives) > 1 else "to the best so far"
        others = (
            "no candidate left is"
            if best.most < NOTHING
            else f"others are, {percent(best.most)} at most"
        )
        return f"not expected to add {gain}, but the likeliest to if expectations err; {others}"
    return f"expected to add {percent(best.improvement)} {what}"


def _nothing_to_improve(state: SearchState) -> str:
    """Why there is no hypervolume, or no best value, that a launch would add to."""
    points = [point for outcome in state.history for point in outcome.points]
    if not any(within(point, state.slo) for point in points):
        return f"nothing {'within the SLO ' if state.slo else ''}is measured yet"
    if len(state.objectives) > 1:
        return "all that is measured so far lies behind the whole expected frontier"
    return "all that is measured so far is worse than anything expected"


def _expected(state: SearchState, best: ScoredCandidate) -> str:
    point = best.figures.point(best.candidate)
    source = "predicted" if best.predicted else "nothing is predicted; by the most similar"
    return f"{source} {describe_point(point, state.objectives)}, ± {percent(best.log_std)}"


def _knowledge(state: SearchState, best: ScoredCandidate) -> str:
    own, earlier = best.learnt_from
    learnt = [f"{own} levels measured here"] if own else []
    learnt += [f"{earlier} of earlier tasks"] if earlier else []
    corrected = f"corrected by {' and '.join(learnt)}" if learnt else ""
    return "; ".join(filter(None, (corrected, _news(state, best.candidate))))


def _news(state: SearchState, candidate: str) -> str:
    """In what the candidate differs from the most similar launch."""
    mine = state.settings.get(candidate, {})
    launched = [outcome.candidate_id for outcome in state.history]
    differences = []
    for other in launched:
        theirs = state.settings.get(other, {})
        differences.append(sorted(path for path, _, _ in differing(mine, theirs)))
    if not differences:
        return ""
    fewest = min(differences, key=len)
    if not fewest:
        return ""
    if len(fewest) > _FEW:
        return f"every launch so far differs in {len(fewest)} settings or more"
    return f"the most similar launch differs in {' and '.join(map(label, fewest))}"


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
        from autotuner.search.hybrid.acquisition import best_candidate
        from autotuner.search.hybrid.levels import best_by_levels

        best = (best_candidate if state.level_by_level is None else best_by_levels)(state)
        little = too_little(state, best.most) if best.misses_slo is None else None
        if little is not None:
            return Stop(little)
        return Proposal(best.candidate, describe_choice(state, best), _phase(best))

    def next_level(self, state: SearchState, running: RunningLaunch) -> NextLevel | EndLaunch:
        """The level left that is expected to add most for each minute, as long as no other launch
        would add more; where nothing is predicted, every level."""
        if not predicted(state).points:
            return NextLevel(running.left[0])
        from autotuner.search.hybrid.levels import next_level

        return next_level(state, running)

    def describe(self, state: SearchState) -> str:
        """Description of its way, and of its prior knowledge."""
        known = predicted(state)
        if not known.points:
            return "hybrid: nothing is predicted, so the progressive rules choose"
        earlier = len(state.knowledge.earlier)
        transferred = (
            f", and {earlier} measured levels of earlier tasks are known" if earlier else ""
        )
        return (
            f"hybrid: {len(known.points)} of {len(state.candidates)} candidates are predicted"
            f"{transferred}; each launch is the one expected to add most, and corrects the rest"
        )


def _without_predictions(state: SearchState) -> Proposal | Stop:
    choice = ProgressiveStrategy().propose(state)
    if isinstance(choice, Stop):
        return choice
    return Proposal(choice.candidate_id, f"nothing is predicted; {choice.reason}", choice.phase)


def _phase(best: ScoredCandidate) -> str:
    """`exploring` where the outcome is open by more than a quarter, else `improving`."""
    return "exploring" if best.log_std > math.log(1.25) else "improving"
