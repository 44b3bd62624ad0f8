"""When to stop: a search, and the load levels of one launch.

A search is over when nothing is left, a budget is reached, or too little is to be gained.

A launch shows at its first levels how far off its predictions are. The levels left are taken for as
good as they may be: as predicted, corrected by the most favourable residual ln(measured /
predicted) that this launch has shown, by the steepest favourable drift of that residual over its
levels towards theirs, carried on, and by a margin. Where even so none of them would join the
frontier, measuring them is in vain. On 17 landscapes replayed with their noise no frontier lost
anything by these margins, and narrower ones lost some of it
(docs/decisions/0009-sweeps-cut-short.md).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.config import LATENCIES, LoadLevel, format_levels
from autotuner.predict import Prediction
from autotuner.search.frontier import pareto_front
from autotuner.search.points import (
    OBJECTIVES,
    OperatingPoint,
    describe_point,
    figure,
    has,
    objective_vector,
    percent,
)
from autotuner.search.predictions import as_point, is_usable
from autotuner.search.slo import within
from autotuner.search.strategy import SearchState


def stop_reason(state: SearchState) -> str | None:
    """Why no strategy may go on: nothing is left, or the budget is reached."""
    if not state.untried():
        return f"all {len(state.candidates)} candidates are launched"
    return budget_exhausted(state)


def budget_exhausted(state: SearchState) -> str | None:
    """The limit that is reached, in words; None where there is room for another launch."""
    budget = state.budget
    whose = " for the search" if budget.is_part else ""
    if budget.experiments is not None and state.launched >= budget.experiments:
        return f"the budget of {budget.experiments} experiments{whose} is used up"
    if budget.minutes is not None and state.spent_minutes >= budget.minutes:
        spent = f"{state.spent_minutes:.1f}"
        return f"the budget of {budget.minutes:.3g} minutes{whose} is used up ({spent})"
    if budget.usd is not None and state.spent_usd >= budget.usd:
        return f"the budget of {budget.usd:.3g} USD{whose} is used up ({state.spent_usd:.2f})"
    return None


def too_little(state: SearchState, improvement: float) -> str | None:
    """That the best launch left is not worth it, in words; None where it is.

    For strategies that expect something of a launch.

    Args:
        improvement: what the best launch left is expected to add, as a share of the
            incumbent's hypervolume (or of the best feasible value).
    """
    if state.threshold is None or improvement >= state.threshold:
        return None
    return (
        f"the best of {len(state.untried())} candidates left is expected to add "
        f"{percent(improvement)}, less than the threshold of {percent(state.threshold)}"
    )


FEWEST_LEVELS = 2
"""To be measured before anything is cut: one tells nothing of how residuals drift."""
MARGIN = 0.2
"""Natural logarithm; a factor of 1.22."""
MARGIN_PER_OCTAVE = 0.1
"""More for every doubling of the load from the nearest measured level."""
_FIGURES = (
    *("tok_s", "tok_s_per_gpu", "tok_s_per_user", "requests_per_s"),
    *LATENCIES,
)


def why_cut(
    measured: Sequence[OperatingPoint],
    predicted: Sequence[Prediction],
    left: Sequence[LoadLevel],
    *,
    others: Sequence[OperatingPoint],
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> str | None:
    """Why no level of `left` can improve the frontier, in words; None where one may, or where
    it is not known.

    Args:
        measured: what this launch has shown.
        predicted: what was expected of its levels; all of `left` have to be among them.
        others: what other launches measured; without any there is nothing to beat.
        slo: as in `SearchState`; it counts once a point meets it.
    """
    compared = (*objectives, *slo)
    measured, others = ([p for p in points if has(p, compared)] for points in (measured, others))
    if not measured or not others or not left:
        return None
    price = measured[0].usd_per_gpu_hour
    expected = {
        p.load: point
        for p in predicted
        if is_usable(p, price) and has(point := as_point(p, price), compared)
    }
    anchors = [_Anchor(p, expected[p.load]) for p in measured if p.load in expected]
    if len(anchors) < FEWEST_LEVELS or any(level not in expected for level in left):
        return None
    known = [*others, *measured]
    meeting = [point for point in known if within(point, slo)]
    limits = slo if meeting else {}
    front = pareto_front(meeting or known, lambda point: objective_vector(point, objectives))
    reasons: list[str] = []
    for level in left:
        hope = _at_best(expected[level], anchors)
        reason = _over(hope, limits) or _beaten(hope, front, objectives)
        if reason is None:
            return None
        reasons.append(reason)
    return f"{format_levels(left)} cannot improve the frontier: {reasons[0]}"


@dataclass(frozen=True)
class _Anchor:
    """A measured level, and what was expected of it."""

    measured: OperatingPoint
    expected: OperatingPoint

    def gain(self, name: str) -> float:
        """By how much a figure is better than expected: a natural logarithm."""
        residual = math.log(getattr(self.measured, name) / getattr(self.expected, name))
        return residual if OBJECTIVES[name].maximise else -residual

    def octaves_to(self, load: LoadLevel) -> float:
        """Doublings of the load between here and there."""
        return abs(math.log2(self.measured.load.value / load.value))


def _at_best(expected: OperatingPoint, anchors: Sequence[_Anchor]) -> OperatingPoint:
    """The best that a level may be."""
    octaves = min(anchor.octaves_to(expected.load) for anchor in anchors)
    margin = MARGIN + octaves * MARGIN_PER_OCTAVE
    figures: dict[str, Any] = {}
    for name in _FIGURES:
        if not all(has(point, (name,)) for point in (expected, *(a.measured for a in anchors))):
            continue
        drift = _drift(anchors, name, expected.load)
        shown = max(anchor.gain(name) for anchor in anchors) + octaves * drift
        gain = math.exp(shown + margin)
        value = getattr(expected, name)
        figures[name] = value * gain if OBJECTIVES[name].maximise else value / gain
    return replace(expected, **figures)


def _drift(anchors: Sequence[_Anchor], name: str, load: LoadLevel) -> float:
    """The steepest rise of a gain from one level to the next on the way to `load`, for each octave;
    0 where none is.

    Levels are measured in any order: the way leads up from those below it, down from those above.
    """
    rising = sorted(anchors, key=lambda anchor: anchor.measured.load)
    steps = [
        (after.gain(name) - before.gain(name)) / before.octaves_to(after.measured.load)
        for before, after in itertools.pairwise(rising)
    ]
    up = steps if rising[0].measured.load < load else []
    down = [-step for step in steps] if rising[-1].measured.load > load else []
    return max([0.0, *up, *down])


def _over(hope: OperatingPoint, limits: Mapping[str, float]) -> str | None:
    """The limit that even the best case breaks."""
    for name, limit in limits.items():
        value = getattr(hope, name)
        if value > limit:
            return (
                f"{OBJECTIVES[name].label} at {hope.load} is {figure(value)} ms at best, "
                f"the SLO is {figure(limit)} ms"
            )
    return None


def _beaten(
    hope: OperatingPoint, front: Sequence[OperatingPoint], objectives: Sequence[str]
) -> str | None:
    """The point of the frontier that is nowhere worse than the best case."""
    wanted = objective_vector(hope, objectives)
    for point in front:
        reached = objective_vector(point, objectives)
        if all(have >= want for have, want in zip(reached, wanted, strict=True)):
            best, have = describe_point(hope, objectives), describe_point(point, objectives)
            return f"at best {best}, and {have} is measured already"
    return None
