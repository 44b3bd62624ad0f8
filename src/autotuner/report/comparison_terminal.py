"""Predictions against measurements on the terminal."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.verify import METRICS, Comparison, Errors, PredictedChoice, Side, Verdict

_SHOWN = 5
_PLAIN: dict[str, Any] = {"title_justify": "left", "box": None, "padding": (0, 2, 0, 0)}


def print_comparison(
    comparison: Comparison, console: Console, verdicts: Sequence[Verdict] = ()
) -> None:
    """Prints errors, choices, what stands furthest off, and what took no part."""
    console.print()
    console.print(f"[bold]{escape(comparison.title)}[/bold]", soft_wrap=True)
    _print_side("predicted", comparison.predicted, console)
    _print_side("measured", comparison.actual, console)
    console.print(f"{len(comparison.pairs)} pairs, {comparison.alike} like for like")
    for why, count in list(comparison.unlike.items())[:_SHOWN]:
        console.print(f"  [yellow]{count} x[/yellow] {escape(why)}", soft_wrap=True)
    console.print()
    console.print(_errors_table(comparison.errors, comparison.within))
    if 0 < comparison.alike < len(comparison.pairs):
        console.print("those that are like for like:")
        console.print(_errors_table(comparison.like_for_like, comparison.within))
    for dimension, values in comparison.by.items():
        console.print()
        console.print(_dimension_table(dimension, values))
    console.print()
    console.print(_worst_table(comparison))
    _print_choices(comparison, console)
    for verdict in verdicts:
        _print_verdict(verdict, console)


def _print_side(role: str, side: Side, console: Console) -> None:
    text = f"{role}: {side.name} ({side.format}), {side.points} points"
    for what, found in (("without a counterpart", side.unmatched), ("excluded", side.excluded)):
        if found:
            text += f", {len(found)} {what}"
    console.print(escape(text), soft_wrap=True)
    for note in side.notes:
        console.print(f"  {escape(note)}", soft_wrap=True)
    for one in side.excluded[:_SHOWN]:
        text = escape(f"{one.source}: {one.why}")
        console.print(f"  [yellow]excluded[/yellow] {text}", soft_wrap=True)
    reasons = [one for one in side.unmatched if role == "measured"]
    for one in reasons[:_SHOWN]:
        console.print(f"  [yellow]left out[/yellow] {escape(f'{one.source}: {one.why}')}")
    hidden = max(len(side.excluded) - _SHOWN, 0) + max(len(reasons) - _SHOWN, 0)
    if hidden:
        console.print(f"  and {hidden} more; --json lists all")
    if side.not_used:
        names = list(side.not_used)
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        text = (
            f"  fields of it that are not used: {', '.join(names[:_SHOWN])}{more}; --json says why"
        )
        console.print(escape(text), soft_wrap=True)


def _errors_table(found: Mapping[str, Errors], within: Sequence[float]) -> Table:
    table = Table(
        title="errors in %, bias as a factor, rank correlation, % of pairs within",
        **_PLAIN,
    )
    table.add_column("", no_wrap=True)
    for name in ("pairs", "median", "MAPE", "bias", "rank"):
        table.add_column(name, justify="right", no_wrap=True)
    for limit in within:
        table.add_column(f"{limit:g} %", justify="right", no_wrap=True)
    for name, errors in found.items():
        table.add_row(
            METRICS[name].title,
            str(errors.pairs),
            _text(errors.median_ape, 1),
            _text(errors.mape, 1),
            _text(errors.bias, 2),
            _text(errors.spearman, 2),
            *(_percent(errors.within.get(limit)) for limit in within),
        )
    return table


def _dimension_table(dimension: str, values: Mapping[str, Mapping[str, Errors]]) -> Table:
    table = Table(title="median error in % (bias)", **_PLAIN)
    table.add_column(dimension, overflow="fold")
    table.add_column("pairs", justify="right")
    for metric in METRICS.values():
        table.add_column(metric.name, justify="right", no_wrap=True)
    for value, found in values.items():
        cells = [
            "" if errors.bias is None else f"{_text(errors.median_ape, 1)} ({errors.bias:.2f})"
            for errors in found.values()
        ]
        count = max(errors.pairs + errors.missing for errors in found.values())
        table.add_row(escape(value), str(count), *cells)
    return table


def _worst_table(comparison: Comparison) -> Table:
    table = Table(title="furthest off", **_PLAIN)
    table.add_column("")
    table.add_column("layout", overflow="fold")
    for name in ("load", "predicted", "measured", "error %"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, misses in comparison.worst.items():
        for miss in misses[:2]:
            table.add_row(
                f"{name} {METRICS[name].unit}",
                escape(miss.pair.label),
                str(miss.pair.actual.load),
                f"{miss.predicted:.4g}",
                f"{miss.actual:.4g}",
                f"{miss.error:+.1f}",
            )
    return table


def _print_choices(comparison: Comparison, console: Console) -> None:
    console.print()
    found = comparison.choices
    if not found:
        console.print("no scenario has two points with all that a choice needs")
        return
    if len(found) > _SHOWN:
        same = sum(choice.same for choice in found)
        ratios = statistics.median(choice.hypervolume_ratio for choice in found)
        regrets = [choice.regret for choice in found if choice.regret is not None]
        console.print(
            f"{len(found)} scenarios: the same choice in {same}; medians: hypervolume "
            f"{ratios:.3f} of the measured frontier's, regret {_text(_median(regrets), 1)} %"
        )
        return
    for choice in found:
        _print_choice(choice, console)


def _print_choice(choice: PredictedChoice, console: Console) -> None:
    console.print(f"[bold]choice[/bold] {escape(choice.scenario)}, {choice.points} points")
    console.print(
        f"  frontier: {choice.predicted_frontier} points predicted, {choice.actual_frontier} "
        f"measured, {choice.common} on both; hypervolume {choice.hypervolume_ratio:.3f} of the "
        "measured one's",
        soft_wrap=True,
    )
    chosen = f"{choice.chosen.label} at {choice.chosen.actual.load}"
    if choice.same:
        console.print(f"  prediction and measurement choose the same: {escape(chosen)}")
    else:
        best = f"{choice.best.label} at {choice.best.actual.load}"
        regret = "" if choice.regret is None else f", regret {choice.regret:.1f} %"
        text = f"prediction chooses {chosen}, measurement {best}{regret}"
        console.print(f"  {escape(text)}", soft_wrap=True)
    if choice.meets_slo is not None:
        console.print(f"  the choice {'meets' if choice.meets_slo else 'breaks'} the SLO")


def _print_verdict(verdict: Verdict, console: Console) -> None:
    asked = verdict.requirement
    word = "[green]met[/green]" if verdict.met else "[red]missed[/red]"
    found = "unknown" if verdict.found is None else f"{verdict.found:.4g}"
    console.print(f"{word} {asked.name}: {found}, {asked.bound} {asked.limit:g}")


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
