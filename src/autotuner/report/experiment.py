"""One experiment on the terminal: its settings, what was measured, how it failed, its command."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autotuner.measure import Measurement
from autotuner.tuning.summary import ExperimentView, RunSummary


def print_experiment(experiment: ExperimentView, summary: RunSummary, console: Console) -> None:
    """Prints one experiment of a run; the command line stands unwrapped, to be copied."""
    head = f"candidate {experiment.id}, experiment {experiment.index} of run {summary.run.id}"
    console.print(f"[bold]{escape(head)}: {experiment.status}[/bold]", soft_wrap=True)
    if experiment.selection_reason:
        reason = f"chosen ({experiment.phase}): {experiment.selection_reason}"
        console.print(escape(reason), soft_wrap=True)
    settings = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    settings.add_column(no_wrap=True)
    settings.add_column(overflow="fold")
    for path, value in experiment.settings.items():
        searched = " (searched)" if path in summary.run.axes else ""
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
    console.print(experiment.command, soft_wrap=True, markup=False, highlight=False)


def _levels(measurements: list[Measurement]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("conc.", "tok/s", "req/s", "TTFT ms", "p90", "TPOT ms", "p90", "E2E p90 ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for level in measurements:
        ttft, tpot, e2e = level.ttft_ms, level.tpot_ms, level.e2e_ms
        errors = "; ".join(f"{count} x {text}" for text, count in level.errors.items())
        table.add_row(
            str(level.concurrency),
            f"{level.tok_s:.1f}",
            f"{level.requests_s:.2f}",
            *(("", "") if ttft is None else (f"{ttft.mean:.0f}", f"{ttft.p90:.0f}")),
            *(("", "") if tpot is None else (f"{tpot.mean:.1f}", f"{tpot.p90:.1f}")),
            "" if e2e is None else f"{e2e.p90:.0f}",
            "" if level.valid else escape(f"not valid: {errors or level.note}"),
        )
    return table
