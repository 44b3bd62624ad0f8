"""Lists: filters, orders, and pages that put together are the whole list."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_runs import DOCUMENT, created, run
from sqlalchemy import insert

from autotuner.server.service import Service
from autotuner.store.listing import TASK_ORDERS
from autotuner.store.schema import TaskRow

TASKS = "/api/v2/tasks/"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("pending", "queued", "completed", "failed")


def filled(service: Service, count: int = 23) -> None:
    """Tasks of which many share a moment, a name or a state, so that only ids tell them apart."""
    rows = [
        {
            "name": f"task {n % 4}",
            "description": ("plain", "50%_off", "Ünïcode")[n % 3],
            "content_id": f"c{n}",
            "config": DOCUMENT,
            "config_version": 2,
            "model": f"model-{n % 2}",
            "engine": ("vllm", "sglang")[n % 2],
            "engine_version": "",
            "device": "",
            "plan": {},
            "status": STATES[n % 4],
            "stop_reason": "",
            "created_at": BEGIN + timedelta(hours=n // 3),
            "updated_at": None if n % 5 == 0 else BEGIN + timedelta(hours=n % 7),
            "wall_s": 0.0,
            "origin": ("api", "cli")[n % 2],
        }
        for n in range(count)
    ]
    with service.store.sessions.writing() as session:
        session.execute(insert(TaskRow), rows)


def walked(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    """All items, page after page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        given = {**query, "cursor": cursor} if cursor else query
        page = client.get(TASKS, params=given).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
        assert len(page["items"]) == query["limit"]


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    order=st.sampled_from(sorted(TASK_ORDERS)),
    limit=st.integers(1, 30),
    status=st.lists(st.sampled_from(STATES), unique=True),
    origin=st.lists(st.sampled_from(["api", "cli"]), unique=True),
)
def test_pages_put_together_are_the_whole_list_in_its_order(
    service: Service,
    client: TestClient,
    order: str,
    limit: int,
    status: list[str],
    origin: list[str],
) -> None:
    if not client.get(TASKS).json()["items"]:
        filled(service)
    wanted = {"sort": order, "status": status, "origin": origin}
    whole = client.get(TASKS, params={**wanted, "limit": 200}).json()["items"]
    assert walked(client, **wanted, limit=limit) == whole
    everything = client.get(TASKS, params={"limit": 200}).json()["items"]
    chosen = {
        item["id"]
        for item in everything
        if item["status"] in (status or STATES) and item["origin"] in (origin or ["api", "cli"])
    }
    assert [item["id"] for item in whole if item["id"] in chosen] == [i["id"] for i in whole]
    assert len(whole) == len(chosen)
    field, descending = order.removeprefix("-"), order.startswith("-")
    keys = [(item[field], item["id"]) for item in whole]
    assert keys == sorted(keys, reverse=descending)


def test_tasks_that_come_between_two_pages_shift_nothing(
    service: Service, client: TestClient
) -> None:
    filled(service)
    first = client.get(TASKS, params={"limit": 10}).json()
    newer = created(client)
    second = client.get(TASKS, params={"limit": 200, "cursor": first["next_cursor"]}).json()
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert newer not in ids
    assert len(set(ids)) == len(ids) == 23


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"search": "TASK 1"}, 6),
        ({"search": "0%_o"}, 8),
        ({"search": "%"}, 8),
        ({"search": "model-0"}, 12),
        ({"search": "nothing like it"}, 0),
        ({"model": "model-1"}, 11),
        ({"engine": ["vllm", "sglang"]}, 23),
        ({"engine": "vll"}, 0),
        ({"created_after": "2026-01-01T06:00:00Z"}, 2),
        ({"created_before": "2026-01-01T03:00:00+02:00"}, 3),
    ],
)
def test_filters_find_what_they_say(
    service: Service, client: TestClient, query: dict[str, Any], count: int
) -> None:
    filled(service)
    assert len(client.get(TASKS, params={**query, "limit": 200}).json()["items"]) == count


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"sort": "wall_s"},
        {"status": "done"},
        {"created_after": "yesterday"},
        {"created_after": "0"},
        {"created_after": "2026-01-01T00:00:00"},
        {"search": "a\0b"},
        {"model": "a\0b"},
    ],
)
def test_parameters_that_mean_nothing_are_refused(
    client: TestClient, query: dict[str, Any]
) -> None:
    answer = client.get(TASKS, params=query)
    assert answer.status_code == 422
    reported = answer.json()
    assert reported["type"] == "/problems/invalid-parameter"
    assert reported["errors"][0]["path"].startswith(f"query.{next(iter(query))}")


def packed(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "a" * 2_000,
        "../../etc/passwd",
        packed({}),
        packed(["name", "a", 1]),
        packed(["-created_at", "no moment", 1]),
        packed(["-created_at", "2026-01-01T00:00:00", 1]),
        packed(["-created_at", "2026-01-01T00:00:00Z", "1"]),
        packed(["-created_at", "2026-01-01T00:00:00Z", True]),
        packed(["-created_at", "2026-01-01T00:00:00Z", 2**40]),
        packed(["-created_at", "0001-01-01T00:00:00+23:00", 1]),
        packed(["-created_at", None, 1]),
        packed(["-created_at", "2026-01-01T00:00:00Z", 1, 2]),
    ],
)
def test_a_cursor_that_this_list_did_not_give_is_refused(client: TestClient, cursor: str) -> None:
    answer = client.get(TASKS, params={"cursor": cursor})
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "/problems/invalid-cursor"


def test_experiments_are_paged_and_chosen_by_state(service: Service, client: TestClient) -> None:
    task_id = created(client)
    run(service, task_id)
    address = f"{TASKS}{task_id}/experiments"
    first = client.get(address, params={"limit": 2}).json()
    rest = client.get(address, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [e["index"] for e in first["items"] + rest["items"]] == [1, 2, 3]
    assert rest["next_cursor"] is None
    failed = client.get(address, params={"status": "failed"}).json()["items"]
    assert [e["failure_kind"] for e in failed] == ["out_of_memory"]
    assert client.get(address, params={"cursor": "x"}).status_code == 400
    assert client.get(f"{TASKS}999/experiments").status_code == 404


def test_lines_and_special_characters_of_a_text_are_reported_as_they_are(
    client: TestClient,
) -> None:
    text = 'one\ntwo\r\n\ttab "quoted" \\ \u2028 \x1f \U0001f600'
    first, second = created(client, description=text), created(client, description="\n")
    reported = {item["id"]: item["description"] for item in client.get(TASKS).json()["items"]}
    assert reported == {first: text, second: "\n"}


def test_a_parameter_that_takes_one_value_counts_as_it_was_given_last(client: TestClient) -> None:
    for name in ("b", "a"):
        created(client, name=name)
    page = client.get(f"{TASKS}?sort=-name&sort=name&limit=x&limit=1&unknown=1").json()
    assert [item["name"] for item in page["items"]] == ["a"]
