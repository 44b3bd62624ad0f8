"""The predictions of a task on the terminal: the frontier and the recommended point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.config import PERCENTILES
from autotuner.predict import Prediction
from autotuner.predict.predictor import (
    METRICS,
    describe_percentile,
    interval80,
    limit_interval80,
    verdict,
)
from autotuner.report.command import print_command
from autotuner.report.plan_document import limits_of, mixed_text, point_key, settings_of
from autotuner.report.point_table import (
    Candidates,
    PointRow,
    has_gpu_column,
    plot_lines,
    print_point_table,
    short_ids,
)
from autotuner.report.points import AXES, PlotPoint, figure_text, plane, rate_column, settings_text
from autotuner.search import COST, OBJECTIVES, as_point
from autotuner.search.points import figure, percent
from autotuner.search.slo import beyond
from autotuner.tuning.estimate import PlanEstimate
from autotuner.tuning.host_command import planned_command
from autotuner.tuning.prepare import Prepared

_SHOWN_REASONS = 5


def print_estimate(
    prepared: Prepared,
    found: PlanEstimate,
    console: Console,
    *,
    most: int | None,
    plot: bool = False,
    short: bool = False,
) -> None:
    """Prints the predicted frontier, its first `most` points, and what could not be predicted.

    Args:
        short: a line a point: no intervals, short names of settings.
    """
    for name, why in found.whys.items():
        console.print(f"[bold]predicted by[/bold] {escape(name)}: {escape(why)}", soft_wrap=True)
    if found.observations:
        console.print(f"corrected by {found.observations} observations")
    console.print(_counts(found))
    for reason, count in _reasons(found):
        console.print(escape(f"  {count} x {reason}"), soft_wrap=True)
    if not found.frontier:
        return
    if (mixed := mixed_text(found.points)) is not None:
        console.print(f"[yellow]{escape(mixed)}[/yellow]", soft_wrap=True)
    console.print()
    print_frontier(prepared, found.frontier[:most], console, short=short)
    left = len(found.frontier) - len(found.frontier[:most])
    if left:
        console.print(f"and {left} more; `autotuner predict TASK --all` shows them")
    print_recommended(prepared, found, console)
    if plot:
        _print_plot(found, prepared.task.objectives, console)


def print_frontier(
    prepared: Prepared, points: Sequence[Prediction], console: Console, *, short: bool = False
) -> None:
    """Prints predicted points with their 80 % intervals, after the settings that all share."""
    several = has_gpu_column(point.devices for point in points)
    rate, unit, _ = rate_column(points)
    throughput = f"{unit}/GPU" if several else unit
    priced = COST in prepared.task.objectives
    kinds = dict(zip(_kinds(points), ascii_lowercase, strict=False))
    marked = len(kinds) > 1
    heads = (
        *("load", throughput, "tok/s/user", "TTFT ms", "TPOT ms"),
        *(["USD/M"] if priced else []),
        *(["data"] if marked else []),
    )
    rows = [
        PointRow(
            candidate=point.candidate_id,
            cells=(
                *([str(point.devices)] if several else []),
                str(point.load),
                _band(getattr(point, f"{rate}_per_gpu"), point.tok_s_log_std, short=short),
                figure_text(point.tok_s_per_user, 1),
                _band(point.ttft_ms, point.ttft_log_std, short=short),
                _band(point.tpot_ms, point.tpot_log_std, short=short),
                *([_cost(prepared, point, short=short)] if priced else []),
                *([kinds.get(point.kind, "…")] if marked else []),
            ),
        )
        for point in points
    ]
    print_point_table(
        console,
        "Predicted frontier" + ("" if short else ", with 80 % intervals"),
        (*(["GPUs"] if several else []), *heads),
        rows,
        Candidates({c.id: c.settings() for c in prepared.space.candidates}, prepared.axes),
        short=short,
    )
    for kind, letter in kinds.items() if marked else ():
        console.print(escape(f"data {letter}: {kind}"), soft_wrap=True)
    console.print("`autotuner render TASK --candidate ID` prints the command of a row")


def print_recommended(prepared: Prepared, found: PlanEstimate, console: Console) -> None:
    """Prints the point, how it stands to each limit, why it is chosen and how it is started."""
    chosen = found.recommended
    if chosen is None:
        return
    point = chosen.point
    title = "expected best" if chosen.meets_slo else "nearest to the SLO"
    settings = settings_text(settings_of(prepared, point), prepared.axes)
    figures = [_figure(point, name) for name in METRICS if getattr(point, name) is not None]
    if point.tpot_ms is None:
        low, high = interval80(point.requests_per_s, point.tok_s_log_std)
        rate = figure(point.requests_per_s)
        figures[-1] = f"{rate} requests/s ({figure(low)}–{figure(high)})"
    console.print()
    short = short_ids([candidate.id for candidate in prepared.space.candidates])
    named = f"{short[point.candidate_id]} {escape(settings)}"
    console.print(
        f"[bold]{title}[/bold] {named} at {point.load.long}: {', '.join(figures)}",
        soft_wrap=True,
    )
    console.print(f"  {escape(chosen.reason)}", soft_wrap=True)
    for name, limit, value in limits_of(prepared, point):
        low, high = interval = limit_interval80(point, name)
        label, stands = OBJECTIVES[name].label, verdict(interval, limit)
        excess = f", {beyond(value / limit - 1, 'it')}" if value > limit else ""
        console.print(
            f"  {stands}: {label} {figure(value)} ms ({figure(low)}–{figure(high)}), "
            f"the limit is {limit:g} ms{excess}",
            soft_wrap=True,
        )
        if basis := describe_percentile(point, name):
            console.print(f"    {label} by {escape(basis)}", soft_wrap=True)
    if point.members:
        _print_members(point, console)
    spec = prepared.space.specs[point.candidate_id]
    print_command(planned_command(prepared, spec, settings_of(prepared, point)), console)


def _print_members(point: Prediction, console: Console) -> None:
    """Prints what each predictor of a blend says of a point, and its weight."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("it is a mean of")
    for title in ("TTFT ms", "weight", "TPOT ms", "weight"):
        table.add_column(title, justify="right")
    for one in point.members:
        tpot = ("", "") if one.tpot_ms is None else (figure(one.tpot_ms), percent(one.tpot_weight))
        table.add_row(one.name, figure(one.ttft_ms), percent(one.ttft_weight), *tpot)
    console.print(table)
    for one in point.members:
        shown = (f"{PERCENTILES[k].label} {figure(ms)} ms" for k, ms in one.percentiles.items())
        if one.percentiles:
            console.print(f"  {one.name}: {', '.join(shown)}", soft_wrap=True)


def _cost(prepared: Prepared, point: Prediction, *, short: bool) -> str:
    """USD for a million output tokens; as unsure as throughput is."""
    cost = as_point(point, prepared.usd_per_gpu_hour).usd_per_million_tokens
    return _band(cost, point.tok_s_log_std, short=short)


def _kinds(points: Iterable[Prediction]) -> list[str]:
    return list(dict.fromkeys(point.kind for point in points))


def _band(value: float | None, log_std: float, *, short: bool) -> str:
    """A value, and under it where four measurements in five are expected; a dash for no value."""
    if value is None:
        return figure_text(value, 0)
    if short:
        return _short(value)
    low, high = interval80(value, log_std)
    return f"{_short(value)}\n{_short(low)}-{_short(high)}"


def _short(value: float) -> str:
    """Three digits or more, without an exponent."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _counts(found: PlanEstimate) -> str:
    predicted = sum(bool(expected.points) for expected in found.expected.values())
    counts = [
        f"{predicted} of {found.candidates} candidates predicted",
        f"{len(found.out_of_memory)} out of memory",
        f"{len(found.refused)} refused",
    ]
    unasked = found.candidates - len(found.expected)
    if unasked:
        counts.append(f"{unasked} not asked (a sample, spread evenly)")
    return ", ".join(counts)


def _reasons(found: PlanEstimate) -> list[tuple[str, int]]:
    absent = Counter(e.absent for e in found.expected.values() if e.absent is not None)
    shown = absent.most_common(_SHOWN_REASONS)
    hidden = len(absent) - len(shown)
    rest = absent.total() - sum(count for _, count in shown)
    return [*shown, *([(f"{hidden} other reasons; --json has them all", rest)] if hidden else [])]


def _print_plot(found: PlanEstimate, objectives: Sequence[str], console: Console) -> None:
    front = set(map(point_key, found.frontier))
    points = [
        PlotPoint(
            experiment=point.candidate_id,
            label="",
            load=point.load,
            values={
                name: value for name in AXES if (value := getattr(point, name, None)) is not None
            },
            on_frontier=point_key(point) in front,
            recommended=False,
        )
        for point in found.points
    ]
    console.print()
    x, y = plane(objectives)
    console.print(f"{AXES[y]}, upwards; o predicted frontier, . dominated")
    for line in plot_lines(points, x=x, y=y):
        console.print(line, markup=False, highlight=False, no_wrap=True, overflow="crop")
    console.print(f"{'':10}{AXES[x]}, rightwards")


def _figure(point: Prediction, name: str) -> str:
    value = getattr(point, name)
    low, high = interval80(value, getattr(point, METRICS[name]))
    objective = OBJECTIVES[name]
    label = f"{objective.label} " if objective.label else ""
    return f"{label}{figure(value)} {objective.unit} ({figure(low)}–{figure(high)})"
