"""`autotuner compare`: two tasks side by side, operating point by operating point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from autotuner.cli.commands.show import chosen_task, open_existing
from autotuner.cli.output import out, print_json
from autotuner.config import LoadLevel
from autotuner.report.point_table import Candidates, PointRow, print_point_table, varied_paths
from autotuner.search import OperatingPoint
from autotuner.store import ExperimentRecord
from autotuner.tuning.points import levels_that_count, outcome

_QUANTITIES = ("tok_s", "ttft_ms", "tpot_ms")
_HEADS = ("load", *(head for name in ("tok/s", "TTFT", "TPOT") for head in (name, "", "ratio")))


def compare(first: int, second: int, *, home: Path | None, as_json: bool) -> None:
    """Prints every level that both tasks measured for the same settings, and the ratios."""
    with open_existing(home) as store:
        tasks = [chosen_task(store, number) for number in (first, second)]
        found = [store.experiments(task.id) for task in tasks]
        levels = [_points(experiments) for experiments in found]
        settings = {e.candidate_id: e.settings for e in found[0]}
    shared = [key for key in levels[0] if key in levels[1]]
    tools = [" and ".join(sorted({m.tool for m in levels_that_count(one)})) for one in found]
    points = [_point(key, levels[0][key], levels[1][key]) for key in shared]
    if as_json:
        described = [
            {"id": task.id, "name": task.name, "engine": task.engine, "tool": tool}
            for task, tool in zip(tasks, tools, strict=True)
        ]
        print_json({"tasks": described, "same_tool": tools[0] == tools[1], "points": points})
        return
    for task, tool in zip(tasks, tools, strict=True):
        out().print(escape(f"task {task.id} '{task.name}' on {task.engine}, measured by {tool}"))
    if tools[0] != tools[1]:
        out().print("[yellow]different load generators: the ratios hold their delays[/yellow]")
    if not points:
        out().print("the two tasks have no candidate and load level in common")
        return
    rows = [PointRow(str(point["candidate"]), _cells(point)) for point in points]
    differing = varied_paths(settings[row.candidate] for row in rows)
    print_point_table(out(), "", _HEADS, rows, Candidates(settings, differing))
    out().print(f"`autotuner render --task {tasks[0].id} --candidate ID` prints a row's command")


def _cells(point: dict[str, Any]) -> tuple[str, ...]:
    cells = [str(LoadLevel.from_json(point["load"]))]
    for name in _QUANTITIES:
        one, two, ratio = (point[name][key] for key in ("first", "second", "ratio"))
        cells += [_text(one, 1), _text(two, 1), _text(ratio, 2)]
    return tuple(cells)


def _points(experiments: Sequence[ExperimentRecord]) -> dict[tuple[str, LoadLevel], OperatingPoint]:
    """Operating points, each by all launches of its candidate."""
    return {
        (experiment.candidate_id, point.load): point
        for experiment in experiments
        for point in outcome(experiment).points
    }


def _point(key: tuple[str, LoadLevel], one: OperatingPoint, two: OperatingPoint) -> dict[str, Any]:
    row: dict[str, Any] = {"candidate": key[0], "load": key[1].to_json()}
    for name in _QUANTITIES:
        first, second = getattr(one, name), getattr(two, name)
        ratio = second / first if first and second else None
        row[name] = {"first": first, "second": second, "ratio": ratio}
    return row


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
