"""Tasks of version 1 become tasks of version 2 over the API."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

sys.path.append(str(Path(__file__).parents[2] / "migrate"))

from v1_database import built

from autotuner.server.v2 import migrations

TASK: dict[str, Any] = {
    "task_name": "first",
    "deployment_mode": "local",
    "model": {"id_or_path": "smollm2-135m"},
    "base_runtime": "llamacpp",
    "parameters": {"max_num_seqs": [1, 2]},
    "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
    "benchmark": {"task": "text-to-text", "traffic_scenarios": ["D(8,4)"], "num_concurrency": [1]},
}


def created(client: TestClient, **changes: Any) -> int:
    made = client.post("/api/tasks/", json={**TASK, **changes})
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


def uploaded(client: TestClient, raw: bytes, *, preview: bool = False) -> Any:
    return client.post(
        f"/api/v2/tasks/migrate/upload?preview={str(preview).lower()}",
        files={"file": ("v1", raw)},
    )


def test_a_task_is_previewed_and_then_migrated_once(client: TestClient) -> None:
    number = created(client)
    seen = client.post(f"/api/v2/tasks/migrate/{number}?preview=true").json()
    assert (seen["task_id"], seen["created"]) == (None, False)
    assert seen["document"]["scheduling"]["max_running_requests"] == [1, 2]
    assert {"path": "task_name", "outcome": "translated", "text": "name"} in seen["notes"]
    assert client.get("/api/v2/tasks/").json()["total"] == 0
    first = client.post(f"/api/v2/tasks/migrate/{number}").json()
    assert first["created"] and first["v1_task_id"] == number
    again = client.post(f"/api/v2/tasks/migrate/{number}").json()
    assert (again["task_id"], again["created"]) == (first["task_id"], False)
    task = client.get(f"/api/v2/tasks/{first['task_id']}").json()
    assert (task["status"], task["origin"]) == ("pending", "v1")
    assert client.get(f"/api/tasks/{number}").json()["status"] == "pending"
    assert client.post("/api/v2/tasks/migrate/999").status_code == 404


def test_a_gpu_that_nothing_describes_is_left_out(client: TestClient) -> None:
    number = created(client, system_config={"gpu_type": "B999", "total_gpus": 2})
    found = client.post(f"/api/v2/tasks/migrate/{number}").json()
    assert found["created"]
    assert "gpu_type" not in found["document"]["system"]
    note = next(one for one in found["notes"] if one["path"] == "system_config.gpu_type")
    assert note["outcome"] == "changed"
    assert "'B999' is left out" in note["text"]


def test_several_tasks_are_each_listed(client: TestClient) -> None:
    numbers = [created(client), created(client, task_name="second")]
    found = client.post("/api/v2/tasks/migrate", json={"ids": [*numbers, 77]}).json()
    assert [one["v1_task_id"] for one in found["items"]] == numbers
    assert found["faults"] == [{"v1_task_id": 77, "detail": "there is no v1 task 77"}]


def test_each_traffic_scenario_is_a_task_beside_the_one_that_version_1_runs(
    client: TestClient,
) -> None:
    benchmark = TASK["benchmark"] | {"traffic_scenarios": ["D(8,4)", "D(16,2)"]}
    number = created(client, benchmark=benchmark)
    seen = client.post(f"/api/v2/tasks/migrate/{number}?preview=true").json()
    [further] = seen["further"]
    assert (further["task_id"], further["document"]["name"]) == (None, "first D(16,2)")
    assert further["document"]["benchmark"]["workload"] == "D(16,2)"
    made = client.post(f"/api/v2/tasks/migrate/{number}").json()
    numbers = [made["task_id"], made["further"][0]["task_id"]]
    again = client.post(f"/api/v2/tasks/migrate/{number}").json()
    assert [again["task_id"], again["further"][0]["task_id"]] == numbers
    assert client.post(f"/api/tasks/{number}/start").status_code == 200
    # The run takes the place of the first; that of the further scenario stays, and is its own.
    assert client.get(f"/api/v2/tasks/{numbers[0]}").status_code == 404
    other = client.get(f"/api/v2/tasks/{numbers[1]}").json()
    assert (other["status"], other["v1_task_id"]) == ("pending", number)
    assert client.post(f"/api/tasks/{number}/cancel").status_code == 200
    assert client.get(f"/api/v2/tasks/{numbers[1]}").json()["status"] == "pending"
    assert client.post(f"/api/v2/tasks/{numbers[1]}/start").status_code in (200, 202)
    assert client.get(f"/api/tasks/{number}").json()["status"] == "cancelled"
    assert client.post(f"/api/v2/tasks/{numbers[1]}/cancel").status_code in (200, 202)
    assert client.delete(f"/api/tasks/{number}").status_code == 204
    assert client.get("/api/v2/tasks/").json()["total"] == 0


def test_further_scenarios_of_a_task_that_runs_are_tasks_too(client: TestClient) -> None:
    benchmark = TASK["benchmark"] | {"traffic_scenarios": ["D(8,4)", "D(16,2)"]}
    number = created(client, benchmark=benchmark)
    client.post(f"/api/tasks/{number}/start")
    found = client.post(f"/api/v2/tasks/migrate/{number}").json()
    assert not found["created"]
    run, further = found["task_id"], found["further"][0]["task_id"]
    assert client.get(f"/api/v2/tasks/{run}").json()["status"] == "queued"
    assert client.get(f"/api/v2/tasks/{further}").json()["status"] == "pending"
    again = client.post(f"/api/v2/tasks/migrate/{number}").json()
    assert (again["task_id"], again["further"][0]["task_id"]) == (run, further)


def test_a_migrated_task_is_started_and_cancelled_as_before(client: TestClient) -> None:
    number = created(client)
    client.post(f"/api/v2/tasks/migrate/{number}")
    assert client.post(f"/api/tasks/{number}/start").status_code == 200
    assert client.post(f"/api/tasks/{number}/cancel").status_code == 200
    assert client.get(f"/api/tasks/{number}").json()["status"] == "cancelled"


def test_a_task_file_is_uploaded_twice(client: TestClient) -> None:
    raw = json.dumps(TASK).encode()
    assert uploaded(client, raw, preview=True).json()["task"]["task_id"] is None
    first = uploaded(client, raw).json()["task"]
    assert first["created"]
    assert uploaded(client, raw).json()["task"]["task_id"] == first["task_id"]
    other = uploaded(client, json.dumps({**TASK, "parameters": {}}).encode())
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x89PNG\r\n\x1a\n", "neither a version 1 database nor a version 1 task file"),
        (b"# Read me\n\nText: of: colons\n", "neither a version 1 database"),
        (b"{}", "neither a version 1 database"),
        (b"[1]", "neither a version 1 database"),
        (b"", "neither a version 1 database"),
        (b"version: 2\nname: x\nmodel: {id: m}\n", "New task \u2192 Import"),
        (b'{"version": 2, "name": "x"}', "New task \u2192 Import"),
        (b'{"task_name": "x", "task_name": "y"}', "task_name"),
    ],
)
def test_another_file_is_called_what_it_is(client: TestClient, raw: bytes, words: str) -> None:
    answer = uploaded(client, raw, preview=True)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_an_upload_that_is_long_or_json_never_goes_through_yaml(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(text: str) -> None:
        raise AssertionError(f"{len(text)} characters are read as YAML")

    monkeypatch.setattr(migrations, "parse_document", slow)
    assert uploaded(client, b" \n" + json.dumps(TASK).encode(), preview=True).status_code == 200
    for start in (b"task_name: long\nnotes: ", b'{"task_name": "'):
        answer = uploaded(client, start + b"x" * migrations.MOST_CHARACTERS, preview=True)
        assert answer.status_code == 422
        assert "at most 1,000,000" in answer.json()["detail"]


def test_a_task_file_may_be_yaml(client: TestClient) -> None:
    found = uploaded(client, yaml.safe_dump(TASK).encode(), preview=True).json()["task"]
    assert found["v1_document"] == TASK


def test_a_database_is_uploaded(client: TestClient, tmp_path: Path) -> None:
    raw = built(tmp_path / "v1.db", tasks=6, experiments=2).read_bytes()
    seen = uploaded(client, raw, preview=True).json()
    assert seen["report"]["units"]["tasks"] == {"moved": 6}
    assert client.get("/api/tasks/").json() == []
    found = uploaded(client, raw).json()
    assert found["kind"] == "database" and found["report"]["units"]["tasks"] == {"moved": 6}
    # As version 1 answered: also a task that was running, whose worker is gone.
    shown = {task["id"]: task["status"] for task in client.get("/api/tasks/").json()}
    assert shown[3] == "running"
    found = client.get("/api/experiments/task/3").json()
    assert sorted(one["experiment_id"] for one in found) == [1, 2]
    assert client.post("/api/tasks/3/cancel").status_code == 200
    assert client.get("/api/tasks/3").json()["status"] == "cancelled"
    damaged = uploaded(client, raw[:8192])
    assert damaged.status_code == 422 and "is damaged" in damaged.json()["detail"]


@pytest.mark.parametrize("path", ["", "/upload"])
def test_only_post_is_accepted(path: str, client: TestClient) -> None:
    answer = client.get(f"/api/v2/tasks/migrate{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_task_without_an_engine_is_a_draft_until_one_is_named(client: TestClient) -> None:
    odd = {"base_runtime": "my-rt", "parameters": {"zeal": [1]}}
    number = created(client, **odd)
    seen = client.post(f"/api/v2/tasks/migrate/{number}?preview=true").json()
    assert seen["document"]["system"]["backend"] == "my-rt"
    assert [n["path"] for n in seen["notes"] if n["outcome"] == "open"] == [
        "base_runtime",
        "parameters",
    ]
    unknown = client.post(f"/api/v2/tasks/migrate/{number}?engine=vlm")
    assert unknown.status_code == 422 and "'vlm' is no engine" in unknown.text
    found = client.post("/api/v2/tasks/migrate?engine=vllm", json={"ids": [number]}).json()
    document = found["items"][0]["document"]
    assert document["system"]["backend"] == "vllm"
    assert document["misc"]["extra_args"] == ["--zeal", "1"]
    raw = json.dumps({**TASK, **odd, "task_name": "file"}).encode()
    answer = client.post("/api/v2/tasks/migrate/upload?engine=vllm", files={"file": ("v1", raw)})
    assert answer.json()["task"]["document"]["system"]["backend"] == "vllm"
    assert client.post(f"/api/v2/tasks/migrate/{created(client, task_name='named')}?engine=vllm")


def test_pages_of_a_draft_with_results_are_read(client: TestClient, tmp_path: Path) -> None:
    path = built(tmp_path / "v1.db", tasks=1, experiments=3)
    with closing(sqlite3.connect(path)) as v1:
        v1.execute("UPDATE tasks SET base_runtime = 'my-rt', parameters = '{\"zeal\": [1]}'")
        v1.execute("UPDATE tasks SET runtime_image_tag = NULL, model_config = 'null'")
        v1.commit()
    report = uploaded(client, path.read_bytes()).json()["report"]
    missing = {line.split(": ")[1] for line in report["drafts"]}
    assert missing == {"model", "model.id_or_path", "base_runtime", "parameters"}
    assert report["untranslated"][1:] == []
    [task] = client.get("/api/v2/tasks/").json()["items"]
    for page in ("", "/experiments", "/points", "/configuration", "/search"):
        answer = client.get(f"/api/v2/tasks/{task['id']}{page}")
        assert answer.status_code in (200, 422), (page, answer.text)
