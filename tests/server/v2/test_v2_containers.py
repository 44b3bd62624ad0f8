"""Containers as the system page lists them; their daemon is played."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.errors import LaunchError
from autotuner.launch import EngineHandle
from autotuner.launch.docker_daemon import DaemonFacts, DockerDaemon
from autotuner.launch.processes import this_machine
from autotuner.server.app import create_app
from autotuner.server.kept_answers import KeptAnswers
from autotuner.server.service import ListedContainers, Service
from autotuner.store.workers import WorkerRecord

WORKER = WorkerRecord("w", "w", "worker", "gpu-7", "b", 1, 1, "1", "cpu", ["cpu"])
ADDRESS = "http://127.0.0.1:8700"
DAEMON = "unix:///nowhere/docker.sock"
FACTS = DaemonFacts("D", "gpu-7", "29", "amd64", 8, 16.0, runs_nvidia=False)


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", DAEMON)


def described(name: str, state: str = "running") -> dict[str, Any]:
    """A container as a daemon has it, with what must not be shown."""
    config = {"Image": "vllm/vllm-openai:v1", "Env": ["HF_TOKEN=hush"], "Labels": {}}
    created = "2026-01-02T03:04:05.123456789Z"
    return {"Name": f"/{name}", "Config": config, "State": {"Status": state}, "Created": created}


def listed(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/v2/system/containers")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def record(service: Service, name: str, *, daemon: str = "D", host: str = "gpu-7") -> None:
    handle = EngineHandle("docker", f"{name} {daemon} {DAEMON}", host)
    service.store.workers.engine_started(WORKER, 3, handle)


def rows(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return sorted((c["name"], c["task_id"], c["host"], c["state"]) for c in found["items"])


def test_without_a_daemon_there_is_one_line(client: TestClient) -> None:
    found = listed(client)
    assert found["items"] == []
    assert "/nowhere/docker.sock" in found["problem"]
    assert "systemctl start docker" in found["remedy"]


def test_containers_are_named_with_their_tasks(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [described("autotuner-vllm-1"), described("of-another", "exited")]
    monkeypatch.setattr(DockerDaemon, "facts", lambda self: FACTS)
    monkeypatch.setattr(DockerDaemon, "containers", lambda self, **filters: there)
    service.store.workers.add(WORKER)
    record(service, "autotuner-vllm-1")
    record(service, "autotuner-vllm-2", daemon="E", host="gpu-8")
    found = listed(client)
    assert (found["problem"], found["daemon"]) == ("", DAEMON)
    assert rows(found) == [
        ("autotuner-vllm-1", 3, None, "running"),
        ("autotuner-vllm-2", 3, "gpu-8", None),
        ("of-another", None, None, "exited"),
    ]
    assert "hush" not in str(found)


def test_what_the_daemon_does_not_list_any_more_runs_nowhere(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DockerDaemon, "facts", lambda self: FACTS)
    monkeypatch.setattr(DockerDaemon, "containers", lambda self, **filters: [])
    service.store.workers.add(WORKER)
    record(service, "removed-by-hand")
    record(service, "of-another-daemon", daemon="E")
    assert rows(listed(client)) == [("of-another-daemon", 3, "gpu-7", None)]


def test_without_the_daemon_its_containers_are_as_they_are_recorded(
    client: TestClient, service: Service
) -> None:
    service.store.workers.add(WORKER)
    record(service, "one", host=this_machine().host)
    record(service, "two", host="gpu-8")
    assert rows(listed(client)) == [("one", 3, None, None), ("two", 3, "gpu-8", None)]


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """The connections to a daemon that accepts them, and never answers."""
    path, accepted = str(tmp_path / "docker.sock"), list[socket.socket]()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def accept() -> None:
            try:
                while True:
                    accepted.append(server.accept()[0])
            except OSError:
                return  # the test is over

        threading.Thread(target=accept, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield accepted
        server.shutdown(socket.SHUT_RDWR)
        for connection in accepted:
            connection.close()


def test_a_daemon_that_hangs_is_asked_once_and_holds_up_nothing_else(
    service: Service, hanging: list[socket.socket]
) -> None:
    impatient = replace(service, containers=KeptAnswers(3.0, max_wait_s=0.2))
    with TestClient(create_app(impatient), base_url=ADDRESS) as client:
        first, second = listed(client), listed(client)
        others = [client.get(f"/api/v2/system/{name}") for name in ("ray-clusters", "", "queue")]
    assert "does not answer yet" in first["problem"]
    assert first["remedy"]
    assert second["problem"] == first["problem"]
    assert len(hanging) == 1
    assert [other.status_code for other in others] == [200, 200, 200]


def test_a_list_that_is_overdue_says_how_old_it_is(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, may_answer = [0.0], threading.Event()
    kept = KeptAnswers[ListedContainers](3.0, max_wait_s=5.0, clock=lambda: now_s[0])
    monkeypatch.setattr(DockerDaemon, "facts", lambda self: FACTS)
    monkeypatch.setattr(DockerDaemon, "containers", lambda self, **filters: [described("one")])

    def hang() -> ListedContainers:
        may_answer.wait(30)
        raise LaunchError("gone")

    with TestClient(create_app(replace(service, containers=kept)), base_url=ADDRESS) as client:
        assert listed(client)["problem"] == ""
        now_s[0] = 40.0
        kept.begin(DAEMON, hang)
        now_s[0] = 50.0
        found = listed(client)
    may_answer.set()
    assert "as of 50 s ago" in found["problem"]
    assert rows(found) == [("one", None, None, "running")]
