"""The roofline of replicas of a mixture of experts: with all experts in each, or shared."""

from __future__ import annotations

import pytest
from aiconfigurator_cases import candidate, scenario

from autotuner.config import closed_loops
from autotuner.predict import Prediction, RooflinePredictor

WIDTH, DATA = "parallel.tensor_parallel", "parallel.data_parallel"


def predicted(level: int, **expert_widths: int) -> Prediction:
    own = {f"parallel.{name}": width for name, width in expert_widths.items() if name != "data"}
    found = candidate({WIDTH: 2, DATA: expert_widths.get("data", 1), **own})
    where = scenario("Qwen/Qwen3-30B-A3B", engine="sglang", version=None)
    (point,) = RooflinePredictor().predict(where, [found], closed_loops(level)).points
    return point


def test_replicas_with_experts_of_their_own_share_nothing() -> None:
    one, shared = predicted(8), predicted(16, data=2)
    whole = predicted(16, data=2, moe_tensor_parallel=2, moe_expert_parallel=1)
    assert whole.tok_s == pytest.approx(2 * one.tok_s, rel=0.02)
    assert (whole.devices, shared.devices) == (4, 4)
    assert whole.memory_gib is not None
    assert shared.memory_gib is not None
    assert one.memory_gib == pytest.approx(whole.memory_gib, rel=0.02)
    assert shared.memory_gib < 0.7 * whole.memory_gib
