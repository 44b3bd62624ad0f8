"""The recommended point beside the baseline, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.search.axes import format_value
from autotuner.search.points import figure
from autotuner.tuning.baseline_views import BaselineView, ComparedPointsView

_COLUMNS = {"defaults": "defaults", "mine": "current"}


def print_baseline(baseline: BaselineView, console: Console) -> None:
    """Prints what the recommended point is beside the baseline."""
    console.print(f"[bold]{escape(baseline.headline)}[/bold]", soft_wrap=True)
    for points in filter(None, (baseline.within_slo, baseline.same_load)):
        console.print(points.title, soft_wrap=True)
        console.print(_table(points, _COLUMNS[baseline.kind]))
        if points.note:
            console.print(escape(points.note), soft_wrap=True)
    if baseline.changes:
        changes = ", ".join(
            f"{change.name} {format_value(change.baseline)} -> {format_value(change.recommended)}"
            for change in baseline.changes
        )
        console.print(f"the recommended point changes {escape(changes)}", soft_wrap=True)
    if baseline.caveat:
        console.print(baseline.caveat, soft_wrap=True)


def _table(points: ComparedPointsView, column: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in (column, "recommended", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("95 % interval")
    table.add_column("how sure")
    for found in points.figures:
        row = (figure(found.baseline), figure(found.recommended))
        table.add_row(found.name, *row, found.change, found.interval, found.certainty)
    return table
