"""v1 tasks that really run: a fake engine, and the worker as its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from v1_client import started

from autotuner.server.service import Service
from autotuner.testing.fake_engine import install_fake_engine

pytestmark = pytest.mark.slow
WAIT_S = 120.0
FINISHED = ("completed", "failed", "cancelled")


@contextmanager
def working(service: Service, database: str | None, *fake: str) -> Iterator[Path]:
    """A worker that finds the fake engine on its PATH; gives the file of what it says."""
    engine = install_fake_engine(service.folder / "bin", "--ttft-ms=5", "--tpot-ms=1", *fake)
    named = {} if database is None else {"AUTOTUNER_DATABASE": database}
    path = os.pathsep.join((str(engine.parent), os.environ["PATH"]))
    log = service.folder / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "autotuner", "worker", "--devices", "cpu"],
            env=os.environ | named | {"AUTOTUNER_HOME": str(service.folder), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait(timeout=WAIT_S)


def seen(client: TestClient, path: str, wanted: tuple[str, ...], log: Path) -> dict[str, Any]:
    """What a path answers once its status is one of these."""
    deadline = time.monotonic() + WAIT_S
    while True:
        found: dict[str, Any] = client.get(path).json()
        if found["status"] in wanted:
            return found
        assert time.monotonic() < deadline, f"{found}\n{log.read_text('utf-8')}"
        time.sleep(0.2)


def test_a_v1_task_runs_and_its_results_have_v1s_shape(
    service: Service, client: TestClient, database: str | None
) -> None:
    slo = {"ttft": {"threshold": 60.0, "weight": 1.0}, "steepness": 0.1}
    task_id = started(client, slo=slo)
    with working(service, database) as log:
        done = seen(client, f"/api/tasks/{task_id}", FINISHED, log)
    assert done["status"] == "completed", log.read_text("utf-8")
    assert (done["total_experiments"], done["successful_experiments"]) == (2, 2)
    assert done["elapsed_time"] > 0
    experiments = client.get(f"/api/experiments/task/{task_id}").json()
    experiments.reverse()
    assert [e["parameters"] for e in experiments] == [{"max_num_seqs": "1"}, {"max_num_seqs": "2"}]
    for experiment in experiments:
        metrics = experiment["metrics"]
        assert experiment["status"] == "success"
        assert metrics["concurrency_levels"] == [1, 2]
        assert metrics["success_rate"] == 1.0
        assert 0 < metrics["mean_ttft"] < metrics["mean_e2e_latency"] < WAIT_S
        assert experiment["objective_score"] == metrics["mean_e2e_latency"]
    best = min(experiments, key=lambda e: float(e["objective_score"]))
    assert done["best_experiment_id"] == best["id"]
    logs = client.get(f"/api/tasks/{task_id}/experiments/1/logs").json()["logs"]
    assert logs
    marks = client.get(f"/api/tasks/{task_id}/logs").json()["logs"]
    for number in (1, 2):
        for status in ("DEPLOYING", "BENCHMARKING", "SUCCESS"):
            assert f"[Experiment {number}] Status: {status}" in marks
    timeline = client.get("/api/dashboard/experiment-timeline").json()
    assert {row["task_name"] for row in timeline} == {"running"}
    json.dumps(experiments, allow_nan=False)


def test_a_running_v1_task_is_cancelled_while_its_engine_loads(
    service: Service, client: TestClient, database: str | None
) -> None:
    task_id = started(client)
    with working(service, database, "--load-delay-s=600") as log:
        deadline = time.monotonic() + WAIT_S
        while not client.get(f"/api/experiments/task/{task_id}").json():
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.2)
        assert client.get("/api/dashboard/worker-status").json()["worker_running"] is True
        assert client.post(f"/api/tasks/{task_id}/cancel").json()["status"] == "cancelled"
        assert client.get(f"/api/experiments/task/{task_id}").json() == []
        seen(client, "/api/v2/tasks/1", ("cancelled",), log)
        assert client.get(f"/api/tasks/{task_id}").json()["status"] == "cancelled"
        assert client.get(f"/api/experiments/task/{task_id}").json() == []


def test_a_v1_task_whose_engine_cannot_start_has_failed(
    service: Service, client: TestClient, database: str | None
) -> None:
    task_id = started(client)
    with working(service, database, "--fail=oom-start") as log:
        done = seen(client, f"/api/tasks/{task_id}", FINISHED, log)
    assert done["status"] == "failed"
    experiments = client.get(f"/api/experiments/task/{task_id}").json()
    assert [e["status"] for e in experiments] == ["failed", "failed"]
    assert "out_of_memory" in experiments[0]["error_message"]
