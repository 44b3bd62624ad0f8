"""Makes small landscapes whose truth was measured on GPUs. Needs aiconfigurator.

    python scripts/make_measured_landscapes.py --out FOLDER [NAME ...]

The truth is `silicon_sample.csv` of aiconfigurator-core, as `autotuner.verify.silicon` reads it:
TTFT and TPOT that others published. Where a point was measured more than once, its median counts.
The prediction is aiconfigurator's, from measured kernels of its current versions, in the formats
that the row states, else in the checkpoint's own. One file holds one model, GPU, isl and osl; the
engine is part of the choice. Throughput follows from latency on both sides:
concurrency x osl / (TTFT + TPOT x (osl - 1)).
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from make_landscapes import (
    FIGURES,
    SETTINGS,
    Row,
    chosen,
    figures,
    session_of,
    step_of,
    write_rows,
)

from autotuner.predict.aiconfigurator.answers import attempts
from autotuner.predict.aiconfigurator.host import Session
from autotuner.predict.aiconfigurator.questions import asked_names, question
from autotuner.verify.silicon import MeasuredRow, silicon_rows

FEWEST_LEVELS, FEWEST_LAUNCHES = 3, 6
COLUMNS = (
    *("launch", "backend", *SETTINGS, "gpus", "concurrency", "batch_size"),
    *("true_status", *(f"true_{name}" for name in FIGURES)),
    *("pred_status", *(f"pred_{name}" for name in FIGURES), "pred_memory_gib", "noise_cv"),
)


Launches = list[dict[int, list[MeasuredRow]]]
"""Per launch: concurrency -> its measurements."""


def groups(rows: Iterable[MeasuredRow]) -> dict[str, Launches]:
    """Name -> launches, of every landscape that has enough of them."""
    found: dict[tuple[str, str, float, float], list[MeasuredRow]] = defaultdict(list)
    for row in rows:
        scenario = row.scenario
        found[row.model, scenario.device, scenario.isl, scenario.osl].append(row)
    named = {
        f"own_m_{_short(model)}_{_short(device)}_{isl:.0f}x{osl:.0f}": _launches(group)
        for (model, device, isl, osl), group in sorted(found.items())
    }
    return {name: each for name, each in named.items() if len(each) >= FEWEST_LAUNCHES}


def rows_of(launches: Launches) -> list[Row]:
    """The landscape."""
    return [
        row | {"launch": number}
        for number, levels in enumerate(launches)
        for row in _rows_of_launch(levels)
    ]


def _launches(rows: Iterable[MeasuredRow]) -> Launches:
    launches: dict[str, dict[int, list[MeasuredRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        launches[f"{row.scenario.engine} {row.layout.id}"][row.concurrency].append(row)
    return [levels for _, levels in sorted(launches.items()) if len(levels) >= FEWEST_LEVELS]


def _rows_of_launch(levels: dict[int, list[MeasuredRow]]) -> Iterator[Row]:
    first = next(iter(levels.values()))[0]
    scenario, settings = first.scenario, settings_of(first)
    gpus = settings["tp"] * settings["dp"]
    sessions = _sessions(first)
    for concurrency, rows in sorted(levels.items()):
        ttft_ms = statistics.median(row.ttft_ms for row in rows)
        tpot_ms = statistics.median(row.tpot_ms for row in rows)
        batch = max(concurrency // settings["dp"], 1)
        row = {"backend": scenario.engine, **settings, "gpus": gpus}
        row |= {"concurrency": concurrency, "batch_size": batch, "noise_cv": 0.0}
        row |= _side("true", ttft_ms, tpot_ms, row, scenario.osl)
        steps = (step_of(session, batch) for session in sessions)
        step = next((step for step in steps if step is not None), None)
        if step is None:
            row["pred_status"] = "na"
        elif step.memory_gib > step.available_gib:
            row["pred_status"] = "oom"
        else:
            row |= _side("pred", step.ttft_ms, step.tpot_ms, row, scenario.osl)
            row["pred_memory_gib"] = step.memory_gib
        yield row


def settings_of(row: MeasuredRow) -> Row:
    """The launch of a row in the words of the columns; `auto` is what the engine chose."""
    parallel, formats = row.layout.parallel, row.layout.quantization
    return {
        "tp": parallel.tensor_parallel or 1,
        "pp": 1,
        "dp": parallel.data_parallel or 1,
        "moe_tp": parallel.moe_tensor_parallel,
        "moe_ep": parallel.moe_expert_parallel,
        "gemm_quant": formats.gemm_mode or "auto",
        "moe_quant": formats.moe_mode,
        "kvcache_quant": "auto",
        "ctx_tokens": None,
    }


def _sessions(row: MeasuredRow) -> list[Session]:
    """The ways to ask about a launch, best first."""
    asked = question(row.layout, row.scenario, *asked_names(row.scenario))
    layout = dataclasses.replace(asked.layout, backend_version=None)
    return [session_of(layout, way) for way in attempts(("SILICON",), asked.checkpoint_decides)]


def _side(side: str, ttft_ms: float, tpot_ms: float, row: Row, osl: float) -> Row:
    tok_s = 1000 * row["concurrency"] * osl / (ttft_ms + tpot_ms * (osl - 1))
    return figures(side, (ttft_ms, tpot_ms), tok_s, row["gpus"], osl)


def _short(name: str) -> str:
    """`Meta-Llama-3.1-70B` -> `llama-3.1-70b`, `h200_sxm` -> `h200`: no underscore is left."""
    return name.rpartition("/")[2].removeprefix("Meta-").removesuffix("_sxm").lower()


def main() -> None:
    """Makes the landscapes that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = groups(silicon_rows().rows)
    for name in chosen(arguments.names, found):
        rows = rows_of(found[name])
        write_rows(arguments.out / f"{name}.csv.gz", COLUMNS, rows)
        print(name, len(rows), "rows", file=sys.stderr)


if __name__ == "__main__":
    main()
