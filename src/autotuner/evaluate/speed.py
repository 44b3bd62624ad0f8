"""The 324 configurations whose prediction is timed: as our candidates, and as plain arguments.

Our prediction of 324 configurations against calling `cli_estimate` for each, timed in one run.

Cold is a fresh process, imports and loading included, with an empty cache; warm is a process that
has answered before, asked what it was never asked. Neither reads a cached answer.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate
from autotuner.config.tables import packaged_table
from autotuner.errors import EngineError, ModelError
from autotuner.predict import Scenario
from autotuner.predict.aiconfigurator.installation import INSTALL, installed_version

_ASKED = packaged_table("autotuner.evaluate", "speed_grid")
MODEL, GPU, ENGINE = _ASKED["model"], _ASKED["gpu"], _ASKED["engine"]
ISL, OSL = 2048, 1024
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
TENSOR_PARALLEL = (1, 2, 4, 8)
FORMATS = ("bfloat16", "fp8", "fp8_block")
PROMPT_TOKENS = (512, 1024, 2048)
"""Budgets of one step."""
LAYOUTS = tuple(itertools.product(TENSOR_PARALLEL, FORMATS, PROMPT_TOKENS))
COUNT = len(LAYOUTS) * len(BATCHES)


def scenario(isl: int = ISL) -> Scenario:
    """The circumstances of all; another `isl` makes other questions of the same size."""
    known = known_model(MODEL)
    if known is None:
        raise ModelError(f"{MODEL} is not in the catalog")
    return Scenario(MODEL, known.facts, ENGINE, None, gpu_named(GPU), GPU, isl, OSL)


def candidates() -> list[Candidate]:
    """One for each layout; the batches are load levels."""
    return [
        Candidate.from_settings(
            {
                "parallel.tensor_parallel": width,
                "quantization.gemm_mode": form,
                "scheduling.max_num_batched_tokens": tokens,
            }
        )
        for width, form, tokens in LAYOUTS
    ]


def plain_arguments() -> list[dict[str, Any]]:
    """Arguments of aiconfigurator for each, in order of candidates and batches."""
    return [
        {
            "model_path": MODEL,
            "system_name": GPU,
            "backend_name": ENGINE,
            "isl": ISL,
            "osl": OSL,
            "batch_size": batch,
            "ctx_tokens": tokens,
            "tp_size": width,
            "gemm_quant_mode": form,
        }
        for (width, form, tokens), batch in itertools.product(LAYOUTS, BATCHES)
    ]


WARM_GOAL, COLD_GOAL = 40.0, 15.0
TOLERANCE = 1e-9
"""Largest relative difference that counts as the same number: both sum floats in one order."""
DEFAULT_SAMPLE = 24


@dataclass(frozen=True)
class SpeedReport:
    """Seconds for all configurations of both sides, and how far their numbers are apart.

    Attributes:
        plain_sample: plain calls that were timed; the time of all is scaled from these.
        plain_warm_s, plain_cold_s: `cli_estimate` called without a version, as its users do.
        plain_versioned_s: warm, with the version given, which spares it the search for it.
        cached_s: ours in a fresh process that finds the answers on disk.
        compared: configurations that fit on both sides; of the others both say so (`disagree`:
            how many times only one does).
        largest_difference: relative, over TTFT, TPOT and memory.
    """

    configurations: int
    plain_sample: int
    plain_warm_s: float
    plain_cold_s: float
    plain_versioned_s: float
    ours_warm_s: float
    ours_cold_s: float
    cached_s: float
    compared: int
    disagree: int
    largest_difference: float

    @property
    def warm_ratio(self) -> float:
        """Times that ours is faster in a warm process."""
        return self.plain_warm_s / self.ours_warm_s

    @property
    def cold_ratio(self) -> float:
        """Times that ours is faster from a fresh process."""
        return self.plain_cold_s / self.ours_cold_s

    @property
    def versioned_ratio(self) -> float:
        """Times that ours is faster, warm, than calls that give the version."""
        return self.plain_versioned_s / self.ours_warm_s

    @property
    def same_numbers(self) -> bool:
        """Whether both sides say the same."""
        return self.disagree == 0 and self.largest_difference <= TOLERANCE

    @property
    def passed(self) -> bool:
        """Whether the goals are reached with the same numbers."""
        fast = self.warm_ratio >= WARM_GOAL and self.cold_ratio >= COLD_GOAL
        return fast and self.same_numbers


def measure_speed(plain_sample: int = DEFAULT_SAMPLE) -> SpeedReport:
    """Times both sides, one after the other.

    Raises:
        EngineError: aiconfigurator is not installed, or a side failed.
    """
    if installed_version() is None:
        raise EngineError("aiconfigurator is not installed", remedy=INSTALL)
    sample = min(max(plain_sample, 2), COUNT)
    with tempfile.TemporaryDirectory() as cache:
        ours = _child("ours", cache)
        cached = _child("ours", cache)
    plain = _child("plain", str(sample))
    return report(ours, cached, plain, sample)


def report(
    ours: dict[str, Any], cached: dict[str, Any], plain: dict[str, Any], sample: int
) -> SpeedReport:
    """The times of both sides, scaled to all configurations and compared."""
    pairs = list(zip(ours["points"], plain["points"], strict=True))
    both = [(mine, theirs) for mine, theirs in pairs if theirs is not None and not mine[3]]
    return SpeedReport(
        configurations=COUNT,
        plain_sample=sample,
        plain_warm_s=COUNT * plain["each_s"],
        plain_cold_s=plain["first_s"] + (COUNT - 1) * plain["each_s"],
        plain_versioned_s=COUNT * plain["each_versioned_s"],
        ours_warm_s=ours["warm_s"],
        ours_cold_s=ours["cold_s"],
        cached_s=cached["cold_s"],
        compared=len(both),
        disagree=sum((theirs is None) != mine[3] for mine, theirs in pairs),
        largest_difference=max(
            abs(a - b) / abs(b) for mine, theirs in both for a, b in zip(mine, theirs, strict=False)
        ),
    )


def _child(side: str, argument: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "autotuner.evaluate.speed_child", side, str(time.time())]
    done = subprocess.run([*words, argument], capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EngineError(f"bench predict: the {side} side failed: {last[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
