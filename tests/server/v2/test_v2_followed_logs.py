"""Logs that are followed as they are written: of launches, and of tasks themselves."""

from __future__ import annotations

from fastapi.testclient import TestClient
from made_runs import begin, brought_to, claimed, created, run
from streams_of_server import Streams, parsed

from autotuner.server.service import Service


def test_a_log_is_followed_to_its_end(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = brought_to(service, client, "pending")
    lease = claimed(service, task_id)
    path = service.logs / "1.log"
    service.logs.mkdir()
    path.write_text("one\ntwo\nthr")
    number = begin(service, task_id, 1, log_path=str(path))
    with (
        streams.opened(f"/tasks/{task_id}/experiments/1/logs?follow=true&tail=1") as one,
        streams.opened(f"/tasks/{task_id}/logs?follow=true&tail=1") as whole,
    ):
        assert next(one)["data"] == "two"
        assert next(whole) == {"": "still here"}
        assert next(whole) == {"event": "experiment", "data": "1"}
        assert next(whole)["data"] == "two"
        with path.open("a") as file:
            file.write("ee\nfour")
        assert next(one)["data"] == next(whole)["data"] == "three"
        service.store.finish_experiment(
            number, status="completed", failure=None, startup_s=1.0, measure_s=1.0
        )
        assert [event["data"] for event in one] == ["four", "{}"]
        second = service.logs / "2.log"
        second.write_text("five\nsix\n")
        begin(service, task_id, 2, log_path=str(second))
        reported = [next(whole)["data"] for _ in range(4)]
        assert reported == ["four", "2", "five", "six"]
        service.store.tasks.release(lease, status="completed", reason="done")
        assert [event["event"] for event in whole] == ["end"]


def test_what_is_written_last_is_reported_though_its_line_has_no_end(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = brought_to(service, client, "pending")
    claimed(service, task_id)
    path = service.logs / "1.log"
    service.logs.mkdir()
    path.write_text("one\n")
    number = begin(service, task_id, 1, log_path=str(path))
    with streams.opened(f"/tasks/{task_id}/experiments/1/logs?follow=true") as one:
        assert next(one)["data"] == "one"
        with path.open("a") as file:
            file.write("two")
        service.store.finish_experiment(
            number, status="failed", failure=None, startup_s=1.0, measure_s=1.0
        )
        assert [event["data"] for event in one] == ["two", "{}"]


def test_a_log_that_is_not_there_yet_is_waited_for(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = brought_to(service, client, "pending")
    lease = claimed(service, task_id)
    path = service.logs / "1.log"
    number = begin(service, task_id, 1, log_path=str(path))
    with (
        streams.opened(f"/tasks/{task_id}/experiments/1/logs?follow=true") as one,
        streams.opened(f"/tasks/{task_id}/logs?follow=true") as whole,
    ):
        assert next(whole) == {"": "still here"}
        assert next(whole) == {"event": "experiment", "data": "1"}
        service.logs.mkdir()
        path.write_text("one\n")
        assert next(one)["data"] == next(whole)["data"] == "one"
        service.store.finish_experiment(
            number, status="completed", failure=None, startup_s=1.0, measure_s=1.0
        )
        service.store.tasks.release(lease, status="completed", reason="done")
        assert [event["event"] for event in one] == ["end"]
        assert [event["event"] for event in whole] == ["end"]


def test_a_tasks_own_log_is_followed_to_its_end(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = created(client)
    lease = claimed(service, task_id)
    with streams.opened(f"/tasks/{task_id}/logs/task?follow=true&tail=1") as lines:
        assert next(lines)["data"].endswith(" INFO Taken by worker worker-1")
        service.store.add_event(task_id, "machine_busy", {"reason": "others work"})
        assert next(lines)["data"].endswith(" WARNING others work")
        service.store.tasks.release(lease, status="failed", reason="no engine")
        assert next(lines)["data"].endswith(" ERROR Failed: no engine")
        assert [event["event"] for event in lines] == ["end"]


def test_the_log_of_a_task_that_has_run_is_followed_and_ends(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    text = client.get(f"/api/v2/tasks/{task_id}/logs", params={"follow": True}).text
    reported = [e.get("data") for e in parsed(iter(text.splitlines()))]
    assert reported == [None, "3", "one", "two", "three", "{}"]
