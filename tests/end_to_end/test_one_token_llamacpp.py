"""Answers of one token on the real engine: TTFT and requests/s, and no TPOT anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_tune_llamacpp import autotuner

TASK = Path(__file__).parent / "data" / "one_token.yaml"


@pytest.mark.slow
def test_a_prefill_only_task_has_a_frontier(tmp_path: Path) -> None:
    tuned = autotuner(tmp_path, "tune", str(TASK), "--json")
    assert tuned.returncode == 0, tuned.stderr
    assert "not valid" not in tuned.stderr
    summary = json.loads(tuned.stdout)
    assert summary["task"]["status"] == "completed"
    assert [e["status"] for e in summary["experiments"]] == ["completed"] * 2
    for point in (*summary["frontier"], summary["recommended"]):
        assert point["tpot_ms"] is None
        assert point["tok_s_per_user"] is None
        assert point["requests_per_s"] > 0
        assert point["e2e_p90_ms"] >= point["ttft_ms"] / 2
    html = autotuner(tmp_path, "report", "-o", str(tmp_path / "r.html"))
    assert html.returncode == 0, html.stderr


def test_what_needs_tpot_is_refused_before_any_launch(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(TASK.read_text(encoding="utf-8") + "slo: {tpot_ms: 20}\n", encoding="utf-8")
    refused = autotuner(tmp_path, "validate", str(path))
    assert refused.returncode == 2
    assert "slo.tpot_ms: 20 ms" in refused.stderr
