"""What clients ask of one v1 task at once: no order leaves a run that is nobody's."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient
from v1_client import TASK

from autotuner.server.service import Service
from autotuner.store.v1 import V1Tasks

ROUNDS = 5
AT_ONCE = 6
Ask = Callable[[TestClient, int], Any]


def put(client: TestClient, task_id: int) -> Any:
    slots = str(random.randint(1, 64))
    body = {**TASK, "parameters": {"max_num_seqs": [slots]}}
    return client.put(f"/api/tasks/{task_id}", json=body)


def posting(action: str) -> Ask:
    return lambda client, task_id: client.post(f"/api/tasks/{task_id}/{action}")


def delete(client: TestClient, task_id: int) -> Any:
    return client.delete(f"/api/tasks/{task_id}")


def patch(client: TestClient, task_id: int) -> Any:
    return client.patch(f"/api/tasks/{task_id}", json={"status": "completed"})


start, cancel, restart, clear = map(posting, ("start", "cancel", "restart", "clear"))


def at_once(client: TestClient, task_id: int, asks: list[Ask]) -> list[int]:
    barrier = Barrier(len(asks))

    def ask(one: Ask) -> int:
        barrier.wait()
        return int(one(client, task_id).status_code)

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask, asks))


def check(client: TestClient, service: Service, task_id: int) -> None:
    """The task and its runs fit together."""
    tasks = V1Tasks(service.store.sessions)
    runs = [service.store.tasks.get(v2_task_id) for v2_task_id in tasks.runs_of(task_id)]
    record = tasks.get(task_id)
    if record is None:
        assert runs == [], "a run of no task"
        return
    unended = [run for run in runs if run and run.status in ("queued", "running", "pending")]
    if record.status == "RUNNING":
        assert len(runs) == len(unended) == 1
        config = runs[0].config  # type: ignore[union-attr]
        wanted = [int(value) for value in record.parameters["max_num_seqs"]]
        given = config["scheduling"]["max_running_requests"]
        assert (given if isinstance(given, list) else [given]) == wanted, "old parameters"
    else:
        assert unended == [], f"a run of a task that is {record.status}"
    if record.status == "PENDING":
        assert runs == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asks", "begin"),
    [
        ([start, delete], None),
        ([start, put], None),
        ([start, clear], None),
        ([start, patch], None),
        ([cancel, restart], "cancelled"),
        ([restart, delete], "cancelled"),
        ([restart, put], "cancelled"),
        ([cancel, start, put, clear, delete, restart], "running"),
    ],
    ids=lambda value: (
        "-".join(name for one in value for name, known in globals().items() if known is one)
        if isinstance(value, list)
        else str(value)
    ),
)
def test_no_run_is_left_that_is_nobodys(
    asks: list[Ask], begin: str | None, client: TestClient, service: Service
) -> None:
    for number in range(ROUNDS):
        made = client.post("/api/tasks/", json={**TASK, "task_name": f"race {number}"}).json()
        if begin is not None:
            assert start(client, made["id"]).status_code == 200
        if begin == "cancelled":
            assert cancel(client, made["id"]).status_code == 200
        few = [asks[place % len(asks)] for place in range(max(len(asks), AT_ONCE))]
        answers = at_once(client, made["id"], few)
        assert all(status < 500 for status in answers), answers
        check(client, service, made["id"])


def test_two_tasks_of_one_name_at_once_are_one(client: TestClient) -> None:
    def create(_client: TestClient, number: int) -> Any:
        return client.post("/api/tasks/", json={**TASK, "task_name": f"of one name {number}"})

    def preset(_client: TestClient, number: int) -> Any:
        body = {"name": f"of one name {number}", "parameters": {"a": [1]}}
        return client.post("/api/presets/", json=body)

    for number in range(ROUNDS):
        assert sorted(at_once(client, number, [create] * 4)) == [201, 400, 400, 400]
        assert sorted(at_once(client, number, [preset] * 4)) == [201, 409, 409, 409]


def test_the_run_of_a_task_that_is_deleted_through_v2_leaves_it_cancelled(
    client: TestClient, service: Service
) -> None:
    made = client.post("/api/tasks/", json=TASK).json()
    assert start(client, made["id"]).status_code == 200
    v2_task_id = V1Tasks(service.store.sessions).run_of(made["id"])
    assert client.delete(f"/api/v2/tasks/{v2_task_id}").status_code == 204
    assert client.get(f"/api/tasks/{made['id']}").json()["status"] == "cancelled"
