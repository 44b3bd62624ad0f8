"""Where the time of a configuration goes, on the terminal."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.report.performance_words import (
    LATENCIES,
    change_lines,
    change_text,
    circumstances,
    did_not_help_text,
    learnt_lines,
    learnt_title,
    limit_lines,
    origin,
    reach_text,
    title,
    uncertain_lines,
)
from autotuner.search.points import figure, percent
from autotuner.tuning.performance_views import PartView, PerformanceView

_MOST_HELPS, _LEAST_SHARE, _LEAST_SHARE_SHORT = 5, 0.01, 0.05


def print_performance(
    found: PerformanceView, console: Console, axes: Collection[str], *, short: bool = False
) -> None:
    """Prints the explained point.

    Args:
        axes: fields that the task searches.
        short: the parts that take long, and no settings that would help.
    """
    console.print(f"[bold]Where the time goes:[/bold] {escape(title(found, axes))}", soft_wrap=True)
    console.print(escape(circumstances(found)), soft_wrap=True)
    console.print(escape(origin(found)), soft_wrap=True)
    for note in found.notes:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)
    console.print()
    console.print(_latencies(found))
    console.print()
    console.print(_parts(found, least=_LEAST_SHARE_SHORT if short else _LEAST_SHARE))
    for line in uncertain_lines(found):
        console.print(f"  {escape(line)}", soft_wrap=True)
    console.print()
    console.print("[bold]What limits it[/bold]")
    for line in limit_lines(found):
        console.print(f"  {escape(line)}", soft_wrap=True)
    if not short:
        console.print()
        _print_helps(found, console)
    print_learnt(found, console)


def print_learnt(found: PerformanceView, console: Console) -> None:
    """Prints what was learnt of the machine, in a few lines; nothing where nothing was."""
    lines = learnt_lines(found)
    if not lines:
        return
    console.print()
    console.print(f"[bold]{escape(learnt_title(found))}[/bold]", soft_wrap=True)
    for line in lines:
        console.print(f"  {escape(line)}", soft_wrap=True)


def _latencies(found: PerformanceView) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("ms")
    last = "roofline, with what was learnt" if found.launches else "roofline (80 %)"
    heads = ["measured" if found.measured else "predicted"]
    heads += ["roofline, as assumed"] if found.launches else []
    for head in (*heads, last):
        table.add_column(head, justify="right")
    for one in found.latencies:
        ends = f"{figure(one.learnt_low_ms)}-{figure(one.learnt_high_ms)}"
        cells = [figure(one.value_ms), figure(one.roofline_ms)][: len(heads)]
        table.add_row(LATENCIES[one.quantity], *cells, f"{figure(one.learnt_ms)} ({ends})")
    return table


def _parts(found: PerformanceView, *, least: float) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("part of the time", overflow="fold", max_width=32)
    quantities = [latency.quantity for latency in found.latencies]
    for quantity in quantities:
        table.add_column(f"{LATENCIES[quantity]} ms", justify="right", no_wrap=True)
        table.add_column("share", justify="right", no_wrap=True)
    table.add_column("reaches", overflow="fold")
    shown = [part for part in found.parts if max(part.ttft_share, part.tpot_share) >= least]
    for part in shown:
        cells = [cell for quantity in quantities for cell in _cells(part, quantity)]
        table.add_row(escape(part.what), *cells, escape(reach_text(part)))
    left = found.parts[len(shown) :]
    if left:
        table.add_row(f"{len(left)} smaller")
    return table


def _cells(part: PartView, quantity: str) -> tuple[str, str]:
    name = quantity.removesuffix("_ms")
    ms, share = getattr(part, quantity), getattr(part, f"{name}_share")
    return (figure(ms), percent(share)) if ms else ("-", "-")


def _print_helps(found: PerformanceView, console: Console) -> None:
    if found.helps:
        console.print("[bold]What would help[/bold], as predicted, with 80 % intervals")
    else:
        console.print("No other value of a setting that the engine has is expected to help.")
    for change in found.helps[:_MOST_HELPS]:
        console.print(f"  [bold]{escape(change_text(change))}[/bold]", soft_wrap=True)
        for line in change_lines(change):
            console.print(f"    {escape(line)}", soft_wrap=True)
    if len(found.helps) > _MOST_HELPS:
        console.print(f"  and {len(found.helps) - _MOST_HELPS} more; --json has them all")
    for change in found.did_not_help:
        console.print(f"  {escape(did_not_help_text(change))}", soft_wrap=True)
    if found.no_setting:
        parts = ", ".join(found.no_setting)
        console.print(f"  nothing that was tried shortens {escape(parts)} much", soft_wrap=True)
