"""A plan as the API gives it: whatever a task's answers have no figure of is null."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotuner.config import parse_task
from autotuner.report.plan_document import plan_of
from autotuner.server.v2.plans import PLAN
from autotuner.tuning.prepare import prepare


@pytest.mark.parametrize("osl", [1, 500])
def test_a_plan_has_the_shape_that_the_api_says(osl: int, tmp_path: Path) -> None:
    document = {
        "version": 2,
        "name": "planned",
        "model": {"id": "Qwen/Qwen3-32B"},
        "runtime": {"isl": 4000, "osl": osl},
        "system": {"backend": "vllm", "gpu_type": "h200", "total_gpus": 2},
        "benchmark": {"concurrency": [1, 16]},
        "slo": {"ttft_ms": 2000},
        "prediction": {"predictor": "roofline"},
    }
    prepared = prepare(parse_task(document), base=tmp_path)
    plan = PLAN.validate_python(plan_of(prepared, tmp_path, None)[0])
    assert plan.prediction.recommended is not None
    assert plan.prediction.recommended.limits[0].name == "ttft_ms"
    assert all((point.tpot_ms is None) == (osl == 1) for point in plan.prediction.frontier)
    assert plan.prediction.mixed is None
