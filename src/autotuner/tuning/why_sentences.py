"""The answer to why (not) in sentences, the same on the terminal, in the report and the API."""

from __future__ import annotations

from collections.abc import Mapping

from autotuner.search import OBJECTIVES
from autotuner.search.points import figure
from autotuner.search.slo import beyond, describe_slo
from autotuner.tuning.why_views import (
    AdmittedView,
    LimitEffectView,
    SloEffectsView,
    WayView,
    WhyView,
)

_MOST_STEPS = 2


def lead_sentence(found: WhyView) -> str:
    """The answer in one sentence or two."""
    if found.exclusions is not None and not found.exclusions.candidates:
        return _all_excluded(found)
    limits = found.measured or found.predicted
    if limits is None:
        return "Nothing was measured and nothing is predicted: there is no point to judge."
    if not found.slo:
        return "No SLO is given, so every point meets it; what is excluded stands below."
    slo = describe_slo(found.slo)
    admitted, kind = limits.admitted, limits.kind
    if not limits.points:
        return f"No {kind} point can be held against the SLO ({slo}): {lacking_text(limits)}."
    if not admitted.points:
        none = f"None of {limits.points:,} {kind} points meets the SLO ({slo})."
        return f"{none} {cheapest_way(limits, found.unit)}"
    best = admitted.best
    reached = "" if best is None else f", the best of them {value_text(admitted, found.unit)}"
    text = f"{admitted.points:,} of {limits.points:,} {kind} points meet the SLO ({slo}){reached}."
    return f"{text} {binding_text(limits, found.unit)}"


def why_not_lines(limits: SloEffectsView, slo: Mapping[str, float], unit: str) -> list[str]:
    """Why no point meets the SLO, and what relaxing each limit gains; none where one meets it.

    Args:
        unit: of the quantity that points are served for.
    """
    if not slo or not limits.points or limits.admitted.points:
        return []
    easiest = _easiest(limits)
    first = f"none of {limits.points:,} {limits.kind} points meets the SLO ({describe_slo(slo)})"
    return [
        f"{first}. {cheapest_way(limits, unit)}",
        *(
            f"{_step_text(effect, step)} admits {counted(step.points, 'point')} of "
            f"{counted(step.candidates, 'candidate')}, the best {value_text(step, unit)}"
            for effect in limits.limits
            for step in effect.relaxed[:_MOST_STEPS]
            if easiest is None or step is not easiest.relaxed[0]
        ),
    ]


def excluded_line(combinations: int, excluded: Mapping[str, int]) -> str:
    """How many combinations are excluded, and the reason of most."""
    reason, count = max(excluded.items(), key=lambda one: one[1])
    return (
        f"{sum(excluded.values()):,} of {combinations:,} combinations are excluded, most of them "
        f"({count:,}) because {reason}"
    )


def cheapest_way(limits: SloEffectsView, unit: str) -> str:
    """The nearest point, in a sentence: by how much it misses, and the least that admits it."""
    if limits.nearest is None or limits.factor is None:
        return ""
    parts = [
        f"{OBJECTIVES[one.name].label} {figure(one.value_ms)} ms ({beyond(one.excess, '')})"
        for one in limits.nearest.limits
        if one.excess > 0
    ]
    text = f"The nearest has {' and '.join(parts)}"
    easiest = _easiest(limits)
    if easiest is not None:
        first = easiest.relaxed[0]
        admits = counted(first.points, "point")
        return (
            f"{text}. {_step_text(easiest, first)} makes {admits} feasible, the best "
            f"{value_text(first, unit)}."
        )
    return f"{text}; all limits times {limits.factor:.3g} would admit it."


def _easiest(limits: SloEffectsView) -> LimitEffectView | None:
    """The limit that has to be relaxed least to gain something, alone."""
    return next((one for one in limits.limits if one.name == limits.binding), None)


def counted(count: int, noun: str) -> str:
    """`1 point`, `1,200 points`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def admits_text(way: WayView, noun: str = "") -> str:
    """How many a change admits: `about 1,200`, or with a noun `1 candidate`."""
    count = counted(way.admits, noun) if noun else f"{way.admits:,}"
    return f"about {count}" if way.estimated else count


def binding_text(limits: SloEffectsView, unit: str) -> str:
    """The limit that keeps the best from being better, in a sentence."""
    effect = _easiest(limits)
    if effect is None:
        return "No limit keeps the best from being better."
    first = effect.relaxed[0]
    return (
        f"{OBJECTIVES[effect.name].label} binds: {_step_text(effect, first)} brings "
        f"{value_text(first, unit)}."
    )


def _step_text(effect: LimitEffectView, step: AdmittedView) -> str:
    """`TTFT 500 -> 620 ms`."""
    label = OBJECTIVES[effect.name].label
    return f"{label} {effect.limit_ms:,g} -> {step.limits[effect.name]:,g} ms"


def value_text(admitted: AdmittedView, unit: str) -> str:
    """The best that limits admit: `3,900 tok/s/GPU`."""
    best = admitted.best
    return "nothing" if best is None else f"{figure(best.objective)} {unit}"


def lacking_text(limits: SloEffectsView) -> str:
    """Quantities that points lack, in words."""
    return ", ".join(
        f"{count:,} have no {OBJECTIVES[name].label or OBJECTIVES[name].meaning}"
        for name, count in limits.lacking.items()
    )


def _all_excluded(found: WhyView) -> str:
    excluded = found.exclusions
    if excluded is None:
        return ""
    text = f"All {excluded.combinations:,} combinations are excluded: there is no candidate."
    ways = [(way, rule) for rule in excluded.rules for way in rule.ways]
    if ways:
        way, _ = max(ways, key=lambda one: one[0].admits)
        admits = admits_text(way, "candidate")
        return f"{text} The one change that admits most: {way.text} ({admits})."
    return text
