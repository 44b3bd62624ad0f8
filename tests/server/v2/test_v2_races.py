"""What clients ask of one v2 task at once is done in some order, and each is told the truth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.server.service import Service

ROUNDS = 4
DOCUMENT: dict[str, Any] = {
    "version": 2,
    "name": "race",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 8, "osl": 4},
}
Ask = Callable[[TestClient, str], Any]


def posting(action: str) -> Ask:
    return lambda client, path: client.post(f"{path}/{action}")


def delete(client: TestClient, path: str) -> Any:
    return client.delete(path)


def patch(client: TestClient, path: str) -> Any:
    return client.patch(path, json={"config": {**DOCUMENT, "name": "changed"}})


def at_once(client: TestClient, path: str, asks: list[Ask]) -> list[Any]:
    barrier = Barrier(len(asks))

    def ask(one: Ask) -> Any:
        barrier.wait()
        return one(client, path)

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask, asks))


def test_each_is_done_once_or_refused_for_its_state(client: TestClient, service: Service) -> None:
    actions = ("start", "cancel", "restart", "resume", "pause")
    for _ in range(ROUNDS):
        made = client.post("/api/v2/tasks/", json=DOCUMENT)
        path = made.headers["location"]
        answers = at_once(client, path, [*map(posting, actions), delete, patch])
        number = path.rpartition("/")[2]
        for answer in answers:
            assert answer.status_code in (200, 202, 204, 404, 409), answer.text
            if answer.status_code >= 400:
                assert f"task {number}" in answer.json()["detail"], "the task that was asked for"
        gone = client.get(path).status_code == 404
        deleted = [answer for answer in answers if answer.status_code == 204]
        assert gone == (len(deleted) == 1)
    assert service.store.tasks.next_for(gpu="cpu", gpus=0) is None or not gone


def test_one_of_two_that_delete_finds_it_gone(client: TestClient) -> None:
    for _ in range(ROUNDS):
        path = client.post("/api/v2/tasks/", json=DOCUMENT).headers["location"]
        statuses = sorted(a.status_code for a in at_once(client, path, [delete] * 3))
        assert statuses == [204, 404, 404]


@pytest.mark.parametrize("kind", ["task", "profile"])
def test_the_etag_of_what_is_gone_opens_and_deletes_no_successor(
    kind: str, client: TestClient
) -> None:
    def make() -> tuple[str, str]:
        if kind == "task":
            answer = client.post("/api/v2/tasks/", json=DOCUMENT)
            return answer.headers["location"], answer.headers["etag"]
        content = {"description": "mine", "layers": [{"set": {"misc.threads": 2}}]}
        answer = client.post("/api/v2/profiles/", json={"name": "mine", **content})
        assert answer.status_code == 201, answer.text
        return answer.headers["location"], answer.headers["etag"]

    path, tag = make()
    assert client.delete(path, headers={"If-Match": tag}).status_code == 204
    successor, other = make()
    assert (successor, other) != (path, tag)
    for address in (path, successor):
        assert client.get(address, headers={"If-None-Match": tag}).status_code in (200, 404)
        assert client.delete(address, headers={"If-Match": tag}).status_code in (404, 412)
    assert client.get(successor).status_code == 200
    assert client.delete(successor, headers={"If-Match": other}).status_code == 204
