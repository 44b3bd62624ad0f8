"""The 324 configurations whose prediction is timed: as our candidates, and as plain arguments."""

from __future__ import annotations

import itertools
from typing import Any

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate
from autotuner.config.tables import packaged_table
from autotuner.errors import ModelError
from autotuner.predict import Scenario

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
    """What a user of aiconfigurator writes for each, in the order of candidates and batches."""
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
