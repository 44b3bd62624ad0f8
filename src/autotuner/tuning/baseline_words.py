"""The recommended point beside the baseline, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.search.points import figure
from autotuner.tuning.baseline import NAMES
from autotuner.tuning.baseline_views import BaselineView, ComparedPointsView, Settled

_ONE_LAUNCH = (
    "Of each configuration one launch is compared. Two launches of the same configuration usually "
    "differ by a few percent, so a small difference may be chance; and the recommended one was "
    "chosen by the same launch, which flatters it."
)
_SEVERAL = (
    "Launches that are compared: {baseline} of the baseline, {recommended} of the recommended "
    "configuration. The one that chose it is among them, which flatters it a little."
)
_AS_MULTIPLE = 3.0
"""Ratio from which it reads better than a change in percent."""
_EQUAL = 0.55
"""Probability up to which neither is called better."""


def caveat(baseline: int, recommended: int) -> str:
    """Limits of the certainty, by how often each was launched."""
    if baseline <= 1 and recommended <= 1:
        return _ONE_LAUNCH
    return _SEVERAL.format(baseline=baseline, recommended=recommended)


def as_measured(figures: Sequence[tuple[str, float, float]]) -> str:
    """Why figures are not the measured ones.

    Args:
        figures: name, the baseline's and the recommended one as measured; empty where all are.
    """
    if not figures:
        return ""
    each = ", ".join(f"{name} {figure(own)} -> {figure(other)}" for name, own, other in figures)
    return (
        "figures are estimated from all launches, weighted by their certainty and corrected for a "
        f"drift of the machine; medians as measured: {each}"
    )


def left_out(name: str, launches: Sequence[int], at: str) -> str:
    """Launches that take no part in a level's figures; empty where all do.

    Args:
        name: of the configuration.
        launches: their numbers.
        at: load level in words.
    """
    if not launches:
        return ""
    numbers = " and ".join(map(str, launches))
    return (
        f"launch{'' if len(launches) == 1 else 'es'} {numbers} of {name} at {at} left out: others "
        "used the machine, or too few requests were completed"
    )


def gain(ratio: float) -> str:
    """A ratio as a change: `+38 %`, `-4.1 %`, `3.2 times`."""
    if ratio >= _AS_MULTIPLE:
        return f"{figure(ratio)} times"
    change = 100 * (ratio - 1)
    text = f"{change:+.{0 if abs(change) >= 10 else 1}f} %"
    return "no change" if float(text[:-2]) == 0 else text


def certainty_text(better: float, settled: Settled) -> str:
    """How sure a difference is: `better, 99.9 %`, `better with 93 %: not settled`.

    Args:
        better: probability that the recommended point is better.
    """
    word, share = ("better", better) if better >= 0.5 else ("worse", 1 - better)
    if share < _EQUAL:
        return "no difference seen"
    if settled != "unclear":
        return f"{word}, {min(100 * share, 99.9):.1f} %"
    return f"{word} with {min(100 * share, 99.7):.{1 if share >= 0.99 else 0}f} %: not settled"


def title(points: ComparedPointsView, name: str) -> str:
    """The two points that are compared.

    Args:
        name: of the baseline.
    """
    misses = points.baseline_meets_slo is False
    if points.load == points.baseline_load:
        return f"both at {points.load.long}" + (f", where {name} miss the SLO" if misses else "")
    best = "which miss the SLO at every level" if misses else "their best level within the SLO"
    return f"recommended at {points.load.long}; {name} at {points.baseline_load.short}, {best}"


def headline(baseline: BaselineView, *, has_rivals: bool) -> str:
    """The answer in a line: how much better, and how sure.

    Args:
        has_rivals: whether any candidate has an operating point.
    """
    name, points = NAMES[baseline.kind], baseline.within_slo or baseline.same_load
    if baseline.status == "failed":
        failure = baseline.failure or "no reason is known"
        return f"{name} did not start or failed under load, so nothing is compared: {failure}"
    if baseline.is_recommended:
        why = "beats them beyond noise" if has_rivals else "has an operating point"
        return f"no candidate {why}, so {name} are recommended"
    if points is None or not points.figures:
        return f"{name} have no operating point to compare with"
    if points.baseline_meets_slo is False and baseline.recommended_meets_slo:
        return f"{name} miss the SLO at every measured level; the recommended point meets it"
    first = points.figures[0]
    return f"{first.name} {first.change} against {name} ({first.certainty})"
