"""Where the time of an operating point goes, and what points with like parts teach each other."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, closed_loops
from autotuner.predict import Prediction, RooflinePredictor, Scenario
from autotuner.predict.gaussian_process import conditioned
from autotuner.predict.time_parts import TimeParts, log_ratio, part_shares

MODELS = ("meta-llama/Llama-3.1-8B", "Qwen/Qwen3-30B-A3B", "deepseek-ai/DeepSeek-V3")
GPUS = ("h100_sxm", "l40s", "b200_sxm")


def predicted(
    model: str = MODELS[0],
    gpu: str = "h100_sxm",
    engine: str = "vllm",
    levels: tuple[int, ...] = (8,),
    osl: float = 200.0,
    **settings_: object,
) -> tuple[Prediction, ...]:
    known = known_model(model)
    assert known is not None
    where = Scenario(model, known.facts, engine, None, gpu_named(gpu), gpu, isl=1000.0, osl=osl)
    named = {key.replace("__", "."): value for key, value in settings_.items()}
    candidate = Candidate.from_settings(named)
    return RooflinePredictor().predict(where, [candidate], closed_loops(*levels)).points


@settings(max_examples=60)
@given(
    model=st.sampled_from(MODELS),
    gpu=st.sampled_from(GPUS),
    engine=st.sampled_from(("vllm", "sglang", "trtllm")),
    tensor=st.sampled_from((1, 2, 8)),
    slots=st.sampled_from((None, 4, 64)),
    levels=st.lists(st.integers(1, 2000), min_size=1, max_size=3, unique=True),
    osl=st.sampled_from((2.0, 50.0, 3000.0)),
)
def test_parts_are_positive_and_sum_to_what_is_predicted(
    model: str, gpu: str, engine: str, tensor: int, slots: int | None, levels: list[int], osl: float
) -> None:
    limit = {} if slots is None else {"scheduling__max_running_requests": slots}
    found = predicted(
        model, gpu, engine, tuple(levels), osl, parallel__tensor_parallel=tensor, **limit
    )
    for point in found:
        assert point.parts is not None and point.tpot_ms is not None
        times = (*point.parts.ttft_ms.values(), *point.parts.tpot_ms.values())
        assert all(ms > 0 for ms in times)
        assert sum(point.parts.ttft_ms.values()) == pytest.approx(point.ttft_ms)
        assert sum(point.parts.tpot_ms.values()) == pytest.approx(point.tpot_ms)


def test_a_lone_user_waits_for_weights_and_a_crowd_for_its_cache_and_prompts() -> None:
    alone, crowd = (point.parts for point in predicted(levels=(1, 256)))
    assert alone is not None and crowd is not None

    def share(parts: TimeParts, name: str) -> float:
        return parts.tpot_ms.get(name, 0.0) / sum(parts.tpot_ms.values())

    assert share(alone, "dense_read") > 0.5
    assert share(crowd, "kv_read") + share(crowd, "dense_compute") > 5 * share(alone, "kv_read")
    assert share(crowd, "dense_read") < share(alone, "dense_read")


def test_parts_have_the_format_that_their_speed_depends_on() -> None:
    (point,) = predicted(
        MODELS[1],
        parallel__tensor_parallel=2,
        quantization__gemm_mode="fp8",
        quantization__moe_mode="fp8_block",
        quantization__kvcache_mode="fp8",
    )
    assert point.parts is not None
    assert {"dense_read:fp8", "experts_read:fp8_block", "kv_read:fp8", "all_reduce"} <= set(
        point.parts.tpot_ms
    )


def test_one_launch_says_how_fast_experts_are_read_at_other_widths() -> None:
    """Experts that take twice as long as assumed at one width and load do so at others too."""
    widths = {"parallel__moe_expert_parallel": 1}
    seen, asked = (
        predicted(MODELS[1], levels=(1, 4, 16, 64), parallel__tensor_parallel=tensor, **widths)
        for tensor in (1, 4)
    )
    times = [point.parts for point in (*seen, *asked)]
    true = np.array([_slower(one, "experts_read", 2.0) for one in times])
    shares = part_shares(times, "tpot_ms")
    covariance = 0.15 * shares @ shares.T
    among, across = covariance[:4, :4], covariance[:4, 4:]
    learnt = conditioned(among, 1e-4, true[:4]).mean(across)
    assert np.abs(learnt - true[4:]).max() < 0.4 * np.abs(true[4:]).max()


def _slower(parts: TimeParts | None, name: str, factor: float) -> float:
    """ln(measured / predicted) where one part takes `factor` times as long."""
    assert parts is not None
    total_ms = sum(parts.tpot_ms.values())
    return math.log(1 + (factor - 1) * parts.tpot_ms.get(name, 0.0) / total_ms)


def test_points_without_parts_are_like_nothing() -> None:
    (point,) = predicted()
    shares = part_shares([point.parts, None], "ttft_ms")
    assert (shares[0] > 0).any() and not shares[1].any()
    assert part_shares([None, None], "ttft_ms").shape == (2, 0)


@pytest.mark.parametrize("quantity", ["ttft_ms", "tpot_ms"])
def test_the_roofline_beside_another_prediction(quantity: Literal["ttft_ms", "tpot_ms"]) -> None:
    (point,) = predicted()
    own = getattr(point, quantity)
    assert log_ratio(point.parts, quantity, own / 2) == pytest.approx(math.log(2))
    assert log_ratio(None, quantity, own) == log_ratio(point.parts, quantity, None) == 0.0
