"""Constant rates on the real engine: one that it keeps up with, and six times that."""

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
    assert "0.5, 12 requests/s" in planned.stdout
    tuned = autotuner(tmp_path, "tune", str(TASK), "--json")
    assert tuned.returncode == 0, tuned.stderr
    summary = json.loads(tuned.stdout)
    [launch] = summary["experiments"]
    for level, rate in zip(launch["measurements"], (0.5, 12), strict=True):
        assert level["load"] == {"kind": "rate", "value": rate}
        assert level["valid"], level["errors"]
        assert level["requests_completed"] == 8
        assert level["saturated"] or level["requests_s"] == pytest.approx(rate, rel=0.2)
        assert 0 <= level["client_delay_ms"] <= level["client_worst_delay_ms"]
    kept, flooded = launch["measurements"]
    assert not kept["saturated"] or kept["machine"]["busy"], kept["note"]
    # At 24 times the load more requests share the engine.
    assert flooded["e2e_ms"]["mean"] > kept["e2e_ms"]["mean"]
    steady = {level["load"]["value"] for level in (kept, flooded) if not level["saturated"]}
    assert {point["load"]["value"] for point in summary["frontier"]} <= steady
    assert {point["load"]["kind"] for point in summary["frontier"]} == (
        {"rate"} if steady else set()
    )
    report = tmp_path / "report.html"
    assert autotuner(tmp_path, "report", "-o", str(report)).returncode == 0
    assert "0.5 req/s" in report.read_text(encoding="utf-8")
