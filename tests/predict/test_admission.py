"""When a request is seen and admitted: the scheduler's looks, and room in the KV cache."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import gpu_named, known_model
from autotuner.config import Candidate, closed_loops
from autotuner.predict import Prediction, RooflinePredictor, Scenario
from autotuner.predict.roofline.layout import room_of

MODEL = "meta-llama/Llama-3.1-8B"


def scenario(engine: str, *, isl: float = 1024, osl: float = 256) -> Scenario:
    known, gpu = known_model(MODEL), gpu_named("h100_sxm")
    assert known is not None
    return Scenario(MODEL, known.facts, engine, None, gpu, gpu.name, isl, osl)


def point(engine: str, level: int, **groups: Any) -> Prediction:
    what = Candidate.model_validate(groups)
    (found,) = RooflinePredictor().predict(scenario(engine), [what], closed_loops(level))
    return found


@given(st.integers(1, 100), st.integers(1, 128))
def test_a_request_waits_half_the_steps_between_two_looks(interval: int, level: int) -> None:
    at_once = point("sglang", level)
    later = point("sglang", level, scheduling={"receive_interval": interval})
    assert later.tpot_ms == at_once.tpot_ms
    assert at_once.tpot_ms is not None
    waited_ms = (interval - 1) / 2 * at_once.tpot_ms
    assert later.ttft_ms == pytest.approx(at_once.ttft_ms + waited_ms)
    assert later.parts is not None
    assert math.fsum(later.parts.ttft_ms.values()) == pytest.approx(later.ttft_ms)


def test_steps_that_draft_pass_more_tokens() -> None:
    drafting = {"runtime": {"nextn": 2}}
    at_once = point("sglang", 4, **drafting)
    later = point("sglang", 4, scheduling={"receive_interval": 11}, **drafting)
    assert at_once.tpot_ms is not None
    # 1 + 0.7 + 0.49 tokens a step.
    assert later.ttft_ms - at_once.ttft_ms == pytest.approx(5 * 2.19 * at_once.tpot_ms)


@pytest.mark.parametrize(
    ("engine", "policy", "counted"),
    [
        ("vllm", None, 1024 + 4096 / 2),
        ("sglang", None, 1024 + 4096 / 2),
        ("trtllm", None, 1024 + 4096),
        ("trtllm", "guaranteed_no_evict", 1024 + 4096),
        ("trtllm", "max_utilization", 1024 + 4096 / 2),
    ],
)
def test_who_may_be_computed_again_counts_with_half_of_the_output(
    engine: str, policy: str | None, counted: float
) -> None:
    what = Candidate.model_validate(
        {"scheduling": {"policy": policy, "max_running_requests": 10_000}}
    )
    room = room_of(scenario(engine, osl=4096), what)
    assert room.memory is not None
    tokens = (room.memory.usable_gib - room.memory.weights_gib) / room.memory.kv_gib_per_token
    assert room.requests == math.floor(tokens / counted)
    assert room.cached_tokens == 1024 + 4096 / 2
