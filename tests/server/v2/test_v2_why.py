"""`/tasks/{task_id}/why`: predicted, without any candidate, and refused."""

from __future__ import annotations

import json
from typing import Any

from fastapi.testclient import TestClient
from made_runs import created, run
from test_v2_performance import ON_PAPER

from autotuner.profiles import USERS
from autotuner.server.service import Service
from autotuner.tuning.why_views import WhyView


def why(client: TestClient, task_id: int, **query: Any) -> WhyView:
    answer = client.get(f"/api/v2/tasks/{task_id}/why", params=query)
    assert answer.status_code == 200, answer.text
    return WhyView.model_validate(answer.json())


def test_a_waiting_task_is_answered_by_prediction(client: TestClient) -> None:
    task_id = created(client, **ON_PAPER, slo={"ttft_ms": 1})
    found = why(client, task_id)
    assert (found.task, found.measured, found.elsewhere) == (task_id, None, [])
    assert found.predicted is not None
    assert found.predicted.admitted.points == 0
    (effect,) = found.predicted.limits
    assert effect.missing == effect.only_missing == found.predicted.points
    assert effect.relaxed[0].points > 0
    assert why(client, task_id, elsewhere=True).elsewhere[0].now


def test_measured_points_are_counted_apart_from_predicted_ones(
    service: Service, client: TestClient
) -> None:
    task_id = created(client, slo={"ttft_ms": 0.001})
    run(service, task_id)
    found = why(client, task_id)
    assert found.measured is not None
    assert found.measured.kind == "measured"
    assert found.measured.admitted.points == 0
    assert found.measured.nearest is not None
    assert found.measured.nearest.experiment_index is not None


def test_a_task_without_candidates_says_what_excludes_them(client: TestClient) -> None:
    small = {"backend": "vllm", "gpu_type": "t4", "total_gpus": 1}
    model = {"id": "meta-llama/Llama-3.1-70B-Instruct"}
    task_id = created(client, **{**ON_PAPER, "system": small, "model": model})
    found = why(client, task_id)
    assert found.task == task_id
    assert found.exclusions is not None
    assert found.exclusions.candidates == 0
    assert found.exclusions.rules


def test_a_task_that_is_not_allowed_is_answered_by_its_measurements(
    service: Service, client: TestClient
) -> None:
    sly = {
        "name": "sly",
        "description": "flags of its own",
        "layers": [{"set": {"misc": {"extra_args": ["--lora-modules", "a=/etc"]}}}],
    }
    folder = service.folder / USERS
    folder.mkdir(parents=True)
    (folder / "sly.yaml").write_text(json.dumps(sly), encoding="utf-8")
    found = why(client, created(client, **ON_PAPER, profiles=["sly"]))
    assert (found.predicted, found.exclusions) == (None, None)
    assert any("--lora-modules" in note for note in found.notes)
