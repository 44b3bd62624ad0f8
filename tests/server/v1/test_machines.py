"""The GPUs that a v1 task gets of the workers that are there."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from v1_client import started

from autotuner.server.service import Service
from autotuner.store.workers import WorkerRecord

SGLANG = {"base_runtime": "sglang", "parameters": {"tp-size": [1, 2]}}


def add_worker(service: Service, gpu: str, devices: list[str]) -> None:
    worker = WorkerRecord(
        id=f"of {gpu} {devices}",
        name="a",
        kind="worker",
        host="h",
        boot="b",
        pid=1,
        pid_started=1,
        version="1",
        gpu=gpu,
        devices=devices,
    )
    service.store.workers.add(worker)


@pytest.mark.parametrize(
    ("mode", "workers", "requested"),
    [
        ("docker", [], ("cpu", 0)),
        ("docker", ["cpu"], ("cpu", 0)),
        ("docker", ["cpu", "h100_sxm"], ("h100_sxm", 2)),
        ("local", ["cpu", "h100_sxm"], ("cpu", 0)),
        ("local", ["h100_sxm"], ("h100_sxm", 2)),
    ],
)
def test_a_task_gets_the_gpus_of_a_worker(
    mode: str,
    workers: list[str],
    requested: tuple[str, int],
    service: Service,
    client: TestClient,
) -> None:
    for gpu in workers:
        add_worker(service, gpu, ["cpu"] if gpu == "cpu" else ["0", "1"])
    started(client, deployment_mode=mode, **SGLANG)
    run = service.store.tasks.get(1)
    assert run is not None
    assert (run.requested_gpu, run.requested_gpus) == requested


def test_a_task_that_names_its_gpus_gets_those(service: Service, client: TestClient) -> None:
    add_worker(service, "h100_sxm", ["0", "1"])
    named: dict[str, Any] = {"system_config": {"gpu_type": "a100_sxm", "total_gpus": 1}}
    started(client, deployment_mode="docker", **SGLANG, **named)
    run = service.store.tasks.get(1)
    assert run is not None
    assert (run.requested_gpu, run.requested_gpus) == ("a100_sxm", 1)


def test_a_number_that_no_row_has_is_not_found(client: TestClient) -> None:
    for path in ("tasks/99999999999", "experiments/99999999999", "tasks/-99999999999/logs"):
        assert client.get(f"/api/{path}").status_code == 404
    assert client.get("/api/experiments/task/99999999999").json() == []
