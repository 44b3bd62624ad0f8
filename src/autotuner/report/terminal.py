"""A task, or one experiment of it, on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.engines import sample_request
from autotuner.landscapes import REPLAYED
from autotuner.measure import Measurement
from autotuner.report.baseline import print_baseline
from autotuner.report.command import print_command
from autotuner.report.confirmation import print_confirmation
from autotuner.report.point_table import (
    Candidates,
    PointRow,
    has_gpu_column,
    plot_lines,
    print_point_table,
)
from autotuner.report.points import (
    AXES,
    cost_text,
    costs_of,
    disturbed_note,
    energy_text,
    figure_text,
    plane,
    plot_points,
    probability_text,
    rate_column,
    short_level_notes,
    verdict_text,
)
from autotuner.report.prediction_errors import error_table
from autotuner.report.search import reasons_table, search_table, search_title
from autotuner.report.why_terminal import print_why_not
from autotuner.tuning.host_command import engine_of
from autotuner.tuning.points import pooled_levels
from autotuner.tuning.summary import ExperimentView, PointView, TaskSummary


def replay_notice(summary: TaskSummary) -> str | None:
    """That the task is a replay and what that means; None where engines were launched."""
    if not summary.task.replay:
        return None
    took_s = sum((e.startup_s or 0) + (e.measure_s or 0) + e.lost_s for e in summary.experiments)
    return (
        f"of {summary.task.landscape}, {REPLAYED}: figures are recorded ones with their noise, "
        f"times are simulated ({took_s / 60:.0f} min in all)"
    )


def print_experiment(experiment: ExperimentView, summary: TaskSummary, console: Console) -> None:
    """Prints one experiment of a task; the command line stands unwrapped, to be copied."""
    head = f"candidate {experiment.id}, experiment {experiment.index} of task {summary.task.id}"
    console.print(f"[bold]{escape(head)}: {experiment.status}[/bold]", soft_wrap=True)
    if experiment.selection_reason:
        reason = f"chosen ({experiment.phase}): {experiment.selection_reason}"
        console.print(escape(reason), soft_wrap=True)
    settings = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    settings.add_column(no_wrap=True)
    settings.add_column(overflow="fold")
    for path, value in experiment.settings.items():
        searched = " (searched)" if path in summary.task.axes else ""
        settings.add_row(escape(path), escape(f"{value}{searched}"))
    console.print(settings)
    if experiment.measurements:
        console.print()
        console.print(_levels(experiment.measurements))
    if experiment.cut_short:
        console.print(escape(f"cut short {experiment.cut_short}"), soft_wrap=True)
    if experiment.failure is not None:
        failed = f"{experiment.failure.kind}: {experiment.failure.message}"
        console.print(f"[red]failed[/red] {escape(failed)}", soft_wrap=True)
        console.print(escape(f"log: {experiment.log_path}"), soft_wrap=True)
    console.print()
    engine = engine_of(experiment.settings, summary.task.engine)
    request = sample_request(experiment.engine_command or experiment.command, engine)
    print_command(experiment.command, console, request)


def _levels(measurements: list[Measurement]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("load", "tok/s", "req/s", "TTFT ms", "p90", "TPOT ms", "p90", "E2E p90 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    counting = [id(one) for found in pooled_levels(measurements).values() for one in found]
    for level in measurements:
        ttft, tpot, e2e = level.ttft_ms, level.tpot_ms, level.e2e_ms
        errors = "; ".join(f"{count} x {text}" for text, count in level.errors.items())
        table.add_row(
            str(level.load),
            f"{level.tok_s:.1f}",
            f"{level.requests_s:.2f}",
            *(("", "") if ttft is None else (f"{ttft.mean:.0f}", f"{ttft.p90:.0f}")),
            *(("", "") if tpot is None else (f"{tpot.mean:.1f}", f"{tpot.p90:.1f}")),
            "" if e2e is None else f"{e2e.p90:.0f}",
            escape("; ".join(filter(None, _remarks(level, errors, id(level) in counting)))),
        )
    return table


def _remarks(level: Measurement, errors: str, counts: bool) -> Iterator[str]:
    yield "" if level.valid else f"not valid: {errors or level.note}"
    yield "" if level.launch == 1 else f"launch {level.launch}"
    yield "" if counts else "left out"


def print_summary(summary: TaskSummary, console: Console, *, short: bool = False) -> None:
    """Prints what a task found; command lines stand unwrapped, to be copied.

    Args:
        short: a line a row, short names of settings, and no plot.
    """
    run = summary.task
    states = Counter(experiment.status for experiment in summary.experiments)
    text = ", ".join(f"{count} {status}" for status, count in states.items()) or "none yet"
    console.print()
    head = f"task {run.id} '{run.name}': {run.status} ({run.stop_reason or 'under way'})"
    console.print(f"[bold]{escape(head)}[/bold]")
    notice = replay_notice(summary)
    if notice is not None:
        console.print(f"[bold yellow]replay[/bold yellow] {escape(notice)}", soft_wrap=True)
    console.print(escape(f"{run.model} on {run.engine} {run.engine_version}, {run.device}"))
    if run.strategy:
        why = f": {run.strategy_reason}" if run.strategy_reason else ""
        console.print(escape(f"strategy {run.strategy}{why}"), soft_wrap=True)
    cut = sum(experiment.cut_short is not None for experiment in summary.experiments)
    console.print(f"experiments: {text}" + (f"; {cut} of them cut short" if cut else ""))
    _print_failures(summary, console)
    if summary.frontier:
        console.print()
        _print_frontier(summary, console, short=short)
        if not short:
            _print_plot(summary, console)
    else:
        console.print("no operating point was measured: there is no frontier")
    if summary.search.launches:
        console.print()
        console.print(escape(search_title(summary.search)))
        console.print(search_table(summary))
        if not short:
            console.print()
            console.print("Why each was chosen")
            console.print(reasons_table(summary))
    error = summary.prediction_error
    if error is not None:
        console.print()
        text = f"Predicted against actual: median error over {error.base.points} levels"
        console.print(text, soft_wrap=True)
        console.print(error_table(error))
    chosen = summary.recommended
    if chosen is not None:
        title = "recommended" if chosen.meets_slo else "nearest to the SLO"
        console.print()
        console.print(f"[bold green]{title}:[/bold green] {escape(chosen.reason)}", soft_wrap=True)
        if (cost := cost_text(costs_of(chosen))) is not None:
            console.print(cost, soft_wrap=True)
        if (energy := energy_text(chosen)) is not None:
            console.print(escape(energy), soft_wrap=True)
        print_command(chosen.command, console, chosen.sample_request)
    if summary.why_not:
        console.print()
        print_why_not(summary.why_not, f"autotuner why {run.id}", console)
    if summary.baseline is not None:
        console.print()
        print_baseline(summary.baseline, console)
    if summary.confirmation is not None:
        console.print()
        print_confirmation(summary.confirmation, console)
    for note in short_level_notes(summary):
        console.print()
        console.print(f"[yellow]{escape(note)}[/yellow]", soft_wrap=True)
    if (disturbed := disturbed_note(summary)) is not None:
        console.print()
        console.print(f"[yellow]{disturbed}[/yellow]", soft_wrap=True)
    if summary.report is not None:
        console.print()
        console.print(f"report: {escape(summary.report)}", soft_wrap=True)


def _print_failures(summary: TaskSummary, console: Console) -> None:
    messages: dict[str, list[str]] = {}
    for experiment in summary.experiments:
        if experiment.failure is not None:
            messages.setdefault(experiment.failure.kind, []).append(experiment.failure.message)
    for kind, texts in messages.items():
        first = escape(texts[0])
        console.print(f"  [red]{len(texts)} x {escape(kind)}[/red]: {first}", soft_wrap=True)


def _print_frontier(summary: TaskSummary, console: Console, *, short: bool) -> None:
    """Rows are numbered as `autotuner render --point` counts them."""
    experiments = {experiment.id: experiment for experiment in summary.experiments}
    gpus = {key: experiment.gpus for key, experiment in experiments.items()}
    several = has_gpu_column(gpus[point.experiment] for point in summary.frontier)
    rate, unit, digits = rate_column(summary.frontier)
    has_slo = any(point.verdicts for point in summary.frontier)
    is_sure = any(point.probability_on_frontier is not None for point in summary.frontier)
    figures = (unit, *([f"{unit}/GPU"] if several else []), "tok/s/user", "TTFT ms", "TPOT ms")
    rows = []
    chosen = summary.recommended
    is_listed = chosen is None or any(is_recommended(p, summary) for p in summary.frontier)
    beside: list[PointView] = [] if is_listed or chosen is None else [chosen]
    for number, point in enumerate((*summary.frontier, *beside), 1):
        is_chosen = is_recommended(point, summary)
        cells = (
            "*" if point is chosen else f"{'* ' if is_chosen else ''}{number}",
            *([str(gpus[point.experiment])] if several else []),
            str(point.load),
            figure_text(getattr(point, rate), digits),
            *([figure_text(getattr(point, f"{rate}_per_gpu"), digits)] if several else []),
            figure_text(point.tok_s_per_user, 1),
            f"{point.ttft_ms:.0f}",
            figure_text(point.tpot_ms, 1),
            *([verdict_text(point)] if has_slo else []),
            *([probability_text(point)] if is_sure else []),
        )
        rows.append(PointRow(point.experiment, cells, "bold" if is_chosen else None))
    print_point_table(
        console,
        "Pareto frontier",
        (
            *("point", *(["GPUs"] if several else []), "load", *figures),
            *(["SLO"] if has_slo else []),
            *(["on frontier"] if is_sure else []),
        ),
        rows,
        Candidates({key: e.settings for key, e in experiments.items()}, summary.task.axes),
        short=short,
    )
    number = summary.task.id
    console.print(
        f"`autotuner render --task {number} --point K` prints the command of point K",
        soft_wrap=True,
    )


def is_recommended(point: PointView, summary: TaskSummary) -> bool:
    """Whether it is the recommended point of the task."""
    chosen = summary.recommended
    return chosen is not None and (point.experiment, point.load) == (
        chosen.experiment,
        chosen.load,
    )


def _print_plot(summary: TaskSummary, console: Console) -> None:
    x, y = plane(summary.task.objectives)
    console.print()
    chosen = summary.recommended
    star = "* nearest to the SLO" if chosen and not chosen.meets_slo else "* recommended"
    console.print(f"{AXES[y]}, upwards", soft_wrap=True)
    console.print(f"o frontier, {star}, . dominated")
    for line in plot_lines(plot_points(summary), x=x, y=y):
        console.print(line, markup=False, highlight=False, no_wrap=True, overflow="crop")
    console.print(f"{'':10}{AXES[x]}, rightwards")
