"""Events as they happen, from a real server: resumed, kept alive, bounded, and ended."""

from __future__ import annotations

import json
import threading
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from made_runs import created
from sqlalchemy import insert
from streams_of_server import PATIENCE_S, Streams, numbered, parsed, served, until

from autotuner.server.event_feed import LATE_S, EventFeed, EventWindow
from autotuner.server.service import Service, utc_now
from autotuner.store.event_log import events_after
from autotuner.store.schema import EventRow


def test_a_stream_reports_what_was_and_goes_on_with_what_happens(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = created(client)
    other = created(client)
    with streams.opened(f"/tasks/{task_id}/events") as events:
        assert next(events) == {"retry": "2000"}
        first = numbered(events, 1)[0]
        assert first["event"] == "created"
        for number in range(3):
            service.store.add_event(other, "elsewhere", {})
            service.store.add_event(task_id, "step", {"number": number, "text": "a\nb"})
        reported = [json.loads(event["data"]) for event in numbered(events, 3)]
    assert [t["payload"]["number"] for t in reported] == [0, 1, 2]
    assert {(t["task_id"], t["kind"]) for t in reported} == {(task_id, "step")}
    assert reported[0].keys() == {"id", "task_id", "at", "kind", "payload", "task"}
    assert reported[0]["at"].endswith("Z")


def test_a_stream_is_resumed_behind_the_last_event_that_was_got(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = created(client)
    for number in range(5):
        service.store.add_event(task_id, "step", {"number": number})
    ids = [event.id for event in _stored(service, task_id)]
    for opened in (
        streams.opened(f"/tasks/{task_id}/events", **{"Last-Event-ID": str(ids[2])}),
        streams.opened(f"/tasks/{task_id}/events?after={ids[2]}"),
        streams.opened(f"/events?after={ids[2]}"),
    ):
        with opened as events:
            assert [int(event["id"]) for event in numbered(events, 3)] == ids[3:]


def _stored(service: Service, task_id: int) -> Any:
    return events_after(service.store.sessions, 0, task_id=task_id, limit=1_000)


def test_the_stream_of_all_tasks_begins_now(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = created(client)
    with streams.opened("/events") as events:
        next(events)
        until(lambda: streams.feed.subscriptions == 1)
        service.store.add_event(task_id, "step", {})
        assert numbered(events, 1)[0]["event"] == "step"


def test_a_stream_that_is_not_followed_ends(client: TestClient) -> None:
    task_id = created(client)
    for path in (f"/api/v2/tasks/{task_id}/events", "/api/v2/events"):
        text = client.get(path, params={"follow": False}).text
        assert [e["event"] for e in parsed(iter(text.splitlines())) if "id" in e] == ["created"]


def test_an_event_carries_its_task_as_the_list_has_it(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = created(client)
    with streams.opened("/events") as events:
        next(events)
        until(lambda: streams.feed.subscriptions == 1)
        client.post(f"/api/v2/tasks/{task_id}/start")
        data = json.loads(numbered(events, 1)[0]["data"])
    assert data["kind"] == "asked"
    assert [data["task"]] == client.get("/api/v2/tasks/").json()["items"]
    assert data["task"]["status"] == "queued"


def test_of_stored_events_the_last_of_each_task_carries_it(
    service: Service, client: TestClient
) -> None:
    first, second = created(client), created(client)
    for task_id in (first, second, first):
        service.store.add_event(task_id, "step", {})
    text = client.get("/api/v2/events", params={"follow": False}).text
    reported = [json.loads(e["data"]) for e in parsed(iter(text.splitlines())) if "data" in e]
    assert [t["task_id"] for t in reported] == [first, second, first, second, first]
    assert [t["task"] and t["task"]["id"] for t in reported] == [None, None, None, second, first]


def test_without_names_every_event_is_a_message(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id = created(client)
    with streams.opened(f"/tasks/{task_id}/events?form=message") as events:
        assert next(events) == {"retry": "2000"}
        assert json.loads(next(events)["data"])["kind"] == "created"
        until(lambda: streams.feed.subscriptions == 1)
        service.store.add_event(task_id, "step", {"text": "a\nb"})
        live = next(events)
        assert live.keys() == {"id", "data"}
        assert json.loads(live["data"])["payload"] == {"text": "a\nb"}
        streams.server.should_exit = True
        last = list(events)[-1]
    assert last.keys() == {"data"}
    assert json.loads(last["data"]) == {"kind": "end", "reason": "the service is stopping"}
    query = {"follow": False, "form": "message"}
    assert "event:" not in client.get("/api/v2/events", params=query).text
    assert client.get("/api/v2/events", params={"form": "x"}).status_code == 422


def test_every_listener_gets_every_event_once_and_in_order(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_ids = [created(client) for _ in range(3)]
    got: dict[int, list[int]] = {}

    def listen(place: int) -> None:
        with streams.opened("/events?after=0") as events:
            got[place] = [int(event["id"]) for event in numbered(events, 63)]

    def write(task_id: int) -> None:
        for number in range(20):
            service.store.add_event(task_id, "step", {"number": number})

    threads = [threading.Thread(target=listen, args=(place,)) for place in range(10)]
    threads += [threading.Thread(target=write, args=(task_id,)) for task_id in task_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert all(len(set(ids)) == 63 for ids in got.values())
    assert len(got) == 10
    until(lambda: streams.feed.subscriptions == 0)


def test_what_nobody_listens_to_any_more_is_freed(client: TestClient, streams: Streams) -> None:
    task_id = created(client)
    with streams.opened(f"/tasks/{task_id}/events") as events:
        next(events)
        until(lambda: streams.feed.subscriptions == 1)
    until(lambda: streams.feed.subscriptions == 0)


def test_a_quiet_stream_is_kept_alive_and_ends_when_its_task_is_deleted(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)

    def quick(_: FastAPI) -> EventFeed:
        return EventFeed(service.store.sessions, heartbeat_s=0.05)

    with served(service, quick) as streams, streams.opened(f"/tasks/{task_id}/events") as events:
        numbered(events, 1)
        assert next(events) == {"": "still here"}
        assert client.delete(f"/api/v2/tasks/{task_id}").status_code == 204
        last = [event for event in events if event.get("event") == "end"]
        assert "deleted" in last[0]["data"]
        assert "id" not in last[0]


def test_that_a_task_was_deleted_is_an_event_that_is_kept(
    service: Service, client: TestClient, streams: Streams
) -> None:
    task_id, other = created(client), created(client)
    newest = _stored(service, other)[-1].id
    with (
        streams.opened("/events") as events,
        streams.opened(f"/tasks/{task_id}/events") as own,
    ):
        next(events)
        numbered(own, 1)
        until(lambda: streams.feed.subscriptions == 2)
        assert client.delete(f"/api/v2/tasks/{task_id}").status_code == 204
        live = json.loads(numbered(events, 1)[0]["data"])
        rest = list(own)
    assert (live["kind"], live["task_id"], live["task"]) == ("task_deleted", task_id, None)
    assert live["payload"] == {"name": "first"}
    assert [event["event"] for event in rest] == ["task_deleted", "end"], "ends without a wait"
    text = client.get("/api/v2/events", params={"follow": False, "after": newest}).text
    later = [event for event in parsed(iter(text.splitlines())) if "id" in event]
    assert [(int(e["id"]), e["event"]) for e in later] == [(live["id"], "task_deleted")]
    assert [event.kind for event in _stored(service, task_id)] == ["task_deleted"]


def test_a_listener_that_is_too_slow_is_reported_and_ended(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)

    def narrow(_: FastAPI) -> EventFeed:
        return EventFeed(service.store.sessions, most_waiting=5, poll_s=0.5)

    with served(service, narrow) as streams, streams.opened("/events") as events:
        next(events)
        until(lambda: streams.feed.subscriptions == 1)
        for number in range(20):
            service.store.add_event(task_id, "step", {"number": number})
        last = list(events)[-1]
        assert last["event"] == "end"
        assert "too slow" in last["data"]


def test_a_service_that_stops_ends_its_streams_at_once(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    with served(service) as streams, streams.opened(f"/tasks/{task_id}/events") as events:
        numbered(events, 1)
        until(lambda: streams.feed.subscriptions == 1)
        streams.server.should_exit = True
        assert "stopping" in list(events)[-1]["data"]


def test_ids_that_mean_nothing_are_refused(client: TestClient) -> None:
    for headers, query in (({"Last-Event-ID": "x"}, {}), ({}, {"after": -1})):
        answer = client.get("/api/v2/events", params=query, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-parameter")


def test_numbers_of_events_are_never_given_twice(service: Service, client: TestClient) -> None:
    task_id = created(client)
    newest = _stored(service, task_id)[-1].id
    client.delete(f"/api/v2/tasks/{task_id}")
    assert _stored(service, created(client))[0].id > newest


def test_a_number_that_comes_late_is_waited_for_and_not_for_ever() -> None:
    window = EventWindow.starting_at([3, 4], 0.0).after([5, 8, 9], 1.0)
    assert (window.last, set(window.late)) == (9, {6, 7})
    window = window.after([6], 2.0)
    assert set(window.late) == {7}
    assert set(window.after([], 1.0 + LATE_S).late) == set()
    assert len(EventWindow().after([10**9], 0.0).late) <= 1_000


def test_a_late_number_reaches_who_listens(service: Service, client: TestClient) -> None:
    """As when two transactions become visible in the other order than they were numbered."""
    task_id = created(client)
    first = _stored(service, task_id)[-1].id

    def write(number: int) -> None:
        with service.store.sessions.writing() as session:
            row = {"id": number, "task_id": task_id, "at": utc_now(), "kind": "x", "payload": {}}
            session.execute(insert(EventRow), [row])

    with served(service) as streams, streams.opened("/events") as events:
        next(events)
        until(lambda: streams.feed.subscriptions == 1)
        for number in (first + 102, first + 101):
            write(number)
            assert int(numbered(events, 1)[0]["id"]) == number
