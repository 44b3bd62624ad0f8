"""`/tasks/{task_id}/performance`: predicted, refused, and in the report."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import created, run

from autotuner.config import parse_stored_task
from autotuner.profiles import USERS
from autotuner.server.service import Service
from autotuner.server.v2 import plans
from autotuner.store.schema import TaskRow
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.resources import stored_columns

ON_PAPER: dict[str, Any] = {
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 512, "osl": 64},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 4},
    "parallel": {"tensor_parallel": [1, 2]},
    "misc": {},
    "prediction": {"predictor": "roofline"},
}


def test_a_waiting_task_is_explained_by_prediction(client: TestClient) -> None:
    path = f"/api/v2/tasks/{created(client, **ON_PAPER)}/performance"
    answer = client.get(path, params={"concurrency": 4})
    assert answer.status_code == 200, answer.text
    found = PerformanceView.model_validate(answer.json())
    assert (found.measured, found.load.value) == (False, 4)
    again = client.get(path, params={"candidate": found.candidate, "concurrency": 4}).json()
    assert again["parts"] == answer.json()["parts"]
    for asked in ({"candidate": "nobody"}, {"concurrency": 3}, {"rate": 2.5}):
        refused = client.get(path, params=asked)
        assert refused.status_code == 409 and refused.json()["detail"], asked
    assert client.get(path, params={"concurrency": 0}).status_code == 422
    both = client.get(path, params={"concurrency": 4, "rate": 2.0})
    assert both.status_code == 422 and "keep one" in both.json()["detail"]


def test_what_a_task_becomes_has_to_be_allowed_too(service: Service, client: TestClient) -> None:
    """A profile may add what the operator forbids, and the document does not say it."""
    sly = {
        "name": "sly",
        "description": "flags of its own",
        "layers": [{"set": {"misc": {"extra_args": ["--lora-modules", "a=/etc"]}}}],
    }
    folder = service.folder / USERS
    folder.mkdir(parents=True)
    (folder / "sly.yaml").write_text(json.dumps(sly), encoding="utf-8")
    path = f"/api/v2/tasks/{created(client, **ON_PAPER, profiles=['sly'])}/performance"
    refused = client.get(path)
    assert refused.json()["type"] == "/problems/policy-refused", refused.text
    assert "--lora-modules" in refused.text


def test_a_table_of_the_command_line_is_refused_with_the_setting_that_allows_it(
    service: Service, client: TestClient
) -> None:
    """A task that the command line replayed from a folder that the operator does not name."""
    task_id = created(client, **ON_PAPER)
    table = {"deployment_mode": "replay", "replay": {"landscape": "/elsewhere/table.csv"}}
    with service.store.sessions.writing() as session:
        row = session.get(TaskRow, task_id)
        assert row is not None
        row.config = {**row.config, **table}
    refused = client.get(f"/api/v2/tasks/{task_id}/performance")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/policy-refused")
    [fault] = refused.json()["errors"]
    assert fault["path"] == "replay.landscape"
    assert "policy.landscape_roots of the service's settings adds one" in fault["message"]


TABLE = Path(__file__).parents[3] / "examples" / "landscapes" / "dev_llama70b_h100_vllm.csv.gz"


def replayed(service: Service, tmp_path: Path, **replay: str) -> int:
    """A replay as the command line stores it, of a table beside the folder of its task file."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tables").mkdir()
    shutil.copy(TABLE, tmp_path / "tables" / TABLE.name)
    document = {
        "version": 2,
        "name": "replayed",
        "deployment_mode": "replay",
        "replay": {"landscape": f"../tables/{TABLE.name}", **replay},
        "model": {"id": "meta-llama/Llama-3.1-70B-Instruct"},
        "benchmark": {"concurrency": [8], "workload": "D(512,64)"},
        "prediction": {"predictor": "roofline"},
    }
    task = parse_stored_task(document, source="the test")
    made = service.store.tasks.create(**stored_columns(task), base=str(tmp_path / "tasks"))
    return made.id


def test_a_replay_of_the_command_line_is_answered_for_as_long_as_its_table_is_the_same(
    service: Service, client: TestClient, tmp_path: Path
) -> None:
    checksum = hashlib.sha256(TABLE.read_bytes()).hexdigest()
    task = f"/api/v2/tasks/{replayed(service, tmp_path, sha256=checksum)}"
    answer = client.get(f"{task}/performance")
    assert answer.status_code == 200, answer.text
    assert PerformanceView.model_validate(answer.json()).load.value == 8
    assert client.get(f"{task}/exports", params={"point": "predicted"}).status_code == 200
    sized = client.get(f"{task}/sizing", params={"rate": 4, "source": "predicted"})
    assert sized.status_code == 200 and sized.json()["candidates"] > 0, sized.text
    assert client.get(f"{task}/configuration").json()["unresolved"] is None
    # Launching it is another matter, and so is a document that came by HTTP.
    assert client.post(f"{task}/start").status_code == 403
    config = client.get(task).json()["config"]
    assert client.patch(task, json={"config": config}).status_code == 403
    table = tmp_path / "tables" / TABLE.name
    table.write_bytes(gzip.compress(gzip.decompress(table.read_bytes()) + b"\n"))
    changed = client.get(f"{task}/performance")
    assert changed.status_code == 422 and "replay.sha256" in changed.text


@pytest.mark.parametrize("placed", ["link", "pipe", "table"])
def test_what_is_put_in_the_place_of_a_table_is_neither_parsed_nor_shown(
    placed: str, service: Service, client: TestClient, tmp_path: Path
) -> None:
    checksum = hashlib.sha256(TABLE.read_bytes()).hexdigest()
    task = f"/api/v2/tasks/{replayed(service, tmp_path, sha256=checksum)}"
    table, other = tmp_path / "tables" / TABLE.name, tmp_path / "others"
    other.write_text("launch,launch\nits-own-words,2\n", encoding="utf-8")
    table.unlink()
    if placed == "pipe":
        os.mkfifo(table)
    elif placed == "link":
        table.symlink_to(other)
    else:
        shutil.copy(other, table)
    refused = client.get(f"{task}/performance")
    assert refused.status_code == 422
    assert ("no plain file" if placed == "pipe" else "replay.sha256") in refused.text
    assert "launch is there twice" not in refused.text and "its-own-words" not in refused.text
    assert hashlib.sha256(other.read_bytes()).hexdigest() not in refused.text


def test_a_table_without_a_checksum_is_refused_by_its_full_path_and_the_setting(
    service: Service, client: TestClient, tmp_path: Path
) -> None:
    refused = client.get(f"/api/v2/tasks/{replayed(service, tmp_path)}/performance")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/policy-refused")
    [fault] = refused.json()["errors"]
    assert str(tmp_path.resolve() / "tables" / TABLE.name) in fault["message"]
    assert "policy.landscape_roots of the service's settings adds one" in fault["message"]


def test_a_document_that_is_changed_by_http_is_no_longer_the_command_lines(
    service: Service, client: TestClient, tmp_path: Path
) -> None:
    task_id = replayed(service, tmp_path)
    changed = {"version": 2, "name": "other", **ON_PAPER}
    answer = client.patch(f"/api/v2/tasks/{task_id}", json={"config": changed})
    assert (answer.status_code, answer.json()["origin"]) == (200, "api")
    stored = service.store.tasks.get(task_id)
    assert stored is not None and stored.base == str(service.base)


def test_a_report_waits_for_its_turn_as_an_explanation_does(
    service: Service, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = created(client, **ON_PAPER)
    monkeypatch.setattr(plans, "LONGEST_S", 0.0)
    taken = []
    while plans._places.acquire(blocking=False):
        taken.append(True)
    try:
        for what in ("performance", "report"):
            answer = client.get(f"/api/v2/tasks/{task_id}/{what}")
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True), what
    finally:
        for _ in taken:
            plans._places.release()
    assert client.get(f"/api/v2/tasks/{task_id}/report").status_code == 200


def test_a_task_that_is_not_there(client: TestClient) -> None:
    assert client.get("/api/v2/tasks/999/performance").status_code == 404


def test_a_report_does_not_need_it(service: Service, client: TestClient) -> None:
    """Nothing is known of the speed of a CPU that nobody measured."""
    task_id = created(client)
    run(service, task_id)
    assert client.get(f"/api/v2/tasks/{task_id}/performance").status_code == 409
    page = client.get(f"/api/v2/tasks/{task_id}/report")
    assert page.status_code == 200 and 'id="performance"' not in page.text
