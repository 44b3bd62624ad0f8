"""Why points meet the SLO or do not, and what is excluded, on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.report.points import settings_text, value_text
from autotuner.report.why_words import (
    admitted_text,
    elsewhere_lines,
    excess_text,
    excluded_lines,
    failure_lines,
    label,
    limits_title,
    nearest_text,
    tightest_lines,
    together_lines,
)
from autotuner.search.points import figure
from autotuner.tuning.why_views import ElsewhereView, ExclusionsView, SloEffectsView, WhyView

_MOST_PLACES, _MOST_RULES = 8, 8


def print_why(found: WhyView, console: Console) -> None:
    """Prints the answer: a sentence first, then the numbers behind it."""
    console.print(f"[bold]{escape(found.lead)}[/bold]", soft_wrap=True)
    where = found.name if found.task is None else f"task {found.task} '{found.name}'"
    console.print(
        escape(f"{where}: {found.model} on {found.engine}, {found.device}"), soft_wrap=True
    )
    for limits in (found.measured, found.predicted):
        if limits is not None and found.slo:
            console.print()
            _print_limits(limits, found, console)
    if found.exclusions is not None:
        _print_excluded(found.exclusions, console)
    _print_section("Launches that failed", failure_lines(found.failures), console)
    if found.elsewhere:
        console.print()
        _print_elsewhere(found.elsewhere, found.unit, console)
    for note in found.notes:
        console.print(f"[yellow]note[/yellow] {escape(note)}", soft_wrap=True)


def print_why_not(lines: Sequence[str], command: str, console: Console) -> None:
    """Prints why nothing meets the SLO or much is excluded, and the command that has all of it."""
    for place, line in enumerate(lines):
        head = "  " if place else "[bold]why not:[/bold] "
        console.print(f"{head}{escape(line)}", soft_wrap=True)
    text = f"`{command}` has the numbers, and what other hardware would do"
    console.print(escape(text), soft_wrap=True)


def _print_limits(limits: SloEffectsView, found: WhyView, console: Console) -> None:
    console.print(f"[bold]{escape(limits_title(limits))}[/bold]", soft_wrap=True)
    table = _table("limit", "ms", "points miss it", "it alone", "candidates out", "lowest ms")
    for one in limits.limits:
        table.add_row(
            label(one.name),
            f"{one.limit_ms:,g}",
            f"{one.missing:,}",
            f"{one.only_missing:,}",
            f"{one.candidates:,} of {limits.candidates:,}",
            "-" if one.nearest_ms is None else figure(one.nearest_ms),
        )
    console.print(table)
    for line in together_lines(limits):
        console.print(f"  {escape(line)}", soft_wrap=True)
    if (text := nearest_text(limits)) is not None:
        console.print(f"  {escape(text)}", soft_wrap=True)
    _print_relaxed(limits, found, console)
    for line in tightest_lines(limits, found.unit):
        console.print(f"  {escape(line)}", soft_wrap=True)


def _print_relaxed(limits: SloEffectsView, found: WhyView, console: Console) -> None:
    table = _table("relaxing", "ms", "by", "points", "candidates", f"best {found.unit}", "with")
    for effect in limits.limits:
        for one in effect.relaxed:
            limit = one.limits[effect.name]
            table.add_row(
                label(effect.name),
                f"{effect.limit_ms:,g} -> {limit:,g}",
                excess_text(limit / effect.limit_ms - 1),
                f"{one.points:,}",
                f"{one.candidates:,}",
                *admitted_text(one),
            )
    if limits.at_factor is not None and limits.factor is not None and limits.factor > 1:
        table.add_row(
            "all limits",
            f"x {limits.factor:.3g}",
            excess_text(limits.factor - 1),
            f"{limits.at_factor.points:,}",
            f"{limits.at_factor.candidates:,}",
            *admitted_text(limits.at_factor),
        )
    if table.row_count:
        console.print(table)


def _print_excluded(found: ExclusionsView, console: Console) -> None:
    lines = list(excluded_lines(found))
    if not lines:
        return
    console.print()
    left = found.combinations - found.candidates
    title = "Not predicted"
    if left:
        title = f"Excluded: {left:,} of {found.combinations:,} combinations"
    console.print(f"[bold]{title}[/bold]", soft_wrap=True)
    if found.rules:
        short = any(rule.missing_gib is not None for rule in found.rules)
        gib = ["GiB short"] if short else []
        table = _table("a candidate needs that", "break it", "it alone", *gib, "nearest")
        table.columns[0].justify = table.columns[-1].justify = "left"
        for rule in found.rules[:_MOST_RULES]:
            nearest = settings_text(rule.nearest, rule.nearest) if rule.nearest else "all"
            table.add_row(
                escape(rule.name),
                f"{rule.breaking:,}",
                f"{rule.alone:,}",
                *(["" if rule.missing_gib is None else figure(rule.missing_gib)] if short else []),
                escape(nearest),
            )
        console.print(table)
    for line in lines:
        console.print(f"  {escape(line)}", soft_wrap=True)


def _print_elsewhere(rows: Sequence[ElsewhereView], unit: str, console: Console) -> None:
    console.print("[bold]On other hardware, or with other weights (predicted)[/bold]")
    now = [one for one in rows if one.now]
    others = sorted(
        (one for one in rows if not one.now and not one.unanswered),
        key=lambda one: (one.meeting == 0, one.factor or 0.0, -(one.best or 0.0)),
    )
    table = _table("", "points", "meet the SLO", f"best {unit}", "USD/M", "limits times")
    table.columns[0].justify = "left"
    for one in (*now, *others[:_MOST_PLACES]):
        table.add_row(
            escape(one.what),
            f"{one.points:,}",
            f"{one.meeting:,}",
            "-" if one.best is None else figure(one.best),
            "-" if one.usd_per_million_tokens is None else figure(one.usd_per_million_tokens),
            "-" if one.factor is None else value_text(one.factor),
        )
    console.print(table)
    for line in elsewhere_lines(rows, others[_MOST_PLACES:]):
        console.print(f"  {escape(line)}", soft_wrap=True)


def _print_section(title: str, lines: Iterable[str], console: Console) -> None:
    found = list(lines)
    if not found:
        return
    console.print()
    console.print(f"[bold]{escape(title)}[/bold]")
    for line in found:
        console.print(f"  {escape(line)}", soft_wrap=True)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right", overflow="fold", no_wrap=name == "with")
    return table
