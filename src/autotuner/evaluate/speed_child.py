"""One side of the timing in a process of its own: `python -m … ours|plain STARTED …`.

STARTED is the wall clock when the process was asked for, so that a cold time includes the
interpreter and every import. Prints one JSON document.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from autotuner.config import closed_loops
from autotuner.evaluate import speed as grid


def ours(started: float, cache: Path) -> dict[str, Any]:
    """All configurations cold; then, in the warm process, others of another prompt length."""
    from autotuner.predict.aiconfigurator.predictor import AiconfiguratorPredictor

    levels = closed_loops(*grid.BATCHES)
    predictor = AiconfiguratorPredictor("SILICON", cache=cache)
    found = predictor.predict(grid.scenario(), grid.candidates(), levels)
    cold_s = time.time() - started
    uncached = AiconfiguratorPredictor("SILICON")
    began = time.perf_counter()
    uncached.predict(grid.scenario(grid.ISL + 1), grid.candidates(), levels)
    warm_s = time.perf_counter() - began
    points = [[p.ttft_ms, p.tpot_ms, p.memory_gib, bool(p.note)] for p in found]
    return {"cold_s": cold_s, "warm_s": warm_s, "points": points}


def plain(started: float, sample: int) -> dict[str, Any]:
    """A sample of plain calls; then all with the version given, for their numbers."""
    from autotuner.predict.aiconfigurator.installation import quiet

    with quiet():
        from aiconfigurator.cli.api import cli_estimate

        every = grid.plain_arguments()
        chosen = random.Random(0).sample(every, min(sample, len(every)))  # noqa: S311 - no secret
        _figures(cli_estimate, chosen[0])
        first_s = time.time() - started
        began = time.perf_counter()
        for arguments in chosen[1:]:
            _figures(cli_estimate, arguments)
        each_s = (time.perf_counter() - began) / max(len(chosen) - 1, 1)
        version = cli_estimate(**every[0]).backend_version
        began = time.perf_counter()
        points = [_figures(cli_estimate, {**a, "backend_version": version}) for a in every]
        each_versioned_s = (time.perf_counter() - began) / len(every)
    return {
        "first_s": first_s,
        "each_s": each_s,
        "each_versioned_s": each_versioned_s,
        "points": points,
    }


def _figures(cli_estimate: Any, arguments: dict[str, Any]) -> list[float] | None:
    """TTFT, TPOT and memory; None where it says that the batch does not fit."""
    try:
        found = cli_estimate(**arguments)
    except RuntimeError as error:
        if not str(error).startswith("OOM"):
            raise
        return None
    if found.kv_cache_warning:
        return None
    return [float(found.ttft), float(found.tpot), float(found.memory)]


def main(side: str, started: str, argument: str) -> None:
    """Runs a side and prints what it found."""
    if side == "ours":
        found = ours(float(started), Path(argument))
    else:
        found = plain(float(started), int(argument))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
