"""The recommended point beside the baseline, in words: for the terminal and the HTML report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.search import OBJECTIVES
from autotuner.search.axes import format_value
from autotuner.search.points import figure
from autotuner.tuning.baseline_views import BaselineView, ComparedFigureView, ComparedPointsView

NAMES = {"defaults": "the engine's defaults", "mine": "your settings of today"}
_COLUMNS = {"defaults": "defaults", "mine": "today"}
ONE_LAUNCH = (
    "Each was launched once. Launches of one configuration differ, mostly by some percent, so that "
    "a small difference can be chance."
)


def gain(ratio: float) -> str:
    """A ratio as a change: `+38 %`, `-4.1 %`, `3.2 times`."""
    if ratio >= 3:
        return f"{figure(ratio)} times"
    change = 100 * (ratio - 1)
    return f"{change:+.{0 if abs(change) >= 10 else 1}f} %"


def certainty(found: ComparedFigureView) -> str:
    """How sure the difference is: `better, 99.9 %`, `better with 93 %: not settled`."""
    better = found.probability_better
    word, share = ("better", better) if better >= 0.5 else ("worse", 1 - better)
    text = f"{min(100 * share, 99.9):.{1 if share >= 0.99 else 0}f} %"
    return f"{word}, {text}" if found.settled != "unclear" else f"{word} with {text}: not settled"


@dataclass(frozen=True)
class ComparedRow:
    """A line of the table of figures, as text."""

    name: str
    baseline: str
    recommended: str
    change: str
    interval: str
    certainty: str


def compared_rows(points: ComparedPointsView) -> Iterator[ComparedRow]:
    """The lines of one comparison."""
    for found in points.figures:
        objective = OBJECTIVES[found.quantity]
        yield ComparedRow(
            name=f"{objective.label}, {objective.unit}" if objective.label else objective.unit,
            baseline=figure(found.baseline),
            recommended=figure(found.recommended),
            change=gain(found.ratio),
            interval=f"{gain(found.low)} to {gain(found.high)}",
            certainty=certainty(found),
        )


def headline(baseline: BaselineView) -> str:
    """The answer in a line: how much better, and how sure."""
    name = NAMES[baseline.kind]
    if baseline.status == "failed":
        return f"{name} did not run, so nothing is compared with them: {baseline.failure}"
    if baseline.is_recommended:
        return f"nothing measured is better than {name}: they are recommended"
    points = baseline.within_slo or baseline.same_load
    if points is None or not points.figures:
        return f"{name} have no operating point to compare with"
    first = points.figures[0]
    unit = OBJECTIVES[first.quantity].unit
    return f"{gain(first.ratio)} {unit} against {name} ({certainty(first)})"


def titles(baseline: BaselineView) -> Iterator[tuple[str, ComparedPointsView]]:
    """Each comparison with what it compares."""
    if baseline.within_slo is not None:
        points = baseline.within_slo
        within = "their best level within the SLO"
        best = within if points.baseline_meets_slo else "which miss the SLO at every level"
        where = f"{NAMES[baseline.kind]} at {points.baseline_load}, {best}"
        yield f"recommended at {points.load.long}; {where}", points
    if baseline.same_load is not None:
        yield f"both at {baseline.same_load.load.long}", baseline.same_load


def changed_settings(baseline: BaselineView) -> str:
    """Settings of the recommended point that differ: `threads 2 (default), …`."""
    return ", ".join(
        f"{change.field.partition('.')[2]} {format_value(change.recommended)} "
        f"({format_value(change.baseline)})"
        for change in baseline.changes
    )


def print_baseline(baseline: BaselineView, console: Console) -> None:
    """Prints what the recommended point is beside the baseline."""
    console.print(f"[bold]{escape(headline(baseline))}[/bold]", soft_wrap=True)
    for title, points in titles(baseline):
        table = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left")
        table.add_column("")
        for name in (_COLUMNS[baseline.kind], "recommended", "change"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("95 % interval")
        table.add_column("how sure")
        for row in compared_rows(points):
            table.add_row(
                row.name, row.baseline, row.recommended, row.change, row.interval, row.certainty
            )
        console.print(table)
    if changed := changed_settings(baseline):
        console.print(f"it sets {escape(changed)}", soft_wrap=True)
    if baseline.same_load is not None or baseline.within_slo is not None:
        console.print(ONE_LAUNCH, soft_wrap=True)
