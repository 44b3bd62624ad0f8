"""Why points meet the SLO or do not, in words, for the terminal and the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from autotuner.report.points import cut_text, settings_text, value_text
from autotuner.search import OBJECTIVES
from autotuner.search.points import figure, percent
from autotuner.search.slo import beyond
from autotuner.tuning.why_sentences import admits_text, counted, lacking_text
from autotuner.tuning.why_views import (
    AdmittedView,
    ElsewhereView,
    ExclusionsView,
    FailureCountView,
    RuleExclusionView,
    SloEffectsView,
    WhyPointView,
)

_MOST_LINES = 5


def label(name: str) -> str:
    """`TTFT p99`."""
    return OBJECTIVES[name].label or OBJECTIVES[name].meaning


def excess_text(share: float) -> str:
    """`+24 %`."""
    return f"{'+' if share >= 0 else '-'}{percent(abs(share))}"


def limits_title(found: SloEffectsView) -> str:
    """How many points meet the SLO."""
    admitted = found.admitted
    text = (
        f"{found.kind.capitalize()}: {admitted.points:,} of {found.points:,} points and "
        f"{admitted.candidates:,} of {found.candidates:,} candidates meet the SLO"
    )
    if found.unclear:
        text += f"; {found.unclear:,} more may, by their intervals"
    return text


def together_lines(found: SloEffectsView) -> Iterator[str]:
    """Points that miss several limits at once, and points that lack a quantity."""
    for one in found.missed_together:
        if len(one.limits) > 1:
            names = " and ".join(map(label, one.limits))
            verb = "misses" if one.points == 1 else "miss"
            yield f"{counted(one.points, 'point')} {verb} {names} together"
    if found.lacking:
        yield f"left out: {lacking_text(found)}"


def nearest_text(found: SloEffectsView) -> str | None:
    """The nearest point and how it stands to each limit; None where something meets the SLO."""
    if found.nearest is None or found.admitted.points:
        return None
    return f"nearest: {point_text(found.nearest)}"


def point_text(point: WhyPointView) -> str:
    """A point with its limits: `4f2a9c1 TP 4 at 8: TTFT 620 ms (24 % over its limit)`."""
    stands = ", ".join(
        f"{label(one.name)} {figure(one.value_ms)} ms ({beyond(one.excess)})"
        for one in point.limits
    )
    settings = settings_text(point.settings, point.settings)
    return f"{point.candidate[:7]} {settings}".rstrip() + f" at {point.load.long}: {stands}"


def admitted_text(found: AdmittedView) -> tuple[str, str]:
    """The best that limits admit, and its candidate."""
    if found.best is None:
        return "-", ""
    return figure(found.best.objective), f"{found.best.candidate[:7]} at {found.best.load}"


def tightest_lines(found: SloEffectsView, unit: str) -> Iterator[str]:
    """Stricter limits that still hold; none where nothing meets the SLO."""
    if not found.admitted.points:
        return
    for one in found.limits:
        if one.tightest is not None and one.tightest.best is not None:
            yield (
                f"stricter: {label(one.name)} down to {one.tightest.limits[one.name]:,g} ms still "
                f"admits {counted(one.tightest.points, 'point')}, the best "
                f"{figure(one.tightest.best.objective)} {unit}"
            )
    if found.factor is not None and found.factor < 1 and len(found.limits) > 1:
        yield f"all limits times {found.factor:.3g} still admit a point"


def excluded_lines(found: ExclusionsView) -> Iterator[str]:
    """Changes that would admit excluded combinations, and what else keeps candidates out."""
    for rule in found.rules:
        yield from _rule_lines(rule)
    # Where there is no candidate at all, no value has one: nothing is learnt from a list of them.
    for value in found.absent_values if found.candidates else ():
        yield (
            f"no candidate has {value.path} {value_text(value.value)}; most often it breaks "
            f"'{value.rule}'"
        )
    if not found.rules:
        yield from _first(f"{one.count:,} x {one.reason}" for one in found.reasons)
    elif (same := [one for one in found.reasons if "another candidate" in one.reason]) != []:
        yield from (f"{one.count:,} x {one.reason}" for one in same)
    if found.skipped and found.reasons:
        yield found.skipped
    gib = found.least_missing_gib
    nearest = "" if gib is None else f" (the nearest lacks {figure(gib)} GiB)"
    for one in found.out_of_memory[:_MOST_LINES]:
        yield f"{one.count:,} of {found.asked:,} predicted out of memory{nearest}: {one.reason}"
    for one in found.refused[:_MOST_LINES]:
        yield f"{one.count:,} of {found.asked:,} not predicted: {one.reason}"


def _rule_lines(rule: RuleExclusionView) -> Iterator[str]:
    if rule.reason:
        yield f"nearest by '{rule.name}': {rule.reason}"
    for way in rule.ways:
        yield f"admits {admits_text(way)}: {way.text}"


def failure_lines(found: Sequence[FailureCountView]) -> Iterator[str]:
    """Launches that failed, by kind."""
    for one in found:
        yield f"{one.count:,} x {one.kind}: {cut_text(one.message)}"


def elsewhere_lines(rows: Sequence[ElsewhereView], hidden: Sequence[ElsewhereView]) -> list[str]:
    """Rows that a table leaves out, and places of which nothing is predicted, by reason."""
    lines = []
    if hidden:
        meeting = sum(one.meeting > 0 for one in hidden)
        lines.append(f"{len(hidden)} more, {meeting} of them meet the SLO; --json has them all")
    reasons: dict[str, list[str]] = {}
    for one in rows:
        if one.unanswered:
            gpu = str(one.changes.get("system.gpu_type", one.what))
            reason = one.unanswered.partition(";")[0].replace(gpu, "it")
            reasons.setdefault(cut_text(reason), []).append(one.what)
    for reason, names in list(reasons.items())[:_MOST_LINES]:
        lines.append(f"not predicted: {', '.join(names)}: {reason}")
    if len(reasons) > _MOST_LINES:
        rest = sum(len(names) for names in list(reasons.values())[_MOST_LINES:])
        lines.append(f"not predicted: {rest} more; --json has the reasons")
    return lines


def _first(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    yield from found[:_MOST_LINES]
    if len(found) > _MOST_LINES:
        yield f"{len(found) - _MOST_LINES} other reasons; --json has them all"
