"""What a document would do, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.config import parse_task
from autotuner.report.plan_document import plan_of
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.server.v2 import plans
from autotuner.tuning.prepare import prepare
from autotuner.workers.policy import Policy

VALIDATE, PLAN = "/api/v2/tasks/validate", "/api/v2/tasks/plan"
TASK: dict[str, Any] = {
    "version": 2,
    "name": "first",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 64, "osl": 16},
    "misc": {"threads": [1, 2]},
    "optimization": {"budget": {"experiments": 2}},
}


def faults(client: TestClient, document: Any) -> list[str]:
    answer = client.post(VALIDATE, json=document)
    assert answer.status_code == 200, answer.text
    assert answer.json()["valid"] is not bool(answer.json()["errors"])
    return [fault["path"] for fault in answer.json()["errors"]]


def test_a_task_that_can_run_is_valid(client: TestClient) -> None:
    document = client.post(VALIDATE, json=TASK).json()
    assert (document["valid"], document["errors"], document["candidates"]) == (True, [], 2)


def test_every_fault_of_the_form_is_reported_at_once(client: TestClient) -> None:
    wrong = TASK | {
        "name": "",
        "optimization": {"budget": {"experiments": 0}, "strategy": "nope"},
        "benchmark": {"concurrency": []},
    }
    assert set(faults(client, wrong)) == {
        "name",
        "optimization.budget.experiments",
        "optimization.strategy",
        "benchmark.concurrency",
    }


def test_every_fault_of_the_meaning_is_reported_at_once(client: TestClient) -> None:
    wrong = TASK | {
        "model": {"id": "nope"},
        "profiles": ["nobody", "balanced", "nothing"],
        "system": {"gpu_type": "zzz"},
        "runtime": {"isl": 64},
    }
    assert faults(client, wrong) == [
        "model.id",
        "runtime.osl",
        "profiles",
        "profiles",
        "system.gpu_type",
    ]


def test_what_the_operator_forbids_is_reported_and_not_looked_at(client: TestClient) -> None:
    assert faults(client, TASK | {"model": {"path": "/etc/passwd"}}) == ["model.path"]
    assert faults(client, TASK | {"engine_path": "/bin/sh"}) == ["engine_path"]


def test_a_body_that_is_no_object_is_refused(client: TestClient) -> None:
    for body in ("[1]", "7", "{", '{"a": 1, "a": 2}'):
        refused = client.post(VALIDATE, content=body, headers={"Content-Type": "application/json"})
        assert refused.status_code == 422, body
        assert refused.json()["type"] == "/problems/invalid-body"


def test_a_plan_reports_candidates_exclusions_frontier_and_cost(client: TestClient) -> None:
    task = TASK | {
        "model": {"id": "Llama-3.1-70B"},
        "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 4},
        "parallel": {"tensor_parallel": [1, 2, 4, 8]},
        "misc": {},
    }
    answer = client.post(PLAN, json=task)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert sum(plan["excluded"].values()) + plan["candidates"] == plan["combinations"] == 4
    assert plan["excluded"]
    assert plan["launches"] == min(2, plan["candidates"])
    assert plan["strategy_reason"]
    prediction = plan["prediction"]
    assert prediction["frontier"]
    assert prediction["minutes"] > 0
    assert prediction["usd"] > 0
    assert {point["candidate"] for point in prediction["frontier"]} <= {
        candidate["id"] for candidate in plan["experiments"]
    }
    assert all("vllm" in candidate["command"] for candidate in plan["experiments"])


@pytest.mark.parametrize(
    ("given", "status", "kind"),
    [
        ({"optimization": {"strategy": "nope"}}, 422, "invalid-body"),
        ({"model": {"id": "nope"}}, 422, "task-invalid"),
        ({"model": {"path": "../../etc/passwd"}}, 403, "policy-refused"),
        ({"system": {"backend": "vllm", "gpu_type": "zzz"}}, 422, "task-invalid"),
        ({"deployment_mode": "docker"}, 422, "task-invalid"),
    ],
)
def test_what_cannot_be_planned_is_a_problem(
    client: TestClient, given: dict[str, Any], status: int, kind: str
) -> None:
    refused = client.post(PLAN, json=TASK | given)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")


def test_too_many_combinations_are_refused_before_any_is_made(client: TestClient) -> None:
    wide = TASK | {
        "misc": {"threads": list(range(1, 400))},
        "memory": {"max_model_len": list(range(256, 800))},
    }
    refused = client.post(PLAN, json=wide)
    assert refused.status_code == 422
    assert "combinations" in refused.json()["detail"]
    (fault,) = client.post(VALIDATE, json=wide).json()["errors"]
    assert "combinations" in fault["message"]


def test_a_plan_that_takes_too_long_is_given_up(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "LONGEST_S", 0.0)
    refused = client.post(PLAN, json=TASK)
    assert refused.status_code == 422
    assert "more than 0 s" in refused.json()["detail"]
    monkeypatch.undo()
    assert client.post(PLAN, json=TASK).status_code == 200


def test_the_operators_limits_count(service: Service) -> None:
    from dataclasses import replace

    from autotuner.server.app import create_app

    strict = replace(service, settings=ServiceSettings(policy=Policy(max_experiments=1)))
    with TestClient(create_app(strict), base_url="http://127.0.0.1:8700") as client:
        assert faults(client, TASK) == ["optimization.budget.experiments"]
        assert client.post(PLAN, json=TASK).status_code == 403


@pytest.mark.parametrize("osl", [1, 500])
def test_a_plan_has_the_shape_of_the_api(osl: int, tmp_path: Path) -> None:
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
    plan = plans.PLAN.validate_python(plan_of(prepared, tmp_path, None)[0])
    assert plan.prediction.recommended is not None
    assert plan.prediction.recommended.limits[0].name == "ttft_ms"
    assert all((point.tpot_ms is None) == (osl == 1) for point in plan.prediction.frontier)
    assert plan.prediction.mixed is None
