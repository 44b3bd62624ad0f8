"""Time of `autotuner recommend` for a 70B model on 8 GPUs, beside `autotuner predict` of one task.

Both are started cold: each time with a home of its own, so no cache of answers. `recommend` drafts
and predicts all engines that can serve the model, `predict` the task of one. Under 3 s are meant
with the roofline, under 8 s with aiconfigurator, on a machine that does nothing else; CPU seconds
stand beside, since they depend less on what else it does.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autotuner.predict.aiconfigurator.installation import installed_version

ROUNDS = 3
ASKED = (
    *("--model", "meta-llama/Llama-3.1-70B-Instruct", "--gpu", "h100", "--gpus", "8"),
    *("--isl", "2000", "--osl", "500"),
)
LIMITS = ("--slo", "ttft_ms=1000,tpot_ms=30")
MEANT_S = {"roofline": 3.0, "aiconfigurator": 8.0}


@dataclass(frozen=True)
class Taken:
    """Seconds of a call."""

    wall_s: float
    cpu_s: float


def taken(words: Sequence[str]) -> Taken:
    """Seconds of one cold call of `autotuner WORDS…`."""
    with tempfile.TemporaryDirectory() as home:
        argv = [sys.executable, "-m", "autotuner", *words, "--home", home]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall_s = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall_s, cpu_s)


def median(calls: Sequence[Taken]) -> Taken:
    """Medians of wall and CPU seconds."""
    return Taken(
        statistics.median(call.wall_s for call in calls),
        statistics.median(call.cpu_s for call in calls),
    )


def main() -> int:
    """Prints both times and their ratio, for each predictor that is installed."""
    predictors = ["roofline", *(["aiconfigurator"] if installed_version() is not None else [])]
    with tempfile.TemporaryDirectory() as folder:
        task = str(Path(folder) / "task.yaml")
        drafted = (sys.executable, "-m", "autotuner", "init", *ASKED, *LIMITS, "--output", task)
        subprocess.run(drafted, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in predictors:
            # With `auto` the roofline answers for what aiconfigurator does not know.
            wanted = ("--predictor", "roofline" if name == "roofline" else "auto")
            pairs = [
                (
                    taken(("recommend", *ASKED, *LIMITS, *wanted, "--json")),
                    taken(("predict", task, *wanted, "--json")),
                )
                for _ in range(ROUNDS)
            ]
            ours, one = (median(calls) for calls in zip(*pairs, strict=True))
            print(
                f"recommend with {name}: {ours.wall_s:.1f} s ({ours.cpu_s:.1f} s of CPU; meant: "
                f"{MEANT_S[name]:g} s), {ours.cpu_s / one.cpu_s:.2f} times the CPU of `predict` "
                f"for one engine ({one.wall_s:.1f} s, {one.cpu_s:.1f} s of CPU)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
