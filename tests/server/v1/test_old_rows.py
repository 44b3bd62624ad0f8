"""Rows as v1 left them: odd values that are still reported."""

from __future__ import annotations

from fastapi.testclient import TestClient
from sqlalchemy import text

from autotuner.server.service import Service

TASK = """INSERT INTO tasks (task_name, description, status, model_config, base_runtime, parameters,
 optimization_config, benchmark_config, slo_config, metadata, created_at)
 VALUES (:name, :stated, :status, :model, 'sglang', :parameters, '{}', '{}', :slo, :metadata,
 :at)"""
EXPERIMENT = """INSERT INTO experiments (task_id, experiment_id, parameters, status, metrics,
 objective_score, created_at)
 VALUES (1, :n, :parameters, :status, :metrics, :score, :at)"""
AT = "2025-11-02 10:20:30.123456"


def written(service: Service, status: str | None = "COMPLETED") -> None:
    with service.store.sessions.writing() as session:
        session.execute(
            text(TASK),
            {
                "name": 'o\'brien "Ω" 😀',
                "stated": None,
                "status": status,
                "model": '{"id_or_path": "a/b", "big": 123456789012345678901234567890}',
                "parameters": '{"tp-size": [1, 1e999]}',
                "slo": "null",
                "metadata": '{"checkpoint": {"iteration": 3}}',
                "at": AT,
            },
        )
        for number, (score, metrics) in enumerate(((float("inf"), "null"), (None, "{}")), start=1):
            values = {"n": number, "parameters": "{}", "status": "FAILED", "at": AT}
            values |= {"score": score, "metrics": metrics}
            session.execute(text(EXPERIMENT), values)


def test_an_old_task_is_reported_with_what_json_can_say(
    service: Service, client: TestClient
) -> None:
    written(service)
    task = client.get("/api/tasks/1").json()
    assert task["task_name"] == 'o\'brien "Ω" 😀'
    assert task["model"]["big"] == 123456789012345678901234567890
    assert task["parameters"] == {"tp-size": [1, None]}
    assert task["slo"] is None
    assert task["metadata"] == {"checkpoint": {"iteration": 3}}
    assert task["total_experiments"] == 0
    assert task["created_at"] == "2025-11-02T10:20:30.123456Z"


def test_an_infinite_score_is_null(service: Service, client: TestClient) -> None:
    written(service)
    found = client.get("/api/experiments/task/1").json()
    assert [e["objective_score"] for e in found] == [None, None]
    assert [e["metrics"] for e in found] == [{}, None]
    assert client.get("/api/dashboard/db-statistics").json()["experiments_by_status"] == {
        "failed": 2
    }


def test_a_task_whose_worker_died_long_ago_can_be_cancelled(
    service: Service, client: TestClient
) -> None:
    written(service, "RUNNING")
    assert client.get("/api/tasks/1").json()["status"] == "running"
    assert client.post("/api/tasks/1/cancel").json()["status"] == "cancelled"
    assert client.post("/api/tasks/1/clear").json()["status"] == "pending"


def test_a_task_without_a_status_is_pending(service: Service, client: TestClient) -> None:
    written(service, None)
    for query in ("", "?status_filter=pending"):
        assert client.get(f"/api/tasks/{query}").json()[0]["status"] == "pending"


def test_an_old_task_with_experiments_is_deleted(service: Service, client: TestClient) -> None:
    written(service)
    assert client.delete("/api/tasks/1").status_code == 204
    assert client.get("/api/experiments/").json() == []
