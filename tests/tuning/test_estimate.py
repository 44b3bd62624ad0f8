"""What is offered before a launch: within the task's limits, for its objectives, with a command."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from autotuner.config import parse_task
from autotuner.predict import Prediction
from autotuner.report.plan_document import estimate_document
from autotuner.report.plan_terminal import print_estimate
from autotuner.tuning.estimate import PlanEstimate, estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.prepare import Prepared, prepare

QWEN = {
    "version": 2,
    "name": "expected",
    "model": {"id": "Qwen/Qwen3-32B"},
    "runtime": {"isl": 4000, "osl": 500},
    "system": {"backend": "vllm", "gpu_type": "h200", "total_gpus": 4},
    "parallel": {"tensor_parallel": [1, 2, 4]},
    "benchmark": {"concurrency": [1, 16, 256]},
    "prediction": {"predictor": "roofline"},
}


def expected(tmp_path: Path, **more: Any) -> tuple[Prepared, PlanEstimate]:
    prepared = prepare(parse_task({**QWEN, **more}), base=tmp_path)
    return prepared, estimate_plan(prepared, forecast_of(prepared, tmp_path), ())


def text(prepared: Prepared, found: PlanEstimate) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_estimate(prepared, found, console, most=None)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def ttft(point: Prediction) -> float:
    return point.ttft_ms


def test_what_misses_a_limit_is_not_offered(tmp_path: Path) -> None:
    _, without = expected(tmp_path)
    slowest = max(map(ttft, without.frontier))
    limit = sorted(map(ttft, without.points))[len(without.points) // 2]
    assert slowest > limit
    prepared, found = expected(tmp_path, slo={"ttft_ms": limit})
    assert max(map(ttft, found.frontier)) <= limit
    chosen = found.recommended
    assert chosen is not None
    assert chosen.meets_slo
    assert chosen.point.tok_s_per_gpu == max(
        point.tok_s_per_gpu for point in found.points if point.ttft_ms <= limit
    )
    answer = estimate_document(prepared, found)["recommended"]
    assert "Qwen/Qwen3-32B" in answer["command"]
    assert "--tensor-parallel-size" in answer["command"]
    assert answer["limits"][0]["verdict"] in ("meets", "unclear")
    low, high = answer["intervals"]["ttft_ms"]
    assert low < chosen.point.ttft_ms < high
    shown = text(prepared, found)
    assert "expected best" in shown
    assert answer["command"] in shown


def test_where_nothing_meets_a_limit_the_excess_is_shown(tmp_path: Path) -> None:
    prepared, found = expected(tmp_path, slo={"ttft_ms": 1.0})
    chosen = found.recommended
    assert chosen is not None
    assert not chosen.meets_slo
    assert chosen.point.ttft_ms == min(map(ttft, found.points))
    answer = estimate_document(prepared, found)["recommended"]
    assert answer["limits"][0]["over"] == pytest.approx(chosen.point.ttft_ms - 1)
    shown = text(prepared, found)
    assert "nearest to the SLO" in shown
    assert "misses: TTFT" in shown
    assert "the limit is 1 ms" in shown


def test_a_cost_that_is_an_objective_is_shown(tmp_path: Path) -> None:
    system = QWEN["system"] | {"price_per_gpu_hour": 3.6}  # type: ignore[operator]
    objectives = {"objectives": ["usd_per_million_tokens", "ttft_ms"]}
    prepared, found = expected(tmp_path, system=system, optimization=objectives)
    shown = text(prepared, found)
    assert "USD/M" in shown
    chosen = found.recommended
    assert chosen is not None
    answer = estimate_document(prepared, found)["recommended"]
    assert answer["usd_per_million_tokens"] == pytest.approx(1000 / chosen.point.tok_s_per_gpu)
    assert "USD/M" not in text(*expected(tmp_path, system=system))


def test_answers_of_one_token_are_expected_without_tpot(tmp_path: Path) -> None:
    prepared, found = expected(tmp_path, runtime={"isl": 4000, "osl": 1}, slo={"e2e_p90_ms": 9e5})
    assert found.points
    for point in found.points:
        assert point.tpot_ms is None
        assert point.tok_s_per_user is None
        assert point.requests_per_s == point.tok_s
        assert point.e2e_ms == point.ttft_ms
    document = estimate_document(prepared, found)
    assert document["recommended"]["tpot_ms"] is None
    shown = text(prepared, found)
    assert "req/s/GPU" in shown
    assert "None" not in shown


def test_the_same_kind_of_data_is_not_marked(tmp_path: Path) -> None:
    prepared, found = expected(tmp_path)
    assert estimate_document(prepared, found)["mixed"] is None
    assert "data a" not in text(prepared, found)


def test_different_kinds_of_data_are_marked(tmp_path: Path) -> None:
    prepared, found = expected(tmp_path)
    other = tuple(
        replace(point, source="measured kernels: vllm") if place % 2 else point
        for place, point in enumerate(found.points)
    )
    expectations = {
        key: replace(one, calibrated=(), base=tuple(p for p in other if p.candidate_id == key))
        for key, one in found.expected.items()
    }
    mixed = replace(found, expected=expectations, frontier=other)
    document = estimate_document(prepared, mixed)
    assert "measured kernels" in document["mixed"]
    assert {row["kind"] for row in document["predictions"]} == {"roofline-3", "measured kernels"}
    shown = text(prepared, mixed)
    assert "data a: roofline-3" in shown
    assert "data b: measured kernels" in shown
