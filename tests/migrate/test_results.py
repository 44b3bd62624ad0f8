"""What v2 found, in v1's shapes and units."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from v1_examples import example, v1_task

from autotuner.config import LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.migrate import (
    V1Results,
    translate_task,
    v1_metrics,
    v1_parameters,
    v1_results,
)
from autotuner.store import ExperimentRecord, TaskRecord

AT = datetime(2026, 3, 1, tzinfo=UTC)


def spread(mean: float) -> Distribution:
    return Distribution(
        count=10,
        mean=mean,
        std=mean / 10,
        min=mean / 2,
        p50=mean,
        p90=mean * 1.5,
        p95=mean * 1.6,
        p99=mean * 1.8,
        max=mean * 2,
    )


def level(concurrency: int, *, e2e_ms: float, tok_s: float, failed: int = 0) -> Measurement:
    return Measurement(
        load=LoadLevel.concurrency(concurrency),
        duration_s=10.0,
        requests_completed=10,
        requests_failed=failed,
        requests_short=0,
        ended_by="requests",
        valid=failed == 0,
        tok_s=tok_s,
        requests_s=1.0,
        input_tokens=500,
        output_tokens=1280,
        ttft_ms=spread(e2e_ms / 10),
        tpot_ms=spread(20.0),
        e2e_ms=spread(e2e_ms),
    )


TWO_LEVELS = (
    level(1, e2e_ms=1000, tok_s=100),
    level(8, e2e_ms=3000, tok_s=300, failed=5),
)


def metrics() -> dict[str, Any]:
    return v1_metrics(
        TWO_LEVELS, scenario="D(512,128)", elapsed_s=20.0, benchmark_name="simple-exp1"
    )


def test_figures_are_in_seconds_and_tokens_of_the_whole_deployment() -> None:
    found = metrics()
    assert found["num_result_files"] == 2
    assert found["concurrency_levels"] == [1, 8]
    assert found["mean_e2e_latency"] == pytest.approx(2.0)
    assert found["min_e2e_latency"] == pytest.approx(1.0)
    assert found["max_e2e_latency"] == pytest.approx(3.0)
    assert found["p50_e2e_latency"] == pytest.approx(2.0)
    assert found["p90_e2e_latency"] == pytest.approx(3.0)
    assert found["p99_e2e_latency"] == pytest.approx(3.6)
    assert found["mean_ttft"] == pytest.approx(0.2)
    assert found["mean_tpot"] == pytest.approx(0.02)
    assert found["mean_output_throughput"] == pytest.approx(200)
    assert found["max_output_throughput"] == pytest.approx(300)
    assert found["mean_total_throughput"] == pytest.approx(250)
    assert found["max_total_throughput"] == pytest.approx(350)
    assert found["total_requests"] == 25
    assert found["total_completed_requests"] == 20
    assert found["total_error_requests"] == 5
    assert found["success_rate"] == pytest.approx(0.8)


def test_a_raw_result_has_the_keys_of_genai_bench() -> None:
    raw = metrics()["raw_results"][1]
    assert raw["scenario"] == "D(512,128)"
    assert raw["num_concurrency"] == 8
    assert raw["mean_input_throughput_tokens_per_s"] == pytest.approx(50)
    assert raw["error_rate"] == pytest.approx(1 / 3)
    assert raw["stats"]["ttft"]["p99"] == pytest.approx(0.54)
    assert raw["stats"]["e2e_latency"]["stddev"] == pytest.approx(0.3)
    assert raw["stats"]["e2e_latency"]["sum"] == pytest.approx(30.0)
    assert raw["stats"]["output_latency"]["mean"] == pytest.approx(2.7)
    assert raw["stats"]["tpot"]["p25"] is None


def test_without_any_completed_request_the_figures_are_null() -> None:
    dead = TWO_LEVELS[0].model_copy(
        update={"requests_completed": 0, "ttft_ms": None, "tpot_ms": None, "e2e_ms": None}
    )
    found = v1_metrics([dead], scenario="D(1,1)", elapsed_s=0.0, benchmark_name="x")
    assert found["mean_e2e_latency"] is None
    assert found["max_output_throughput"] is None
    assert found["success_rate"] == 0.0
    json.dumps(found, allow_nan=False)


def task_record(**changes: Any) -> TaskRecord:
    fields: dict[str, Any] = {
        "id": 1,
        "name": "simple",
        "description": "",
        "status": "running",
        "stop_reason": "",
        "origin": "v1",
        "revision": 1,
        "content_id": "c",
        "config": {"benchmark": {"workload": "D(512,128)"}},
        "model": "m",
        "engine": "sglang",
        "engine_version": "",
        "device": "cpu",
        "plan": {"candidates": 4},
        "requested_gpu": "",
        "requested_gpus": 0,
        "base": None,
        "v1_task_id": 7,
        "worker": None,
        "lease": 0,
        "heartbeat": 0,
        "requested_action": "",
        "created_at": AT,
        "updated_at": AT,
        "queued_at": AT,
        "started_at": AT,
        "ended_at": None,
        "wall_s": 0.0,
    }
    return TaskRecord(**(fields | changes))


def experiment(index: int, status: str = "completed", **changes: Any) -> ExperimentRecord:
    fields: dict[str, Any] = {
        "id": 100 + index,
        "index": index,
        "candidate_id": f"c{index}",
        "settings": {"system.backend": "sglang", "parallel.tensor_parallel": index},
        "command": "sglang serve",
        "status": status,
        "selection_reason": "next in the grid",
        "phase": "grid",
        "log_path": "log",
        "failure_kind": None,
        "failure_message": None,
        "log_tail": None,
        "startup_s": 2.0,
        "measure_s": 10.0,
        "measurements": TWO_LEVELS,
    }
    return ExperimentRecord(**(fields | changes))


def results(v1: dict[str, Any], run: TaskRecord, *experiments: ExperimentRecord) -> V1Results:
    return v1_results(v1, translate_task(v1).points, run, experiments)


def test_a_run_under_way_shows_how_many_experiments_are_planned() -> None:
    v1 = v1_task(parameters={"tp-size": ["1", "2"]})
    found = results(
        v1,
        task_record(),
        experiment(1),
        experiment(2, "running", measurements=(), startup_s=None, measure_s=None),
        experiment(3, "interrupted"),
    )
    assert (found.status, found.total_experiments, found.successful_experiments) == (
        "RUNNING",
        4,
        1,
    )
    assert [e.status for e in found.experiments] == ["SUCCESS", "DEPLOYING"]
    assert found.experiments[0].parameters == {"tp-size": "1"}
    assert found.experiments[0].elapsed_s == 12.0
    assert found.completed_at is None


def test_the_best_experiment_has_the_lowest_score() -> None:
    slow = (level(1, e2e_ms=9000, tok_s=10),)
    found = results(
        v1_task(),
        task_record(status="completed", ended_at=AT, wall_s=33.0),
        experiment(1, measurements=slow),
        experiment(2),
        experiment(3, "failed", failure_kind="out_of_memory", failure_message="the engine ran out"),
    )
    assert found.best == 2
    assert found.status == "COMPLETED"
    assert found.elapsed_s == 33.0
    assert found.experiments[2].error_message == "out_of_memory: the engine ran out"
    assert found.experiments[2].metrics is None
    # 12 of 600 seconds, and a matter of memory.
    assert found.experiments[2].objective_score == pytest.approx(1500)


def test_a_task_whose_experiments_all_miss_a_hard_limit_has_failed() -> None:
    hard = {"ttft": {"threshold": 0.001, "weight": 1.0, "hard_fail": True}}
    found = results(v1_task(slo=hard), task_record(status="completed"), experiment(1))
    assert found.status == "FAILED"
    assert found.experiments[0].status == "FAILED"
    assert found.experiments[0].metrics is not None
    assert "ttft" in (found.experiments[0].error_message or "")
    assert found.experiments[0].objective_score == pytest.approx(1000)
    assert found.best is None


def test_a_benchmark_has_begun_when_the_engine_serves() -> None:
    waiting = experiment(1, "running", measurements=(), startup_s=None, measure_s=None)
    v1 = v1_task()
    points = translate_task(v1).points
    for ready, status in (((), "DEPLOYING"), ((1,), "BENCHMARKING"), ((2,), "DEPLOYING")):
        found = v1_results(v1, points, task_record(), [waiting], ready=ready)
        assert found.experiments[0].status == status


def test_gpus_have_v1s_shape() -> None:
    settings = {"system.gpu_type": "h100_sxm", "parallel.tensor_parallel": 2}
    one = experiment(1, settings=settings)
    found = results(v1_task(), task_record(device="NVIDIA H100"), one)
    assert found.experiments[0].gpu_info == {
        "model": "NVIDIA H100",
        "count": 2,
        "device_ids": ["0", "1"],
        "world_size": 2,
    }


def test_a_task_is_cancelled_as_soon_as_it_is_asked_to_be() -> None:
    found = results(
        v1_task(), task_record(requested_action="cancel"), experiment(1), experiment(2, "running")
    )
    assert found.status == "CANCELLED"
    assert [e.index for e in found.experiments] == [1]


def test_presets_and_flags_are_shown_in_v1s_names() -> None:
    v1 = v1_task(
        parameters={"some-flag": ["a", "b"], "mem_frac": ["0.8", "0.9"]},
        quant_config={"presets": ["default", "kv-cache-fp8"]},
    )
    points = translate_task(v1).points
    plain = {"memory.mem_fraction_static": 0.9, "misc.extra_args": ["--some-flag", "b"]}
    assert v1_parameters(points, plain) == {
        "some-flag": "b",
        "mem_frac": "0.9",
        "quant_config": "default",
    }
    fp8 = plain | {"quantization.kvcache_mode": "fp8_e5m2"}
    assert v1_parameters(points, fp8)["quant_config"] == "kv-cache-fp8"


def test_every_example_names_what_its_candidates_try() -> None:
    points = translate_task(example("choice_form")).points
    settings = {
        "parallel.tensor_parallel": 2,
        "memory.mem_fraction_static": 0.88,
        "memory.max_total_tokens": 8192,
    }
    assert v1_parameters(points, settings) == {
        "tp_size": 2,
        "mem_frac": 0.88,
        "max_total_tokens": 8192,
    }
