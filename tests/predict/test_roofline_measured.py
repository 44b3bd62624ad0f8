"""The roofline beside figures that were measured on a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, closed_loops
from autotuner.predict import RooflinePredictor, Scenario


def test_users_of_equal_lengths_stay_in_phase() -> None:
    """One H200, vLLM 0.24.0, 1000 tokens in and 100 out, all formats FP8, 8192 tokens a step."""
    measured = {1: (45.3, 3.5, 253), 8: (138.9, 3.8, 1542), 32: (283.8, 6.8, 3305)}
    measured |= {112: (883.0, 14.6, 4708)}
    served = Candidate.from_settings(
        {
            "quantization.gemm_mode": "fp8",
            "quantization.kvcache_mode": "fp8",
            "scheduling.max_num_batched_tokens": 8192,
            "scheduling.max_running_requests": 256,
        }
    )
    model, gpu = known_model("meta-llama/Llama-3.1-8B"), gpu_named("h200_sxm")
    assert model is not None
    asked = Scenario(model.id, model.facts, "vllm", "0.24.0", gpu, gpu.name, 1000, 100)
    for point in RooflinePredictor().predict(asked, [served], closed_loops(*measured)):
        ttft_ms, tpot_ms, tok_s = measured[int(point.load.value)]
        assert point.ttft_ms == pytest.approx(ttft_ms, rel=0.35)
        assert point.tpot_ms == pytest.approx(tpot_ms, rel=0.15)
        assert point.tok_s == pytest.approx(tok_s, rel=0.1)
    unlike = replace(asked, osl_spread=0.3)
    predictor = RooflinePredictor()
    spread, alike = (
        predictor.predict(one, [served], closed_loops(32)).points[0] for one in (unlike, asked)
    )
    assert spread.ttft_ms < alike.ttft_ms / 2
    assert spread.tok_s == pytest.approx(alike.tok_s, rel=0.2)
