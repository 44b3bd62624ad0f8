"""What a v1 client hears while a task runs: the WebSocket, and logs that are followed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from v1_client import HOST, Hand, started

from autotuner.server.service import Service


def messages(socket: WebSocketTestSession) -> Iterator[dict[str, Any]]:
    """Until the socket is closed."""
    try:
        while True:
            yield socket.receive_json()
    except WebSocketDisconnect:
        return


def heard_until(found: Iterator[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    heard = []
    for message in found:
        heard.append(message)
        if message["type"] == kind:
            return heard
    raise AssertionError(f"the socket was closed before {kind}: {heard}")


def test_a_socket_reports_each_step_of_a_run(service: Service, client: TestClient) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    with client.websocket_connect(f"/api/ws/tasks/{task_id}", headers=HOST) as socket:
        found = messages(socket)
        first = heard_until(found, "task_status")[-1]
        assert first["data"]["status"] == "running"
        assert first["task_id"] == task_id
        assert first["timestamp"].endswith("Z")
        hand.claims()
        experiment = hand.begins(1)
        begun = heard_until(found, "experiment_started")[-1]
        assert begun["experiment_id"] == 1
        assert begun["data"]["parameters"] == {"max_num_seqs": "1"}
        hand.measures(experiment, e2e_ms=100)
        heard_until(found, "benchmark_started")
        hand.ends_experiment(experiment)
        done = heard_until(found, "experiment_completed")[-1]
        assert done["data"]["objective_score"] == pytest.approx(0.1)
        hand.ends()
        ended = heard_until(found, "task_completed")[-1]
        assert ended["data"]["successful_experiments"] == 1
        assert list(found) == []


def test_a_socket_answers_a_ping(client: TestClient) -> None:
    task_id = started(client)
    with client.websocket_connect(f"/api/ws/tasks/{task_id}", headers=HOST) as socket:
        socket.send_text("ping")
        heard_until(messages(socket), "pong")


def test_a_socket_of_an_unknown_task_is_closed(client: TestClient) -> None:
    with (
        client.websocket_connect("/api/ws/tasks/77", headers=HOST) as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert closed.value.code == 4404


def test_a_page_from_elsewhere_opens_no_socket(client: TestClient) -> None:
    task_id = started(client)
    headers = {**HOST, "origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"/api/ws/tasks/{task_id}", headers=headers) as socket,
    ):
        socket.receive_json()


def test_a_followed_log_ends_with_its_run(service: Service, client: TestClient) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    ending = threading.Timer(1.0, hand.ends)
    ending.start()
    with client.stream("GET", f"/api/tasks/{task_id}/logs?follow=true") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    ending.join()
    assert any("timeout_per_iteration: changed" in line for line in lines)
    assert any("claimed" in line for line in lines)
    whole = client.get(f"/api/tasks/{task_id}/logs").json()["logs"]
    assert whole.splitlines()[: len(lines)] == lines


def test_an_experiments_log_is_what_its_engine_wrote(service: Service, client: TestClient) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    hand.begins(1)
    assert client.get(f"/api/tasks/{task_id}/experiments/1/logs").json() == {"logs": ""}
    hand.log.parent.mkdir(parents=True)
    hand.log.write_bytes(b"loading \xff\nready\n")
    logs = client.get(f"/api/tasks/{task_id}/experiments/1/logs").json()["logs"]
    assert logs.endswith("ready\n")


def test_a_log_elsewhere_is_not_reported(service: Service, client: TestClient) -> None:
    secret = service.folder / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    hand.log = service.logs / ".." / "secret.txt"
    hand.begins(1)
    assert client.get(f"/api/tasks/{task_id}/experiments/1/logs").json() == {"logs": ""}


def test_restarting_forgets_what_was_measured(service: Service, client: TestClient) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    experiment = hand.begins(1)
    hand.measures(experiment, e2e_ms=100)
    hand.ends_experiment(experiment)
    hand.ends()
    done = client.get(f"/api/tasks/{task_id}").json()
    assert done["status"] == "completed"
    best = client.get(f"/api/experiments/{done['best_experiment_id']}").json()
    assert best["experiment_id"] == 1
    again = client.post(f"/api/tasks/{task_id}/restart").json()
    assert (again["status"], again["best_experiment_id"]) == ("running", None)
    assert client.get(f"/api/experiments/task/{task_id}").json() == []


def test_a_task_that_is_still_stopping_cannot_be_restarted(
    service: Service, client: TestClient
) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    assert client.post(f"/api/tasks/{task_id}/cancel").json()["status"] == "cancelled"
    refused = client.post(f"/api/tasks/{task_id}/restart")
    assert refused.status_code == 400
    assert "being stopped" in refused.json()["detail"]
    hand.ends("cancelled")
    assert client.post(f"/api/tasks/{task_id}/restart").json()["status"] == "running"
