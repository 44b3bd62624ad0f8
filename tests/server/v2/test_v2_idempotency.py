"""`Idempotency-Key`: a request that is sent again is answered again and carried out once."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from made_runs import DOCUMENT, created

from autotuner.server.app import create_app
from autotuner.server.service import Service, utc_now
from autotuner.store import idempotency

TASKS = "/api/v2/tasks/"
ADDRESS = "http://127.0.0.1:8700"
KEY = {"Idempotency-Key": "one"}


def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(client: TestClient) -> None:
    first = client.post(TASKS, json=DOCUMENT, headers=KEY)
    again = client.post(TASKS, json=DOCUMENT, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    for header in ("etag", "location", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert len(client.get(TASKS).json()["items"]) == 1


def test_a_key_for_another_body_or_query_is_refused(client: TestClient) -> None:
    client.post(TASKS, json=DOCUMENT, headers=KEY)
    for answer in (
        client.post(TASKS, json=DOCUMENT | {"name": "other"}, headers=KEY),
        client.post(f"{TASKS}?start=true", json=DOCUMENT, headers=KEY),
    ):
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/idempotency-mismatch"


def test_a_key_counts_for_one_address_only(client: TestClient) -> None:
    task_id = created(client)
    client.post(TASKS, json=DOCUMENT, headers=KEY)
    copy = client.post(f"{TASKS}{task_id}/clone", headers=KEY)
    assert copy.status_code == 201
    assert client.post(f"{TASKS}{task_id}/clone", headers=KEY).json()["id"] == copy.json()["id"]


def test_a_request_that_was_refused_may_be_sent_again_mended(client: TestClient) -> None:
    assert client.post(TASKS, json={"version": 2}, headers=KEY).status_code == 422
    assert client.post(TASKS, json=DOCUMENT, headers=KEY).status_code == 201


def test_a_request_that_is_still_being_answered_is_not_carried_out_twice(
    service: Service, client: TestClient
) -> None:
    scope = f"POST {TASKS} "
    body = client.build_request("POST", TASKS, json=DOCUMENT).content
    taken = idempotency.take(service.store.sessions, scope, "one", _print(body), utc_now())
    assert taken is None
    answer = client.post(TASKS, json=DOCUMENT, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")


def _print(body: bytes) -> str:
    return hashlib.sha256(b"\n" + body).hexdigest()


@pytest.mark.parametrize("key", ["", "x" * 256, "é".encode(), b"two words"])
def test_a_key_that_is_none_is_refused(client: TestClient, key: str | bytes) -> None:
    answer = client.post(TASKS, json=DOCUMENT, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "header.Idempotency-Key"


def test_a_key_is_forgotten_after_a_day(service: Service, tmp_path: Path) -> None:
    first = TestClient(create_app(service), base_url=ADDRESS)
    late = replace(service, clock=lambda: utc_now() + timedelta(hours=25))
    second = TestClient(create_app(late), base_url=ADDRESS)
    numbers = [c.post(TASKS, json=DOCUMENT, headers=KEY).json()["id"] for c in (first, second)]
    assert numbers[0] != numbers[1]


def test_of_many_at_once_one_is_carried_out(client: TestClient) -> None:
    answers = []

    def post() -> None:
        answers.append(client.post(TASKS, json=DOCUMENT, headers=KEY))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(client.get(TASKS).json()["items"]) == 1
