"""What a document would do, over HTTP."""

from __future__ import annotations

import json
import re
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
        "profiles[0]",
        "profiles[2]",
        "system.gpu_type",
    ]


def test_form_and_meaning_are_checked_at_once_and_nothing_twice(client: TestClient) -> None:
    wrong = TASK | {
        "model": {"id": 7},
        "profiles": ["balanced", "nobody"],
        "system": {"backend": ["llamacpp", "vlm"], "gpu_type": "zzz"},
        "runtime": {"isl": "many", "osl": 16},
        "misc": {"threads": [1, 0], "thredds": 2},
        "combinations": [{"parallel": {"tensor_parallel": [1, -1]}}],
    }
    assert set(faults(client, wrong)) == {
        "model.id",
        "profiles[1]",
        "system.backend[1]",
        "system.gpu_type",
        "runtime.isl",
        "misc.threads[1]",
        "misc.thredds",
        "combinations[0].parallel.tensor_parallel[1]",
    }


BROKEN: list[dict[str, Any]] = [
    {"model": {"id": "smollm"}},
    {"model": {"id": "smollm2-135m", "revision": "main"}},
    {"model": {}},
    {"profiles": ["nobody"]},
    {"system": {"backend": "nothing"}},
    {"system": {"gpu_type": "h1000"}},
    {"runtime": {}},
    {"deployment_mode": "docker"},
    {"benchmark": {"tool": "nothing"}},
    {"parallel": {"tensor_parallel": 2}},
    {"memory": {"max_model_len": 16}},
    {"optimization": {"objectives": ["usd_per_million_tokens"]}},
    {"engine_path": "/bin/sh"},
]


@pytest.mark.parametrize("given", BROKEN, ids=str)
def test_faults_are_in_words_for_who_has_no_command_line(
    client: TestClient, given: dict[str, Any]
) -> None:
    reported = client.post(VALIDATE, json=TASK | given).json()["errors"]
    assert reported
    for fault in reported:
        assert fault["path"], fault
        assert not re.search(r"--\w|`?autotuner [a-z]", fault["message"]), fault


def test_a_plan_can_leave_commands_out(client: TestClient) -> None:
    plan = client.post(f"{PLAN}?commands=false", json=TASK).json()
    assert [candidate["command"] for candidate in plan["experiments"]] == [None, None]
    assert plan["prediction"]["recommended"] is None or plan["prediction"]["recommended"]["command"]


def streamed(client: TestClient, task: dict[str, Any]) -> list[tuple[str, Any]]:
    answer = client.post(PLAN, json=task, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = []
    for block in answer.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        events.append((lines["event"], json.loads(lines["data"])))
    return events


def test_a_plan_reports_its_progress(client: TestClient) -> None:
    events = streamed(client, TASK)
    kinds = [kind for kind, _ in events]
    assert set(kinds[:-1]) == {"progress"}
    assert kinds[-1] == "plan"
    assert events[0][1]["asked"] <= events[0][1]["total"] == 2
    assert events[-1][1]["candidates"] == 2


def test_a_streamed_plan_ends_with_the_problem(client: TestClient) -> None:
    (event,) = streamed(client, TASK | {"model": {"id": "nope"}})
    assert event[0] == "problem"
    assert (event[1]["status"], event[1]["type"]) == (422, "/problems/task-invalid")


def test_what_is_forbidden_is_refused_before_a_stream_begins(client: TestClient) -> None:
    task = TASK | {"engine_path": "/bin/sh"}
    refused = client.post(PLAN, json=task, headers={"Accept": "text/event-stream"})
    assert refused.status_code == 403


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
