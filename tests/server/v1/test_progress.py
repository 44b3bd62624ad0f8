"""What a v1 client hears while a task runs: the WebSocket, and logs that are followed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from v1_client import HOST, TASK, Hand, started

from autotuner.launch.log_reader import near_end
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
        first = next(found)
        assert first.keys() == {"type", "task_id", "message"}
        assert (first["type"], first["task_id"]) == ("connection_established", task_id)
        hand.claims()
        begun = heard_until(found, "task_started")[-1]
        assert begun.keys() == {"type", "task_id", "timestamp", "message"}
        assert isinstance(begun["timestamp"], float)
        experiment = hand.begins(1)
        launched = heard_until(found, "experiment_started")[-1]
        assert launched["experiment_id"] == 1
        assert launched["data"] == {"parameters": {"max_num_seqs": "1"}, "status": "deploying"}
        hand.serves(1)
        measuring = heard_until(found, "benchmark_started")[-1]
        assert measuring["data"] == {"status": "benchmarking"}
        hand.measures(experiment, e2e_ms=100)
        hand.ends_experiment(experiment)
        done = heard_until(found, "experiment_completed")[-1]["data"]
        assert done.keys() == {"status", "metrics", "objective_score", "elapsed_time"}
        assert done["status"] == "success"
        assert done["objective_score"] == pytest.approx(0.1)
        assert done["elapsed_time"] == 2.0
        progress = heard_until(found, "task_progress")[-1]["data"]
        assert progress == {
            "current_experiment": 1,
            "total_experiments": 1,
            "successful_experiments": 1,
            "progress_percent": 100,
            "best_score": pytest.approx(0.1),
        }
        hand.ends()
        ended = heard_until(found, "task_completed")[-1]["data"]
        assert (ended["status"], ended["successful_experiments"]) == ("completed", 1)
        assert ended["best_score"] == pytest.approx(0.1)


def test_a_socket_reports_the_steps_that_it_has_not_seen(
    service: Service, client: TestClient
) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    with client.websocket_connect(f"/api/ws/tasks/{task_id}", headers=HOST) as socket:
        found = messages(socket)
        next(found)
        hand.claims()
        experiment = hand.begins(1)
        hand.measures(experiment, e2e_ms=100)
        hand.ends_experiment(experiment)
        hand.ends()
        heard = [message["type"] for message in heard_until(found, "task_completed")]
    in_order = (
        *("task_started", "experiment_started", "benchmark_started", "experiment_completed"),
        *("task_progress", "task_completed"),
    )
    assert [kind for kind in heard if kind in in_order] == list(in_order)


def test_a_socket_answers_a_ping(client: TestClient) -> None:
    task_id = started(client)
    with client.websocket_connect(f"/api/ws/tasks/{task_id}", headers=HOST) as socket:
        socket.send_text("ping")
        heard_until(messages(socket), "pong")


def test_a_socket_of_an_unknown_task_stays_open_and_is_counted(client: TestClient) -> None:
    path = "/api/ws/tasks/77/subscribers"
    nobody = {"task_id": 77, "subscriber_count": 0, "status": "inactive"}
    assert client.get(path).json() == nobody
    with client.websocket_connect("/api/ws/tasks/77", headers=HOST) as socket:
        assert socket.receive_json()["type"] == "connection_established"
        socket.send_text("ping")
        heard_until(messages(socket), "pong")
        counted = {"task_id": 77, "subscriber_count": 1, "status": "active"}
        assert client.get(path).json() == counted
    assert client.get(path).json() == nobody


def test_a_socket_of_an_experiment_reports_that_one(service: Service, client: TestClient) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    first = hand.begins(1)
    (row,) = client.get(f"/api/experiments/task/{task_id}").json()
    path = f"/api/ws/experiments/{row['id']}"
    with client.websocket_connect(path, headers=HOST) as socket:
        found = messages(socket)
        hello = next(found)
        assert (hello["type"], hello["experiment_id"]) == ("connection_established", row["id"])
        hand.measures(first, e2e_ms=100)
        hand.ends_experiment(first)
        hand.begins(2)
        heard = heard_until(found, "experiment_completed")
    assert {message["experiment_id"] for message in heard} == {1}


def test_a_page_from_elsewhere_opens_no_socket(client: TestClient) -> None:
    task_id = started(client)
    headers = {**HOST, "origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"/api/ws/tasks/{task_id}", headers=headers) as socket,
    ):
        socket.receive_json()


def followed(client: TestClient, path: str) -> list[str]:
    with client.stream("GET", f"{path}?follow=true") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line and not line.startswith(":")]
    assert all(line.startswith("data: ") for line in lines)
    return [line.removeprefix("data: ") for line in lines]


def test_a_followed_log_ends_with_its_run(service: Service, client: TestClient) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    ending = threading.Timer(1.0, hand.ends)
    ending.start()
    lines = followed(client, f"/api/tasks/{task_id}/logs")
    ending.join()
    assert any("timeout_per_iteration: changed" in line for line in lines)
    assert "Starting task: running" in lines[0]
    whole = client.get(f"/api/tasks/{task_id}/logs").json()["logs"]
    assert whole.splitlines()[: len(lines)] == lines


def test_a_log_is_followed_from_before_the_start(service: Service, client: TestClient) -> None:
    made = client.post("/api/tasks/", json=TASK).json()

    def run() -> None:
        assert client.post(f"/api/tasks/{made['id']}/start").status_code == 200
        hand = Hand(service, 1)
        hand.claims()
        hand.ends()

    starting = threading.Timer(1.0, run)
    starting.start()
    lines = followed(client, f"/api/tasks/{made['id']}/logs")
    starting.join()
    assert "Waiting" in lines[0]
    assert any("Starting task: running" in line for line in lines)


def part_of(logs: str, number: int) -> list[str]:
    """The lines of an experiment, as v1's page of logs finds them."""
    lines = logs.splitlines()
    mark = f"[Experiment {number}]"
    begin = next(i for i, line in enumerate(lines) if mark in line and "Status: DEPLOYING" in line)
    ends = ("Status: SUCCESS", "Status: FAILED")
    return lines[begin:][
        : 1
        + next(
            i
            for i, line in enumerate(lines[begin:])
            if mark in line and any(end in line for end in ends)
        )
    ]


def test_a_log_has_the_marks_by_which_experiments_are_found(
    service: Service, client: TestClient
) -> None:
    task_id = started(client)
    assert client.get(f"/api/tasks/{task_id}/logs").json() == {"logs": "No logs available yet."}
    hand = Hand(service, 1)
    hand.claims()
    for number in (1, 2):
        hand.says("experiment_started", index=number, settings={"a.b": number}, reason="next")
        hand.says("engine_ready", index=number, startup_s=1.5)
        failure = {"kind": "died", "message": "broken\npipe"} if number == 2 else None
        hand.says("experiment_ended", index=number, failure=failure, seconds=3.0)
    logs = client.get(f"/api/tasks/{task_id}/logs").json()["logs"]
    first, second = part_of(logs, 1), part_of(logs, 2)
    assert [line for line in first if "[Experiment 1]" not in line] == []
    assert "Status: BENCHMARKING" in " ".join(first)
    assert "a.b=1" in " ".join(first)
    assert "Status: SUCCESS" in first[-1]
    assert "died: broken pipe" in " ".join(second)
    assert "Status: FAILED" in second[-1]
    assert client.delete(f"/api/tasks/{task_id}/logs").status_code == 204
    assert client.get(f"/api/tasks/{task_id}/logs").json() == {"logs": ""}


def test_an_engines_log_is_followed_until_its_experiment_ends(
    service: Service, client: TestClient
) -> None:
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    experiment = hand.begins(1)
    hand.log.parent.mkdir(parents=True)
    hand.log.write_text("loading\n", "utf-8")

    def end() -> None:
        with hand.log.open("a", encoding="utf-8") as log:
            log.write("ready\nbye")
        hand.measures(experiment, e2e_ms=100)
        hand.ends_experiment(experiment)

    ending = threading.Timer(1.0, end)
    ending.start()
    path = f"/api/tasks/{task_id}/experiments/1/logs"
    assert followed(client, path) == ["loading", "ready", "bye"]
    ending.join()


def test_a_followed_log_is_whole_however_long_it_grows(
    service: Service, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines write more than is read of a log's end."""
    monkeypatch.setattr("autotuner.server.v1.logs.near_end", lambda path: near_end(path, 100))
    task_id = started(client)
    hand = Hand(service, 1)
    hand.claims()
    experiment = hand.begins(1)
    hand.log.parent.mkdir(parents=True)
    hand.log.write_text("".join(f"early {n}\n" for n in range(50)), "utf-8")

    def grow() -> None:
        with hand.log.open("a", encoding="utf-8") as log:
            log.writelines(f"late {n}\r{n} ü\n" for n in range(50))
        hand.ends_experiment(experiment)

    growing = threading.Timer(1.0, grow)
    growing.start()
    lines = followed(client, f"/api/tasks/{task_id}/experiments/1/logs")
    growing.join()
    late = [line for n in range(50) for line in (f"late {n}", f"{n} ü")]
    assert lines[-len(late) :] == late
    assert lines[: -len(late)] == [f"early {n}" for n in range(39, 50)]


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
