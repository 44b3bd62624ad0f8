"""`autotuner compare`: two runs side by side, operating point by operating point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from autotuner.cli.commands.show import chosen_run, open_existing
from autotuner.cli.output import out, print_json
from autotuner.measure import Measurement
from autotuner.store import RunRecord, Store

_QUANTITIES = ("tok_s", "ttft_ms", "tpot_ms")


def compare(first: int, second: int, *, home: Path | None, as_json: bool) -> None:
    """Prints every level that both runs measured for the same settings, and the ratios."""
    with open_existing(home) as store:
        runs = [chosen_run(store, number) for number in (first, second)]
        levels = [_levels(store, run) for run in runs]
    shared = [key for key in levels[0] if key in levels[1]]
    tools = [" and ".join(sorted({m.tool for m in found.values()})) for found in levels]
    points = [_point(key, levels[0][key], levels[1][key]) for key in shared]
    if as_json:
        told = [
            {"id": run.id, "name": run.name, "engine": run.engine, "tool": tool}
            for run, tool in zip(runs, tools, strict=True)
        ]
        print_json({"runs": told, "same_tool": tools[0] == tools[1], "points": points})
        return
    for run, tool in zip(runs, tools, strict=True):
        out().print(escape(f"run {run.id} '{run.name}' on {run.engine}, measured by {tool}"))
    if tools[0] != tools[1]:
        out().print("[yellow]different load generators: the ratios hold their delays[/yellow]")
    table = Table(box=None, padding=(0, 1, 0, 0))
    for title in ("candidate", "conc.", "tok/s", "", "ratio", "TTFT", "", "ratio"):
        table.add_column(title, no_wrap=True)
    for title in ("TPOT", "", "ratio"):
        table.add_column(title, no_wrap=True)
    for point in points:
        cells = [str(point["candidate"]), str(point["concurrency"])]
        for name in _QUANTITIES:
            one, two, ratio = (point[name][key] for key in ("first", "second", "ratio"))
            cells += [_text(one, 1), _text(two, 1), _text(ratio, 2)]
        table.add_row(*cells)
    out().print(table)
    if not points:
        out().print("the two runs have no candidate and load level in common")


def _levels(store: Store, run: RunRecord) -> dict[tuple[str, int], Measurement]:
    return {
        (experiment.candidate_id, measured.concurrency): measured
        for experiment in store.experiments(run.id)
        for measured in experiment.measurements
        if measured.valid
    }


def _point(key: tuple[str, int], one: Measurement, two: Measurement) -> dict[str, Any]:
    told: dict[str, Any] = {"candidate": key[0], "concurrency": key[1]}
    for name in _QUANTITIES:
        first, second = _value(one, name), _value(two, name)
        ratio = second / first if first and second else None
        told[name] = {"first": first, "second": second, "ratio": ratio}
    return told


def _value(measured: Measurement, name: str) -> float | None:
    if name == "tok_s":
        return measured.tok_s
    found = measured.ttft_ms if name == "ttft_ms" else measured.tpot_ms
    return None if found is None else found.mean


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
