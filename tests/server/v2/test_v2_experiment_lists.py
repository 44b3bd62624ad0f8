"""Experiments of a task: sorted, searched, paged, and what differs among them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import PLAN, begin, claimed, created, finish

from autotuner.server.service import Service
from autotuner.server.v2.experiments import ExperimentPage, ExperimentSort
from autotuner.store.experiment_listing import EXPERIMENT_ORDERS

COUNT = 7


@pytest.fixture
def address(service: Service, client: TestClient) -> str:
    """Experiments of a task of which two failed, and one is running."""
    task_id = created(client)
    claimed(service, task_id)
    service.store.tasks.update_plan(task_id, plan=PLAN)
    for place in range(1, COUNT + 1):
        begin(service, task_id, place)
        if place < COUNT:
            finish(service, task_id, place, failed=place % 3 == 0)
    return f"/api/v2/tasks/{task_id}/experiments"


def walked(client: TestClient, address: str, **query: Any) -> list[dict[str, Any]]:
    """All items, page after page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        given = {**query, "cursor": cursor} if cursor else query
        page = client.get(address, params=given)
        assert page.status_code == 200, page.text
        ExperimentPage.model_validate_json(page.content)
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("order", EXPERIMENT_ORDERS)
def test_pages_put_together_are_the_whole_list_in_its_order(
    client: TestClient, address: str, order: str, limit: int
) -> None:
    whole = client.get(address, params={"sort": order}).json()["items"]
    assert walked(client, address, sort=order, limit=limit) == whole
    assert sorted(item["index"] for item in whole) == list(range(1, COUNT + 1))


@pytest.mark.parametrize("sign", [1, -1])
def test_what_has_no_figure_comes_last(client: TestClient, address: str, sign: int) -> None:
    order = "tok_s" if sign == 1 else "-tok_s"
    items = client.get(address, params={"sort": order}).json()["items"]
    figures = [item["actual_throughput_tok_s"] for item in items]
    measured = [figure for figure in figures if figure is not None]
    assert figures[: len(measured)] == sorted(measured, reverse=sign < 0)
    assert figures[len(measured) :] == [None] * 3


@pytest.mark.parametrize(
    ("search", "indices"),
    [
        ("C2", [2]),
        ("--threads 4", [4]),
        ("no ROOM", [3, 6]),
        ("out_of_memory", [3, 6]),
        ("%", []),
        ("llamacpp", list(range(1, COUNT + 1))),
    ],
)
def test_a_text_is_found_in_id_settings_command_and_failure(
    client: TestClient, address: str, search: str, indices: list[int]
) -> None:
    items = client.get(address, params={"search": search}).json()["items"]
    assert [item["index"] for item in items] == indices


def test_search_and_state_apply_together(client: TestClient, address: str) -> None:
    query = {"search": "c", "status": ["failed", "running"], "sort": "-index"}
    items = client.get(address, params=query).json()["items"]
    assert [item["index"] for item in items] == [7, 6, 3]


def test_items_say_what_differs_among_the_candidates(client: TestClient, address: str) -> None:
    items = client.get(address).json()["items"]
    assert [item["differs"] for item in items] == [{"misc.threads": n + 1} for n in range(COUNT)]
    assert client.get(f"{address}/2").json()["differs"] == {"misc.threads": 2}


def test_nothing_differs_until_the_task_is_planned(service: Service, client: TestClient) -> None:
    task_id = created(client)
    claimed(service, task_id)
    begin(service, task_id, 1)
    (item,) = client.get(f"/api/v2/tasks/{task_id}/experiments").json()["items"]
    assert item["differs"] == {}


@pytest.mark.parametrize(
    "query", [{"sort": "wall_s"}, {"search": "a\0b"}, {"status": "done"}, {"limit": 501}]
)
def test_parameters_that_mean_nothing_are_refused(
    client: TestClient, address: str, query: dict[str, Any]
) -> None:
    answer = client.get(address, params=query)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-parameter")
    assert answer.json()["errors"][0]["path"].startswith(f"query.{next(iter(query))}")


def test_a_cursor_of_another_order_is_refused(client: TestClient, address: str) -> None:
    cursor = client.get(address, params={"limit": 1}).json()["next_cursor"]
    other = client.get(address, params={"cursor": cursor, "sort": "tok_s"})
    assert (other.status_code, other.json()["type"]) == (400, "/problems/invalid-cursor")


def test_the_orders_are_those_of_the_store() -> None:
    assert sorted(ExperimentSort.__args__) == sorted(EXPERIMENT_ORDERS)
