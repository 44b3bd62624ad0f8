"""Databases of version 1 over the API: which were moved, compared with what is here, taken back."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

sys.path.append(str(Path(__file__).parents[2] / "migrate"))

from v1_database import built

from autotuner.server.security.middleware import UPLOADS

TASK = {
    "deployment_mode": "local",
    "model": {"id_or_path": "smollm2-135m"},
    "base_runtime": "llamacpp",
    "parameters": {"max_num_seqs": [1, 2]},
    "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
    "benchmark": {"task": "text-to-text", "traffic_scenarios": ["D(8,4)"], "num_concurrency": [1]},
}


def sent(client: TestClient, path: str, raw: bytes, name: str = "autotuner.db") -> Any:
    return client.post(f"/api/v2/{path}", files={"file": (name, raw)})


@pytest.fixture
def raw(tmp_path: Path) -> bytes:
    return built(tmp_path / "v1.db", tasks=4, experiments=2).read_bytes()


def test_an_uploaded_database_is_listed_compared_and_taken_back(
    client: TestClient, raw: bytes
) -> None:
    assert sent(client, "migrations/verify", raw).json()["differing"] > 0
    report = sent(client, "tasks/migrate/upload", raw).json()["report"]
    [found] = client.get("/api/v2/migrations/").json()["items"]
    assert (found["id"], found["source"]) == (report["migration"], "autotuner.db")
    assert found["ended_at"] and found["units"] >= 4
    compared = sent(client, "migrations/verify", raw).json()
    assert (compared["differing"], compared["differences"]) == (0, [])
    assert compared["leaves"]["carried"] > 0
    undo = f"/api/v2/migrations/{found['id']}/undo"
    foreseen = client.post(undo, params={"preview": True}).json()
    assert client.get("/api/v2/tasks/").json()["total"] == foreseen["counts"]["tasks"] >= 4
    undone = client.post(undo).json()
    assert undone == foreseen and undone["left"] == [] and undone["removed"] >= 4
    assert client.get("/api/v2/migrations/").json() == {"items": []}
    assert client.get("/api/v2/tasks/").json()["total"] == 0
    assert client.post(f"/api/v2/migrations/{found['id']}/undo").status_code == 404


def test_every_path_that_takes_a_file_takes_a_large_one(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    forms = [
        path
        for path, methods in paths.items()
        for method in methods.values()
        if "multipart/form-data" in method.get("requestBody", {}).get("content", {})
    ]
    assert "/api/v2/migrations/verify" in forms
    assert [path for path in forms if not UPLOADS.fullmatch(path)] == []


def test_a_file_is_named_in_errors_as_its_sender_calls_it(client: TestClient, raw: bytes) -> None:
    damaged = sent(client, "migrations/verify", raw[:8192], r"C:\\v1\\old.db")
    assert damaged.status_code == 422
    assert damaged.json()["detail"].startswith("old.db is damaged")
    assert sent(client, "migrations/verify", b"{}").status_code == 422


def test_tasks_wait_until_they_have_one_of_version_2(client: TestClient) -> None:
    def waiting(query: str = "") -> tuple[int, list[str]]:
        found = client.get(f"/api/v2/migrations/waiting{query}").json()
        return found["total"], [one["name"] for one in found["items"]]

    numbers = [
        client.post("/api/tasks/", json={**TASK, "task_name": name}).json()["id"] for name in "abc"
    ]
    assert waiting() == (3, ["a", "b", "c"])
    assert waiting(f"?limit=1&after={numbers[0]}") == (3, ["b"])
    client.post("/api/v2/tasks/migrate", json={"ids": numbers[:1]})
    assert waiting() == (2, ["b", "c"])


def test_a_waiting_task_says_which_engine_its_runtime_names(client: TestClient) -> None:
    for name in ("llama-3-sglang-rt", "house-blend"):
        task = {**TASK, "task_name": name, "base_runtime": name}
        assert client.post("/api/tasks/", json=task).status_code == 201
    found = client.get("/api/v2/migrations/waiting").json()["items"]
    assert {one["name"]: one["engine"] for one in found} == {
        "llama-3-sglang-rt": "sglang",
        "house-blend": None,
    }


def test_a_preview_has_both_documents(client: TestClient) -> None:
    number = client.post("/api/tasks/", json={**TASK, "task_name": "a"}).json()["id"]
    seen = client.post(f"/api/v2/tasks/migrate/{number}?preview=true").json()
    assert seen["v1_document"]["parameters"] == {"max_num_seqs": [1, 2]}
    assert seen["document"]["scheduling"] == {"max_running_requests": [1, 2]}


TASKS_OF_A_FILE = "tasks/migrate/upload/tasks"


def test_tasks_of_an_uploaded_database_are_listed_a_page_at_a_time(
    client: TestClient, raw: bytes
) -> None:
    def listed(query: str = "") -> tuple[int, list[int]]:
        found = sent(client, f"{TASKS_OF_A_FILE}{query}", raw).json()
        return found["total"], [one["v1_task_id"] for one in found["items"]]

    assert listed() == (4, [1, 2, 3, 4])
    assert listed("?limit=2&offset=1") == (4, [2, 3])
    assert listed("?search=3") == (1, [3])
    first = sent(client, TASKS_OF_A_FILE, raw).json()["items"][0]
    assert (first["status"], first["experiments"], first["engine"]) == ("COMPLETED", 2, "vllm")
    part = first["name"].upper()[1:]
    assert listed(f"?search={quote(part)}") == (1, [1])
    assert listed("?search=%25") == (0, [])
    assert client.get(f"/api/v2/{TASKS_OF_A_FILE}").status_code == 405
    assert sent(client, TASKS_OF_A_FILE, b"{}").status_code == 422


def test_a_task_of_an_uploaded_database_is_seen_as_it_will_be(
    client: TestClient, raw: bytes
) -> None:
    seen = sent(client, f"{TASKS_OF_A_FILE}/1", raw).json()
    assert (seen["v1_task_id"], seen["task_id"], seen["created"]) == (None, None, False)
    assert client.get("/api/tasks/").json() == []
    sent(client, "tasks/migrate/upload", raw)
    [moved] = [one for one in client.get("/api/tasks/").json() if one["id"] == 1]
    here = client.post(f"/api/v2/tasks/migrate/{moved['id']}?preview=true").json()
    assert seen["v1_document"] == here["v1_document"]
    assert seen["document"] == here["document"]
    assert {note["path"] for note in seen["notes"]} > {"task_name", "benchmark.num_concurrency"}
    missing = sent(client, f"{TASKS_OF_A_FILE}/99", raw, "old.db")
    assert (missing.status_code, missing.json()["detail"]) == (404, "old.db has no task 99")


def test_an_engine_is_named_for_a_task_of_an_uploaded_database(
    client: TestClient, raw: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "odd.db"
    path.write_bytes(raw)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE tasks SET base_runtime = 'house-blend', parameters = '{}'")
        connection.commit()
    odd = path.read_bytes()
    seen = sent(client, f"{TASKS_OF_A_FILE}/1", odd).json()
    assert "open" in {note["outcome"] for note in seen["notes"]}
    chosen = sent(client, f"{TASKS_OF_A_FILE}/1?engine=vllm", odd).json()
    assert chosen["document"]["system"]["backend"] == "vllm"
    assert sent(client, f"{TASKS_OF_A_FILE}/1?engine=nothing", odd).status_code == 422
