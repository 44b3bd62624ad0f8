"""Containers, and nodes of clusters, as the system page lists them; both are played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from test_system import TASK

from autotuner.cluster.overview import NodeState
from autotuner.errors import LaunchError
from autotuner.launch import EngineHandle
from autotuner.launch.docker_daemon import DockerDaemon
from autotuner.server.kept_answers import KeptAnswers
from autotuner.server.service import Service
from autotuner.server.v2 import places
from autotuner.store.workers import WorkerRecord

WORKER = WorkerRecord("w", "w", "worker", "gpu-7", "b", 1, 1, "1", "cpu", ["cpu"])
DAEMON = "unix:///nowhere/docker.sock"


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", DAEMON)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def described(name: str, state: str = "running") -> dict[str, Any]:
    """A container as a daemon has it, with what must not be shown."""
    config = {"Image": "vllm/vllm-openai:v1", "Env": ["HF_TOKEN=hush"], "Labels": {}}
    created = "2026-01-02T03:04:05.123456789Z"
    return {"Name": f"/{name}", "Config": config, "State": {"Status": state}, "Created": created}


def listed(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/v2/system/places")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def running_on_ray(client: TestClient, service: Service, **ray: str) -> int:
    task = {**TASK, "deployment_mode": "ray", "ray": ray}
    created = client.post("/api/v2/tasks/?start=true", json=task).json()
    assert service.store.tasks.claim_this(created["id"], "w") is not None
    return int(created["id"])


def test_without_a_daemon_and_a_cluster_each_is_one_line(client: TestClient) -> None:
    found = listed(client)
    assert found["containers"]["items"] == []
    assert "/nowhere/docker.sock" in found["containers"]["problem"]
    assert "systemctl start docker" in found["containers"]["remedy"]
    assert found["clusters"] == []


def test_containers_are_named_with_their_tasks(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [described("autotuner-vllm-1"), described("of-another", "exited")]
    monkeypatch.setattr(DockerDaemon, "containers", lambda self, **filters: there)
    service.store.workers.add(WORKER)
    for name, host in (("autotuner-vllm-1", "gpu-7"), ("autotuner-vllm-2", "gpu-8")):
        handle = EngineHandle("docker", f"{name} D {DAEMON}", host)
        service.store.workers.engine_started(WORKER, 3, handle)
    containers = listed(client)["containers"]
    assert (containers["problem"], containers["daemon"]) == ("", DAEMON)
    rows = [(c["name"], c["task_id"], c["host"], c["state"]) for c in containers["items"]]
    assert sorted(rows) == [
        ("autotuner-vllm-1", 3, None, "running"),
        ("autotuner-vllm-2", 3, "gpu-8", None),
        ("of-another", None, None, "exited"),
    ]
    assert "hush" not in str(containers)


def test_a_cluster_that_a_task_runs_on_is_listed_with_what_is_reserved(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = running_on_ray(client, service, address="auto")
    asked: list[str] = []

    def states(address: str) -> tuple[NodeState, ...]:
        asked.append(address)
        return (NodeState("gpu-7", {"CPU": 8.0, "GPU": 2.0}, {"GPU": 1.0}),)

    monkeypatch.setattr(places, "node_states", states)
    for _ in range(3):
        [cluster] = listed(client)["clusters"]
    assert asked == ["auto"], "many who look ask once"
    assert (cluster["address"], cluster["task_ids"]) == ("auto", [task_id])
    [node] = cluster["nodes"]
    assert node["host"] == "gpu-7"
    assert node["resources"] == [
        {"name": "CPU", "total": 8.0, "reserved": 0.0},
        {"name": "GPU", "total": 2.0, "reserved": 1.0},
    ]


def test_a_cluster_that_does_not_answer_says_why_and_what_to_do(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def states(address: str) -> tuple[NodeState, ...]:
        raise LaunchError(f"nothing answers at {address}", remedy="start it")

    monkeypatch.setattr(places, "node_states", states)
    running_on_ray(client, service, address="local")
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    named, own = listed(client)["clusters"]
    assert (named["address"], named["task_ids"], named["nodes"]) == ("auto", [], [])
    assert (named["problem"], named["remedy"]) == ("nothing answers at auto", "start it")
    assert "ends with the task" in own["problem"]


def test_a_cluster_that_ended_long_ago_is_not_listed(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    assert listed(client)["clusters"] == []


def test_an_answer_is_asked_for_again_once_it_is_old() -> None:
    now_s, asked = [0.0], [0]
    kept = KeptAnswers[int](3.0, lambda: now_s[0])

    def ask() -> int:
        asked[0] += 1
        return asked[0]

    found = []
    for now_s[0] in (0.0, 2.0, 4.0):
        found.append(kept.get("one", ask))
    assert found == [1, 1, 2]
