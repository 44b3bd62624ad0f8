"""What a task may expect, for people and for scripts: before anything is launched."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from string import ascii_lowercase
from typing import Any

from rich.console import Console
from rich.markup import escape

from autotuner.predict import Prediction
from autotuner.predict.interval import interval80
from autotuner.report.expected_point import print_recommended, recommended_document
from autotuner.report.plot import plot_lines
from autotuner.report.point_table import Candidates, PointRow, print_point_table
from autotuner.report.points import AXES, PlotPoint, figure_text, plane, rate_column
from autotuner.report.row_names import has_gpu_column
from autotuner.search import COST, as_point
from autotuner.tuning.outlook import Outlook
from autotuner.tuning.prepare import Prepared

_SHOWN_REASONS = 5
_COLUMNS = {
    "candidate": "candidate",
    "gpus": "gpus",
    "concurrency": "concurrency",
    "ttft_ms": "ttft (ms)",
    "tpot_ms": "tpot (ms)",
    "tok_s": "throughput (output tok/s)",
    "tok_s_per_gpu": "throughput per device (output tok/s)",
    "tok_s_per_user": "speed per user (output tok/s)",
    "requests_per_s": "requests/s",
    "e2e_ms": "e2e latency (ms)",
    "ttft_log_std": "ttft std of ln(measured/predicted)",
    "tpot_log_std": "tpot std of ln(measured/predicted)",
    "tok_s_log_std": "throughput std of ln(measured/predicted)",
    "memory_gib": "memory per device (GiB)",
    "source": "source",
    "kind": "kind of data",
    "note": "note",
    "on_frontier": "on the frontier",
}
"""What a predicted point tells -> its column's head in a CSV file."""


def outlook_document(prepared: Prepared, found: Outlook) -> dict[str, Any]:
    """The outlook as `--json` prints it."""
    isl, osl = prepared.workload.mean()
    settings = {c.id: c.settings() for c in prepared.space.candidates if c.id in found.expected}
    front = set(map(_key, found.frontier))
    return {
        "task": prepared.task.name,
        "model": prepared.model.name,
        "engine": prepared.engine_name,
        "engine_version": prepared.engine_version,
        "device": prepared.device_name,
        "workload": {
            "isl": isl,
            "osl": osl,
            "prefix": prepared.task.fixed().get("runtime.prefix", 0),
        },
        "predictor": "; ".join(found.whys) or None,
        "why": "; ".join(dict.fromkeys(found.whys.values())),
        "observations": found.observations,
        "corrected_by": sorted({seen.mark for seen in found.corrected_by}),
        "candidates": found.candidates,
        "levels": sorted(prepared.task.benchmark.levels),
        "predictions": [
            _row(point, settings[point.candidate_id], _key(point) in front)
            for point in found.points
        ],
        "recommended": recommended_document(prepared, found),
        "mixed": mixed_text(found.points),
        "frontier": [_row(p, settings[p.candidate_id], True) for p in found.frontier],
        "out_of_memory": {
            key: asdict(expected.out_of_memory)
            for key, expected in found.out_of_memory.items()
            if expected.out_of_memory is not None
        },
        "refused": found.refused,
    }


def outlook_csv(document: Mapping[str, Any]) -> str:
    """One row a predicted point; the settings that any candidate has follow the figures."""
    rows = document["predictions"]
    paths = list(dict.fromkeys(path for row in rows for path in row["settings"]))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*_COLUMNS.values(), *paths])
    for row in rows:
        figures = ["" if row[name] is None else row[name] for name in _COLUMNS]
        writer.writerow([*figures, *(row["settings"].get(path, "") for path in paths)])
    return file.getvalue()


def print_outlook(
    prepared: Prepared,
    found: Outlook,
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
        *("conc.", throughput, "tok/s/user", "TTFT ms", "TPOT ms"),
        *(["USD/M"] if priced else []),
        *(["data"] if marked else []),
    )
    rows = [
        PointRow(
            candidate=point.candidate_id,
            cells=(
                *([str(point.devices)] if several else []),
                str(point.concurrency),
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


def _cost(prepared: Prepared, point: Prediction, *, short: bool) -> str:
    """USD for a million output tokens; as unsure as throughput is."""
    cost = as_point(point, prepared.usd_per_gpu_hour).usd_per_million_tokens
    return _band(cost, point.tok_s_log_std, short=short)


def _kinds(points: Iterable[Prediction]) -> list[str]:
    return list(dict.fromkeys(point.kind for point in points))


def mixed_text(points: Iterable[Prediction]) -> str | None:
    """The kinds of data that the points stand on, in a sentence; None where it is one."""
    kinds = Counter(point.kind for point in points)
    if len(kinds) < 2:
        return None
    parts = (f"{count} points from {kind}" for kind, count in kinds.most_common())
    return f"different kinds of data, which compare less well: {'; '.join(parts)}"


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


def _counts(found: Outlook) -> str:
    predicted = sum(bool(expected.points) for expected in found.expected.values())
    told = [
        f"{predicted} of {found.candidates} candidates predicted",
        f"{len(found.out_of_memory)} out of memory",
        f"{len(found.refused)} refused",
    ]
    unasked = found.candidates - len(found.expected)
    if unasked:
        told.append(f"{unasked} not asked (a sample, spread evenly)")
    return ", ".join(told)


def _reasons(found: Outlook) -> list[tuple[str, int]]:
    absent = Counter(e.absent for e in found.expected.values() if e.absent is not None)
    shown = absent.most_common(_SHOWN_REASONS)
    hidden = len(absent) - len(shown)
    rest = absent.total() - sum(count for _, count in shown)
    return [*shown, *([(f"{hidden} other reasons; --json has them all", rest)] if hidden else [])]


def _print_plot(found: Outlook, objectives: Sequence[str], console: Console) -> None:
    front = set(map(_key, found.frontier))
    points = [
        PlotPoint(
            experiment=point.candidate_id,
            label="",
            concurrency=point.concurrency,
            values={
                name: value for name in AXES if (value := getattr(point, name, None)) is not None
            },
            on_frontier=_key(point) in front,
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


def _key(point: Prediction) -> tuple[str, int]:
    return point.candidate_id, point.concurrency


def _row(point: Prediction, settings: Mapping[str, Any], on_frontier: bool) -> dict[str, Any]:
    return {
        "candidate": point.candidate_id,
        "settings": settings,
        "gpus": point.devices,
        "concurrency": point.concurrency,
        "ttft_ms": point.ttft_ms,
        "tpot_ms": point.tpot_ms,
        "tok_s": point.tok_s,
        "tok_s_per_gpu": point.tok_s_per_gpu,
        "tok_s_per_user": point.tok_s_per_user,
        "requests_per_s": point.requests_per_s,
        "e2e_ms": point.e2e_ms,
        "ttft_log_std": point.ttft_log_std,
        "tpot_log_std": point.tpot_log_std,
        "tok_s_log_std": point.tok_s_log_std,
        "memory_gib": point.memory_gib,
        "source": point.source,
        "kind": point.kind,
        "note": point.note,
        "on_frontier": on_frontier,
    }
