"""genai-bench's results, converted once; and the tool itself on the real engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.errors import MeasureError
from autotuner.measure import LevelPlan, StoppingRule
from autotuner.measure.genai_bench import find_tool, measurement_of

ROOT = Path(__file__).parents[2]
LENGTHS = LengthDistribution(kind="D", input=(64, 64), output=(16, 16))
PLAN = LevelPlan(
    LENGTHS, LoadLevel.concurrency(2), StoppingRule(3, duration_s=60), warmup_requests=0
)


def request(ttft_s: float, tokens: int = 16, code: int | None = None) -> dict[str, Any]:
    return {
        "ttft": ttft_s,
        "tpot": 0.02,
        "e2e_latency": ttft_s + 0.3,
        "num_input_tokens": 70,
        "num_output_tokens": tokens,
        "error_code": code,
    }


def document(*requests: dict[str, Any]) -> dict[str, Any]:
    errors = [row["error_code"] for row in requests if row["error_code"]]
    return {
        "aggregated_metrics": {
            "run_duration": 2.0,
            "mean_output_throughput_tokens_per_s": 24.0,
            "requests_per_second": 1.5,
            "num_error_requests": len(errors),
            "error_codes_frequency": {str(code): errors.count(code) for code in errors},
        },
        "individual_request_metrics": list(requests),
    }


def test_seconds_become_ms_and_the_original_is_kept() -> None:
    results = document(request(0.1), request(0.2), request(0.3))
    found = measurement_of(results, PLAN, alive=True)
    assert found.ttft_ms is not None
    assert found.tpot_ms is not None
    assert (found.ttft_ms.mean, found.tpot_ms.mean) == (pytest.approx(200), pytest.approx(20))
    assert (found.tok_s, found.requests_s, found.output_tokens) == (24.0, 1.5, 48)
    assert (found.valid, found.ended_by, found.tool) == (True, "requests", "genai-bench")
    assert found.original == results["aggregated_metrics"]


def test_errors_and_short_answers_are_counted_and_never_averaged() -> None:
    results = document(request(0.1), request(0.1, tokens=4), request(9.0, code=503))
    found = measurement_of(results, PLAN, alive=True)
    assert (found.requests_failed, found.requests_short, found.valid) == (1, 1, False)
    assert found.errors == {"HTTP 503": 1}
    assert found.ttft_ms is not None
    assert found.ttft_ms.max == pytest.approx(100)


def test_a_tool_that_is_not_there_is_named_with_its_remedy() -> None:
    with pytest.raises(MeasureError, match="make tool-genai-bench"):
        find_tool("no-such-program")


@pytest.mark.slow
def test_genai_bench_and_ours_stand_side_by_side(tmp_path: Path) -> None:
    example = (ROOT / "examples" / "v2" / "genai-bench.yaml").read_text(encoding="utf-8")
    task = yaml.safe_load(example)
    task["misc"]["threads"] = [1]
    task["optimization"] |= {"budget": {"experiments": 1}, "baseline": "none", "confirm": 0}
    task["benchmark"] |= {"concurrency": [2], "requests_per_level": 8}

    def call(*arguments: object) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "autotuner", *map(str, arguments), "--home", tmp_path, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    for tool in ("autotuner", "genai-bench"):
        task["benchmark"]["tool"] = tool
        file = tmp_path / f"{tool}.yaml"
        file.write_text(yaml.safe_dump(task), encoding="utf-8")
        measured = call("tune", file)["experiments"][0]["measurements"][0]
        assert (measured["tool"], measured["valid"]) == (tool, True)
        assert (measured["original"] is None) == (tool == "autotuner")
    compared = call("compare", 1, 2)
    assert compared["same_tool"] is False
    assert [run["tool"] for run in compared["tasks"]] == ["autotuner", "genai-bench"]
    assert len(compared["points"]) == 1
    assert 0.3 < compared["points"][0]["tok_s"]["ratio"] < 3
