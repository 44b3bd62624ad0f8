"""When a search is over: nothing left, a budget reached, or too little to be gained."""

from __future__ import annotations

from autotuner.search.strategy import SearchState
from autotuner.search.wording import percent


def stop_reason(state: SearchState) -> str | None:
    """Why no strategy may go on: nothing is left, or the budget is reached."""
    if not state.untried():
        return f"all {len(state.candidates)} candidates are launched"
    return budget_exhausted(state)


def budget_exhausted(state: SearchState) -> str | None:
    """The limit that is reached, in words; None where there is room for another launch."""
    budget = state.budget
    if budget.experiments is not None and state.launched >= budget.experiments:
        return f"the budget of {budget.experiments} experiments is used up"
    if budget.minutes is not None and state.spent_minutes >= budget.minutes:
        return f"the budget of {budget.minutes:g} minutes is used up ({state.spent_minutes:.1f})"
    if budget.usd is not None and state.spent_usd >= budget.usd:
        return f"the budget of {budget.usd:g} USD is used up ({state.spent_usd:.2f})"
    return None


def too_little(state: SearchState, gain: float) -> str | None:
    """That the best launch left is not worth it, in words; None where it is.

    For strategies that expect something of a launch.

    Args:
        gain: what the best launch left is expected to add, as a share of the hypervolume reached
            (or of the best feasible value).
    """
    if state.threshold is None or gain >= state.threshold:
        return None
    return (
        f"the best of {len(state.untried())} candidates left is expected to add {percent(gain)}, "
        f"less than the threshold of {percent(state.threshold)}"
    )
