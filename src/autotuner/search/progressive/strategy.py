"""Progressive: the ends first, then the gaps between them, then where the trends lead.

It needs no predictor. Phase `extremes` launches the four ends of the frontier by rules of thumb
(`heuristic_seeds.py`). Phase `gaps` launches, five to eight times, what lies between the settings
of the two ends of the measured frontier's largest gap (`gaps.py`). Phase `refinement` learns what
each setting did (`trends.py`) and launches, three to five times, what these effects promise most
of. That is 12 to 17 launches; a budget of experiments shortens or lengthens the phases in
proportion.

A failure moves the search away from what resembles it (`failures.py`). Launches in flight count as
part of their phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotuner.search.points import percent
from autotuner.search.progressive.failures import FailureModel, failure_model_of
from autotuner.search.progressive.gaps import fill, gaps
from autotuner.search.progressive.heuristic_seeds import heuristic_seeds
from autotuner.search.progressive.trends import refine
from autotuner.search.stopping import stop_reason, too_little
from autotuner.search.strategy import Outcome, Proposal, SearchState, Stop

_GAPS = (5, 8)
_REFINEMENTS = (3, 5)
"""Launches of a phase at the least and at the most, where no budget of experiments says."""
_FILLED = 0.1
"""A frontier has no gap to fill where the largest is below this share of its extent."""
_PROMISING = 0.01
"""Trends that promise less than this end a search without a budget of experiments."""
_REPLACED = 2
"""Extremes that are replaced where they failed, at the most."""
_EXTREMES_SHARE, _GAPS_SHARE = 0.5, 0.6
"""Of a budget the extremes; of what they leave, the gaps."""


@dataclass(frozen=True)
class Phases:
    """How many launches are made when a phase is over."""

    extremes: int
    gaps: int
    refinement: int


class ProgressiveStrategy:
    """`strategy: progressive`."""

    name = "progressive"

    def describe(self, state: SearchState) -> str:
        """The phases with their launches."""
        phases = phases_of(state)
        return (
            f"{phases.extremes} launches at the ends of the frontier by rules of thumb, "
            f"{phases.gaps - phases.extremes} in its gaps, {phases.refinement - phases.gaps} by "
            "the trends of what was measured, at the most"
        )

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The next launch of the phase that the search is in."""
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        failures = failure_model_of(state)
        phases = phases_of(state)
        if state.launched >= phases.refinement:
            return Stop(f"all phases are over with {state.launched} launches")
        if state.launched < phases.extremes and (end := _extreme(state, failures)):
            return end
        if state.launched >= phases.gaps and (refined := refine(state, failures)):
            proposal, improvement = refined
            stop = too_little(state, improvement) or _nothing_more(state, phases, improvement)
            if stop is not None:
                return Stop(stop)
            if improvement >= _PROMISING:
                return proposal
        return fill(state, failures)


def phases_of(state: SearchState) -> Phases:
    """When each phase is over: by the budget, else by what the history shows."""
    untaught = failure_model_of(replace(state, history=()))
    ends = len({seed for _, seed in heuristic_seeds(state, untaught)})
    failed = [outcome for outcome in state.history[: ends + _REPLACED] if not outcome.points]
    ends += min(len(failed), _REPLACED)
    total = state.budget.experiments
    if total is not None:
        ends = min(ends, max(1, round(total * _EXTREMES_SHARE)))
        return Phases(ends, ends + round((total - ends) * _GAPS_SHARE), total)
    least, most = ends + _GAPS[0], ends + _GAPS[1]
    filled = (k for k in range(least, most) if _is_filled(state.history[:k], k))
    gaps_end = next(filled, most)
    return Phases(ends, gaps_end, gaps_end + _REFINEMENTS[1])


def _extreme(state: SearchState, failures: FailureModel) -> Proposal | None:
    """The first end of the frontier that is not launched; None where all are."""
    tried = {outcome.candidate_id for outcome in state.history} | set(state.in_flight)
    for extreme, seed in heuristic_seeds(state, failures):
        if seed not in tried:
            reason = f"where the {extreme.name} is expected by rule of thumb: {extreme.rule}"
            return Proposal(seed, reason, "extremes")
    return None


def _is_filled(history: Sequence[Outcome], launches: int) -> bool:
    """Whether the frontier of so many launches has no gap worth filling."""
    found = gaps(point for outcome in history for point in outcome.points)
    return len(history) == launches and bool(found) and found[0].size < _FILLED


def _nothing_more(state: SearchState, phases: Phases, improvement: float) -> str | None:
    """That the trends promise too little to go on, where no budget of experiments is given."""
    over = state.launched >= phases.gaps + _REFINEMENTS[0]
    if state.budget.experiments is not None or not over or improvement >= _PROMISING:
        return None
    return (
        f"after {state.launched} launches the trends promise {percent(improvement)} more at the "
        f"best of {len(state.untried())} candidates left"
    )
