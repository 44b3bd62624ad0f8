"""v1's dashboard over a database with rows, and beside a worker."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from autotuner.launch.processes import this_machine
from autotuner.server.service import Service
from autotuner.store.v1_schema import experiments, tasks
from autotuner.store.workers import WorkerRecord

NOW = datetime.now(UTC).replace(tzinfo=None)
TASK = {
    "base_runtime": "sglang",
    "model_config": {},
    "parameters": {},
    "optimization_config": {"max_iterations": 7},
    "benchmark_config": {},
}


def add_task(service: Service, name: str, status: str | None, age_h: float = 0) -> int:
    made_at = NOW - timedelta(hours=age_h)
    with service.store.sessions.writing() as session:
        row = {**TASK, "task_name": name, "created_at": made_at}
        made = session.execute(insert(tasks).values(row).returning(tasks.c.id)).scalar_one()
        session.execute(update(tasks).where(tasks.c.id == made).values(status=status))
    return int(made)


def add_experiment(service: Service, task_id: int, status: str, age_h: float) -> None:
    values = {
        "task_id": task_id,
        "experiment_id": 1,
        "parameters": {},
        "status": status,
        "elapsed_time": 3.0,
        "created_at": NOW - timedelta(hours=age_h),
    }
    with service.store.sessions.writing() as session:
        session.execute(insert(experiments).values(values))


def test_tasks_and_experiments_are_counted(service: Service, client: TestClient) -> None:
    running = add_task(service, "a", "RUNNING")
    add_task(service, "b", "PENDING")
    add_task(service, "without a status", None, age_h=30)
    for status, age_h in (("SUCCESS", 1), ("FAILED", 2), ("DEPLOYING", 0), ("SUCCESS", 30)):
        add_experiment(service, running, status, age_h)
    found = client.get("/api/dashboard/db-statistics").json()
    assert found["tasks_by_status"] == {"pending": 2, "running": 1}
    assert found["experiments_by_status"] == {"deploying": 1, "failed": 1, "success": 2}
    assert (found["total_tasks"], found["tasks_last_24h"]) == (3, 2)
    assert (found["total_experiments"], found["experiments_last_24h"]) == (4, 3)
    assert found["avg_experiment_duration_seconds"] == 3.0
    (row,) = found["running_tasks"]
    assert (row["id"], row["task_name"]) == (running, "a")
    assert (row["completed_experiments"], row["max_iterations"]) == (3, 7)


def test_the_time_line_has_every_experiment_of_its_hours_the_oldest_first(
    service: Service, client: TestClient
) -> None:
    task = add_task(service, "a", "COMPLETED")
    for age_h in (1, 5, 3, 30):
        add_experiment(service, task, "SUCCESS", age_h)

    def ids(query: str) -> list[int]:
        rows = client.get(f"/api/dashboard/experiment-timeline{query}").json()
        assert all(row["status"] == "success" and row["task_name"] == "a" for row in rows)
        return [row["id"] for row in rows]

    assert ids("") == [2, 3, 1]
    assert ids("?hours=4") == [3, 1]
    assert ids("?hours=99999999999") == [4, 2, 3, 1]
    assert ids("?hours=-1") == ids("?hours=0") == []


@pytest.mark.parametrize("is_here", [True, False])
def test_the_worker_is_shown_with_what_its_process_uses(
    service: Service, client: TestClient, is_here: bool
) -> None:
    host = this_machine().host if is_here else "elsewhere"
    fixed: dict[str, Any] = {"boot": "b", "pid_started": 1, "version": "1", "gpu": "cpu"}
    for kind in ("cli", "worker"):
        worker = WorkerRecord(
            id=kind, name=kind, kind=kind, host=host, pid=os.getpid(), devices=["cpu"], **fixed
        )
        service.store.workers.add(worker)
    found = client.get("/api/dashboard/worker-status").json()
    assert (found["worker_running"], found["worker_pid"]) == (True, os.getpid())
    assert found["worker_uptime_seconds"] >= 0
    assert (found["worker_memory_mb"] > 1) is is_here
