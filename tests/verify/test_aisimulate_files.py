"""Files of AISimulate, as it left them: candidates with their load, and single predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import LoadLevel, parse_task
from autotuner.errors import VerifyError
from autotuner.verify import read_points
from autotuner.verify.aisimulate_writer import write_search
from autotuner.verify.measured_rows import measured_rows
from autotuner.verify.point_views import point_views

DATA = Path(__file__).parent / "data" / "aisimulate"
LEDGER = DATA / "recommend" / "recommendation.json"


def written(tmp_path: Path, change: dict[str, Any]) -> Path:
    """The ledger with its first candidate changed, and no other."""
    document = json.loads(LEDGER.read_text(encoding="utf-8"))
    document["candidates"] = [document["candidates"][0] | change]
    path = tmp_path / "recommendation.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_candidates_are_points_with_their_load_and_layout() -> None:
    found = read_points(DATA / "recommend")
    assert (found.format, len(found.points)) == ("aisimulate", 4)
    first = found.points[0]
    assert (first.model, first.engine, first.engine_version) == ("Qwen/Qwen3-32B", "vllm", "0.24.0")
    assert (first.system, first.gpus, first.load) == ("h200_sxm", 2, LoadLevel.concurrency(8))
    assert (first.isl, first.osl, first.tool) == (1024, 128, None)
    assert first.settings["parallel.tensor_parallel"] == 2
    assert first.settings["parallel.data_parallel"] == 1
    assert first.ttft_ms == pytest.approx(429.694, abs=1e-3)
    assert first.e2e_ms == pytest.approx(first.originals["mean_e2e_latency_ms"], rel=1e-3)
    assert {point.label for point in found.points} == {"tp1", "tp2"}


def test_the_csv_says_the_same() -> None:
    ledger, table = read_points(LEDGER), read_points(DATA / "recommendation.csv")
    same = zip(ledger.points, table.points, strict=False)
    assert len(table.points) == 2
    for one, other in same:
        assert (one.load, one.settings, one.gpus) == (other.load, other.settings, other.gpus)
        assert (one.ttft_ms, one.tpot_ms, one.tok_s) == (other.ttft_ms, other.tpot_ms, other.tok_s)


def test_the_load_of_a_single_prediction_follows_from_its_figures() -> None:
    (point,) = read_points(DATA / "predict").points
    assert (point.load, point.gpus) == (LoadLevel.concurrency(16), 2)
    assert point.osl == pytest.approx(128)
    assert "Little's law" in point.remarks[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"metrics": None, "reason": "out of memory"}, "nothing was simulated: out of memory"),
        ({"prediction_config": None}, "no configuration"),
        ({"prediction_config": {"engine": {"mode": "disaggregated"}}}, "disaggregated serving"),
        ({"prediction_config": {"traffic": {"load": {"type": "trace"}}}}, "neither requests"),
        ({"metrics": {"mean_ttft_ms": float("nan")}}, "mean_ttft_ms"),
        ({"metrics": "[1"}, ""),
        ({"prediction_config": 7}, "no configuration"),
    ],
)
def test_a_candidate_without_figures_or_load_is_left_out(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    with pytest.raises(VerifyError) as failed:
        read_points(written(tmp_path, change))
    assert why in str(failed.value)


@pytest.mark.parametrize("name", ["recommend", "recommendation.csv", "predict"])
def test_what_it_simulates_is_predicted_and_no_measurement(name: str) -> None:
    found = read_points(DATA / name)
    assert {view.kind for view in point_views(found)} == {"predicted"}
    with pytest.raises(VerifyError, match="predictions, and no measurements"):
        measured_rows(found, {})


def test_a_task_is_written_as_a_search_of_theirs() -> None:
    """As `aisimulate recommend` took it when this was written."""
    task = parse_task(
        {
            "version": 2,
            "name": "n",
            "model": {"id": "Qwen/Qwen3-32B"},
            "system": {"backend": "vllm", "gpu_type": "h200_sxm", "total_gpus": 4},
            "parallel": {"tensor_parallel": [1, 2]},
            "quantization": {"kvcache_mode": "fp8"},
            "runtime": {"isl": 1024, "osl": 128},
            "benchmark": {"concurrency": [8, 16], "requests_per_level": 48},
            "optimization": {"objectives": ["tok_s_per_gpu"]},
            "slo": {"ttft_p99_ms": 900},
        }
    )
    written = write_search(task)
    traffic, engine = written.document["traffic"], written.document["engine"]
    assert traffic["load"] == {"type": "concurrency", "concurrency": {"choices": [8, 16]}}
    assert traffic["source"] == {"input_tokens": 1024, "output_tokens": 128, "type": "synthetic"}
    widths = engine["workers"]["aggregated"]["parallelism"]
    assert (widths["tensor"], widths["pipeline"]) == ({"choices": [1, 2]}, 1)
    assert written.document["optimization"] == {
        "target": "throughput_per_gpu",
        "constraints": {"max_candidate_gpus": 4},
    }
    assert {one.field for one in written.left} == {"slo", "quantization.kvcache_mode"}


def searched(model: str, engine: str, **parallel: Any) -> dict[str, Any]:
    """Parallel widths of a task as they are written, but for those of 1."""
    task = {
        "version": 2,
        "name": "n",
        "model": {"id": model},
        "system": {"backend": engine, "gpu_type": "h200_sxm"},
        "parallel": parallel,
        "runtime": {"isl": 1024, "osl": 128},
    }
    engine_there = write_search(parse_task(task)).document["engine"]
    widths: dict[str, Any] = engine_there["workers"]["aggregated"]["parallelism"]
    return {name: value for name, value in widths.items() if value != 1 and name != "preset"}


DEEPSEEK, QWEN = "deepseek-ai/DeepSeek-V3", "Qwen/Qwen3-32B"


@pytest.mark.parametrize(
    ("model", "parallel", "widths"),
    [
        (QWEN, {"tp": 2, "dp": 4}, {"tensor": 2, "replicas": 4}),
        (DEEPSEEK, {"dp": 8, "moe_ep": 8}, {"attention_data": 8, "moe_expert": 8}),
        (DEEPSEEK, {"dp": 8, "ep": 8}, {"attention_data": 8, "moe_expert": 8}),
        (
            DEEPSEEK,
            {"tp": 2, "dp": 4, "moe_ep": 2},
            {"tensor": 2, "attention_data": 4, "moe_tensor": 4, "moe_expert": 2},
        ),
        (
            DEEPSEEK,
            {"tp": 8, "dp": 2, "moe_tp": 1, "moe_ep": 8},
            {"tensor": 8, "replicas": 2, "moe_expert": 8},
        ),
        (DEEPSEEK, {"tp": 8}, {"tensor": 8, "moe_tensor": 8}),
        ("somebody/unknown", {"dp": 8, "moe_ep": 8}, {"attention_data": 8, "moe_expert": 8}),
        ("somebody/unknown", {"dp": [2, 4]}, {"replicas": {"choices": [2, 4]}}),
        (
            DEEPSEEK,
            {"dp": [1, 8], "moe_ep": [1, 8]},
            {
                "attention_data": {"choices": [1, 8]},
                "moe_tensor": {"choices": [1, 8]},
                "moe_expert": {"choices": [1, 8]},
            },
        ),
    ],
)
def test_ranks_that_share_experts_are_no_replicas(
    model: str, parallel: dict[str, Any], widths: dict[str, Any]
) -> None:
    assert searched(model, "sglang", **parallel) == widths


def test_replicas_that_share_experts_with_some_widths_only_are_refused() -> None:
    with pytest.raises(VerifyError, match="write two tasks"):
        searched(DEEPSEEK, "sglang", tp=8, dp=2, moe_tp=[1, 2], moe_ep=8)


def test_an_engine_that_is_unknown_there_is_refused_with_those_it_knows() -> None:
    with pytest.raises(VerifyError, match=r"not know llamacpp(.|\n)*knows vllm, sglang, trtllm"):
        searched(QWEN, "llamacpp")


def test_a_task_without_lengths_is_refused() -> None:
    document = {"version": 2, "name": "n", "model": {"id": "m"}, "system": {"gpu_type": "h200"}}
    with pytest.raises(VerifyError, match="how long requests are"):
        write_search(parse_task(document))
