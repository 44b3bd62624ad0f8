"""Nodes of Ray clusters as the system page lists them; Ray is played."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from test_system import TASK

from autotuner.cluster.overview import NodeState, is_of_each_machine
from autotuner.errors import LaunchError
from autotuner.launch.processes import this_machine
from autotuner.server.app import create_app
from autotuner.server.kept_answers import KeptAnswers
from autotuner.server.service import Service
from autotuner.server.v2 import ray_clusters
from autotuner.store.workers import WorkerRecord

ADDRESS = "http://127.0.0.1:8700"


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture
def service(service: Service) -> Service:
    """A service whose tasks may name any cluster."""
    policy = service.settings.policy.model_copy(update={"ray_addresses": ("*",)})
    return replace(service, settings=service.settings.model_copy(update={"policy": policy}))


def listed(client: TestClient) -> list[dict[str, Any]]:
    answer = client.get("/api/v2/system/ray-clusters")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def running(client: TestClient, service: Service, *, host: str = "", **ray: str) -> int:
    """A task that a worker of a host has taken; of this machine where none is named."""
    task = {**TASK, "deployment_mode": "ray", "ray": ray}
    created = client.post("/api/v2/tasks/?start=true", json=task).json()
    name = host or this_machine().host
    service.store.workers.add(WorkerRecord(name, name, "worker", name, "b", 1, 1, "1", "cpu", []))
    assert service.store.tasks.claim_this(created["id"], name) is not None
    return int(created["id"])


def test_without_a_cluster_none_is_listed(client: TestClient) -> None:
    assert listed(client) == []


def test_a_cluster_that_a_task_runs_on_is_listed_with_what_is_reserved(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = running(client, service, address="auto")
    asked: list[str] = []

    def states(address: str) -> tuple[NodeState, ...]:
        asked.append(address)
        return (NodeState("gpu-7", {"CPU": 8.0, "GPU": 2.0}, {"GPU": 1.0}),)

    monkeypatch.setattr(ray_clusters, "node_states", states)
    for _ in range(3):
        [cluster] = listed(client)
    assert asked == ["auto"], "many who look ask once"
    found = (cluster["address"], cluster["host"], cluster["task_ids"], cluster["problem"])
    assert found == ("auto", None, [task_id], "")
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

    monkeypatch.setattr(ray_clusters, "node_states", states)
    running(client, service, address="local")
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    named, own = listed(client)
    assert (named["address"], named["task_ids"], named["nodes"]) == ("auto", [], [])
    assert (named["problem"], named["remedy"]) == ("nothing answers at auto", "start it")
    assert "ends with the task" in own["problem"]


def test_an_address_of_each_machine_is_of_the_workers_own(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def states(address: str) -> tuple[NodeState, ...]:
        asked.append(address)
        return (NodeState("gpu-7", {}, None),)

    monkeypatch.setattr(ray_clusters, "node_states", states)
    for host, address in (("gpu-8", "auto"), ("gpu-9", "auto"), ("gpu-8", "head:6379")):
        running(client, service, host=host, address=address)
    here = running(client, service, address="auto")
    found = [(c["address"], c["host"], bool(c["nodes"])) for c in listed(client)]
    assert found == [
        ("auto", "gpu-8", False),
        ("auto", "gpu-9", False),
        ("head:6379", None, True),
        ("auto", None, True),
    ]
    assert listed(client)[-1]["task_ids"] == [here]
    assert "not asked from here" in listed(client)[0]["problem"]
    assert sorted(asked) == ["auto", "head:6379"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("auto", True),
        ("local", True),
        ("127.0.0.1:6379", True),
        ("ray://localhost:10001", True),
        ("[::1]:6379", True),
        ("10.0.0.7:6379", False),
        ("ray://head:10001", False),
    ],
)
def test_addresses_of_each_machine(address: str, expected: bool) -> None:
    assert is_of_each_machine(address) is expected


def test_clusters_that_hang_are_waited_for_together(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_asked = threading.Barrier(3)

    def states(address: str) -> tuple[NodeState, ...]:
        both_asked.wait(30)
        both_asked.wait(30)
        return ()

    monkeypatch.setattr(ray_clusters, "node_states", states)
    impatient = replace(service, clusters=KeptAnswers(60.0, max_wait_s=0.1))
    with TestClient(create_app(impatient), base_url=ADDRESS) as client:
        for address in ("one:6379", "two:6379"):
            running(client, service, address=address)
        found = listed(client)
    both_asked.wait(30)
    both_asked.wait(30)
    assert ["does not answer yet" in one["problem"] for one in found] == [True, True]


def test_a_cluster_that_ended_long_ago_is_not_listed(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    assert listed(client) == []
