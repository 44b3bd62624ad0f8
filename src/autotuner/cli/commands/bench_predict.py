"""`autotuner bench predict`."""

from __future__ import annotations

import dataclasses

from rich.table import Table

from autotuner.cli import exit_codes
from autotuner.cli.output import out, print_json
from autotuner.evaluate.speed import COLD_GOAL, COUNT, WARM_GOAL, SpeedReport, measure_speed


def bench_predict(*, plain_sample: int | None, as_json: bool) -> int:
    """Prints times and ratios; 1 where a goal is missed or the numbers differ."""
    found = measure_speed(COUNT if plain_sample is None else plain_sample)
    if as_json:
        print_json(_document(found))
    else:
        _print(found)
    return 0 if found.passed else exit_codes.NOTHING


def _document(found: SpeedReport) -> dict[str, object]:
    ratios = {
        "warm_ratio": found.warm_ratio,
        "cold_ratio": found.cold_ratio,
        "versioned_ratio": found.versioned_ratio,
        "warm_goal": WARM_GOAL,
        "cold_goal": COLD_GOAL,
        "same_numbers": found.same_numbers,
        "passed": found.passed,
    }
    return dataclasses.asdict(found) | ratios


def _print(found: SpeedReport) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("", "plain", "ours", "ratio", "goal"):
        table.add_column(name, justify="left" if not name else "right")
    rows = (
        ("cold", found.plain_cold_s, found.ours_cold_s, COLD_GOAL),
        ("warm", found.plain_warm_s, found.ours_warm_s, WARM_GOAL),
        ("warm, version given", found.plain_versioned_s, found.ours_warm_s, None),
        ("cold, answers on disk", found.plain_cold_s, found.cached_s, None),
    )
    for name, plain_s, ours_s, goal in rows:
        wanted = "" if goal is None else f">= {goal:g}"
        table.add_row(
            name, f"{plain_s:.2f} s", f"{ours_s:.3f} s", f"{plain_s / ours_s:.0f}", wanted
        )
    console = out()
    console.print(f"{found.configurations} configurations")
    console.print(table)
    scaled = found.plain_sample < found.configurations
    console.print(
        f"plain: {'scaled from ' if scaled else ''}{found.plain_sample} calls of cli_estimate"
    )
    console.print(
        f"numbers: {found.compared} compared, largest relative difference "
        f"{found.largest_difference:.1e}; {found.configurations - found.compared} do not fit, "
        f"{found.disagree} times said by one side only"
    )
