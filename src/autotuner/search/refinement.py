"""Refinement: the launch that the trends of what was measured promise most of.

A candidate is expected to measure what the launch most like it measured, changed by the effects of
the settings in which the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.search.failures import Lessons
from autotuner.search.gain import Reached
from autotuner.search.points import OBJECTIVES, OperatingPoint, told
from autotuner.search.strategy import Proposal, SearchState
from autotuner.search.trends import Trend, Trends, learn_trends
from autotuner.search.wording import percent

_TOLD = ("e2e_p90_ms", "tok_s_per_gpu", "ttft_ms", "tpot_ms")


@dataclass(frozen=True)
class Expected:
    """What trends make of a candidate: the launch that it is derived from, and its points."""

    base: str
    points: tuple[OperatingPoint, ...]


def refine(state: SearchState, lessons: Lessons) -> tuple[Proposal, float] | None:
    """The untried candidate that trends promise most of, and its gain as `Reached` tells it.

    What is in flight counts as if it had measured what is expected of it. None where there are no
    trends yet.
    """
    trends = learn_trends(state.history, state.settings)
    if trends is None:
        return None
    untried = state.untried()
    expected = _expected((*untried, *state.in_flight), state, lessons, trends)
    points = (point for outcome in state.history for point in outcome.points)
    flying = (point for c in state.in_flight for point in expected[c].points)
    reached = Reached((*points, *flying), state.objectives, state.slo)
    gains = {candidate: reached.gain(expected[candidate].points) for candidate in untried}
    candidate, passed = lessons.choose(sorted(untried, key=lambda c: -gains[c]))
    chosen = expected[candidate]
    best = max(chosen.points, key=lambda point: reached.gain([point]))
    reason = (
        f"the trends of {trends.launches} launches promise {percent(gains[candidate])} more: "
        f"{told(best, state.objectives)}, since compared with {chosen.base} "
        f"{_followed(candidate, chosen.base, lessons, trends)}"
    )
    return Proposal(candidate, reason + passed, "refinement"), gains[candidate]


def _expected(
    candidates: tuple[str, ...], state: SearchState, lessons: Lessons, trends: Trends
) -> dict[str, Expected]:
    sweeps = {o.candidate_id: o.points for o in state.history if o.points}

    def expected(candidate: str) -> Expected:
        base = min(sweeps, key=lambda launched: lessons.apart(candidate, launched))
        own, other = lessons.of(base), lessons.of(candidate)
        points = (trends.changed(point, own, candidate, other) for point in sweeps[base])
        return Expected(base, tuple(points))

    return {candidate: expected(candidate) for candidate in candidates}


def _followed(candidate: str, base: str, lessons: Lessons, trends: Trends) -> str:
    """The two steps between the candidates that improve something most, in words."""
    own, other = lessons.of(candidate), lessons.of(base)
    steps = [
        max((trends.of(path, other.get(path), own.get(path), m) for m in _TOLD), key=_improvement)
        for path in (axis.path for axis in lessons.axes)
        if own.get(path) != other.get(path)
    ]
    helping = sorted(filter(_improvement, steps), key=_improvement, reverse=True)[:2]
    return " and ".join(step.told() for step in helping) or "nothing changes for the worse"


def _improvement(trend: Trend) -> float:
    """How much a step improves its metric; 0 where it does not."""
    return max(trend.change if OBJECTIVES[trend.metric].maximise else -trend.change, 0.0)
