"""A constant rate on the real engine: one that it keeps up with, and one that it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_tune_llamacpp import autotuner

TASK = Path(__file__).parent / "data" / "rates.yaml"


@pytest.mark.slow
def test_a_rate_goes_from_the_task_file_to_frontier_and_report(tmp_path: Path) -> None:
    planned = autotuner(tmp_path, "plan", str(TASK))
    assert planned.returncode == 0, planned.stderr
    assert "1.5, 200 requests/s" in planned.stdout
    tuned = autotuner(tmp_path, "tune", str(TASK), "--json")
    assert tuned.returncode == 0, tuned.stderr
    summary = json.loads(tuned.stdout)
    for launch in summary["experiments"]:
        kept, flooded = launch["measurements"]
        assert kept["load"] == {"kind": "rate", "value": 1.5}
        assert kept["valid"], kept["errors"]
        assert not kept["saturated"], kept["note"]
        assert kept["requests_s"] == pytest.approx(1.5, rel=0.2)
        assert 0 <= kept["client_delay_ms"] < kept["ttft_ms"]["mean"]
        # Twelve requests in 60 ms are a queue: the last waits for most of the others.
        assert flooded["valid"], flooded["errors"]
        assert flooded["saturated"]
        assert flooded["requests_s"] < 200
        assert flooded["ttft_ms"]["mean"] > kept["ttft_ms"]["mean"]
    assert {point["load"]["kind"] for point in summary["frontier"]} == {"rate"}
    report = tmp_path / "report.html"
    assert autotuner(tmp_path, "report", "-o", str(report)).returncode == 0
    assert "1.5 req/s" in report.read_text(encoding="utf-8")
