"""Tasks by HTTP, on both databases: what is created, changed, asked for, and refused."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from made_runs import DOCUMENT, PLAN, brought_to, claimed, created, run
from sqlalchemy import update

from autotuner.server.service import Service
from autotuner.server.v2.task_views import Action, SortName, Status, TaskPage, TaskView
from autotuner.store.listing import TASK_ORDERS
from autotuner.store.schema import TaskRow
from autotuner.store.transitions import ASKED_OF_WORKERS, STATUSES, TRANSITIONS, allowed_actions

TASKS = "/api/v2/tasks/"
PROBLEM = "application/problem+json"


def is_problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    """The document of a problem, which is of that kind."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"/problems/{kind}"
    assert document["status"] == status
    return document


def test_a_task_is_created_pending_and_says_where_it_is(client: TestClient) -> None:
    answer = client.post(TASKS, json=DOCUMENT)
    assert answer.status_code == 201
    task = TaskView.model_validate_json(answer.content)
    assert (task.status, task.origin, task.revision) == ("pending", "api", 1)
    assert task.config == DOCUMENT
    assert (task.requested_gpu, task.requested_gpus) == ("cpu", 0)
    assert client.get(answer.headers["location"]).json() == answer.json()


def test_a_task_can_be_started_at_once(client: TestClient) -> None:
    answer = client.post(f"{TASKS}?start=true", json=DOCUMENT)
    assert answer.json()["status"] == "queued"
    assert answer.json()["allowed_actions"] == list(allowed_actions("queued"))


def test_what_a_task_needs_is_read_from_its_document(client: TestClient) -> None:
    gpus = {"system": {"gpu_type": "h100", "total_gpus": 4, "backend": "vllm"}}
    task = client.post(TASKS, json=DOCUMENT | gpus).json()
    assert (task["requested_gpu"], task["requested_gpus"], task["engine"]) == (
        "h100_sxm",
        4,
        "vllm",
    )


def test_every_fault_of_a_document_is_reported_at_once_with_its_path(client: TestClient) -> None:
    wrong = {
        **DOCUMENT,
        "name": "",
        "runtime": {"isl": -1, "osl": "many"},
        "optimization": {"strategy": "guess", "budget": {"minutes": 0}},
    }
    reported = is_problem(client.post(TASKS, json=wrong), 422, "invalid-body")
    paths = {fault["path"] for fault in reported["errors"]}
    assert paths >= {
        *("name", "runtime.isl", "runtime.osl", "optimization.strategy"),
        "optimization.budget.minutes",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"version": 2, "version": 2}',
        b"\xff\xfe",
        b"[" * 10_000,
        json.dumps(DOCUMENT | {"metadata": {"a": 1.5}}).replace("1.5", "NaN").encode(),
        json.dumps(DOCUMENT | {"description": "a\0b"}).encode(),
        json.dumps(DOCUMENT | {"metadata": {"\ud800": 1}}).encode(),
        json.dumps(DOCUMENT | {"metadata": json.loads("[" * 80 + "]" * 80)}).encode(),
    ],
)
def test_a_body_that_is_no_task_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post(TASKS, content=body, headers={"Content-Type": "application/json"})
    is_problem(answer, 422, "invalid-body")
    assert client.get(TASKS).json()["items"] == []


def test_nothing_in_a_list_of_values_leaves_one_try_to_the_engine(client: TestClient) -> None:
    free = {"misc": {"speculative_draft_model": [None]}, "system": {"gpu_type": [None]}}
    answer = client.post(TASKS, json=DOCUMENT | free)
    assert answer.status_code == 201, answer.text
    assert answer.json()["requested_gpu"] == "cpu"


def test_a_body_of_another_type_is_refused(client: TestClient) -> None:
    answer = client.post(TASKS, content=b"{}", headers={"Content-Type": "text/yaml"})
    is_problem(answer, 415, "unsupported-media-type")


def test_an_unknown_gpu_is_refused_with_the_nearest_name(client: TestClient) -> None:
    answer = client.post(TASKS, json=DOCUMENT | {"system": {"gpu_type": "h1000"}})
    assert "h100" in is_problem(answer, 422, "task-invalid")["detail"]


def test_what_the_operator_forbids_is_refused_and_not_stored(client: TestClient) -> None:
    answer = client.post(TASKS, json=DOCUMENT | {"engine_path": "/bin/sh"})
    reported = is_problem(answer, 403, "policy-refused")
    assert [fault["path"] for fault in reported["errors"]] == ["engine_path"]
    assert client.get(TASKS).json()["items"] == []


@pytest.mark.parametrize(
    ("number", "status", "kind"),
    [
        ("999", 404, "not-found"),
        ("0", 422, "invalid-parameter"),
        ("x", 422, "invalid-parameter"),
        ("99999999999999999999", 422, "invalid-parameter"),
        ("..%2f..%2fetc", 404, "not-found"),
    ],
)
def test_a_number_that_no_task_has_is_refused(
    client: TestClient, number: str, status: int, kind: str
) -> None:
    is_problem(client.get(TASKS + number), status, kind)


def test_methods_that_an_address_does_not_take_are_reported_with_those_it_takes(
    client: TestClient,
) -> None:
    task_id = created(client)
    answer = client.put(f"{TASKS}{task_id}")
    is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, PATCH, DELETE"
    assert client.options(TASKS).headers["allow"] == "GET, POST"


def test_a_task_that_has_not_changed_is_not_sent_again(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    tag = client.get(f"{TASKS}{task_id}").headers["etag"]
    again = client.get(f"{TASKS}{task_id}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    run(service, task_id)
    assert client.get(f"{TASKS}{task_id}", headers={"If-None-Match": tag}).status_code == 200


def test_a_change_counts_and_one_of_an_older_version_does_not(client: TestClient) -> None:
    task_id = created(client)
    read = client.get(f"{TASKS}{task_id}").headers["etag"]
    changed = client.patch(f"{TASKS}{task_id}", json={"name": "b"}, headers={"If-Match": read})
    assert changed.json()["name"] == changed.json()["config"]["name"] == "b"
    for tag in (read, '"nonsense"', "nonsense"):
        late = client.patch(f"{TASKS}{task_id}", json={"name": "c"}, headers={"If-Match": tag})
        is_problem(late, 412, "precondition-failed")
        gone = client.delete(f"{TASKS}{task_id}", headers={"If-Match": tag})
        is_problem(gone, 412, "precondition-failed")
    assert client.get(f"{TASKS}{task_id}").json()["name"] == "b"
    anyhow = client.patch(f"{TASKS}{task_id}", json={"name": "c"}, headers={"If-Match": "*"})
    assert anyhow.status_code == 200


def test_another_document_is_taken_while_the_task_is_pending(client: TestClient) -> None:
    task_id = created(client)
    other = DOCUMENT | {"misc": {"threads": [4]}, "name": "other"}
    changed = client.patch(f"{TASKS}{task_id}", json={"config": other}).json()
    assert changed["config"] == other
    assert changed["name"] == "other"
    assert changed["content_id"] != client.post(TASKS, json=DOCUMENT).json()["content_id"]
    client.post(f"{TASKS}{task_id}/start")
    late = client.patch(f"{TASKS}{task_id}", json={"config": DOCUMENT})
    assert is_problem(late, 409, "wrong-transition")["task_status"] == "queued"
    assert client.patch(f"{TASKS}{task_id}", json={"description": "x"}).status_code == 200


def test_a_patch_of_unknown_fields_is_refused(client: TestClient) -> None:
    answer = client.patch(f"{TASKS}{created(client)}", json={"status": "completed"})
    is_problem(answer, 422, "invalid-body")


@pytest.mark.parametrize("status", STATUSES)
def test_every_action_does_in_every_state_what_the_table_says(
    service: Service, client: TestClient, status: str
) -> None:
    for action in TRANSITIONS:
        task_id = brought_to(service, client, status)
        answer = client.post(f"{TASKS}{task_id}/{action}")
        if status == "running" and action in ASKED_OF_WORKERS:
            assert answer.status_code == 202
            assert (answer.json()["status"], answer.json()["requested_action"]) == (
                "running",
                action,
            )
        elif status in TRANSITIONS[action]:
            assert answer.status_code == 200
            assert answer.json()["status"] == TRANSITIONS[action][status]
        else:
            reported = is_problem(answer, 409, "wrong-transition")
            assert reported["task_status"] == status
            assert reported["allowed"] == list(allowed_actions(status))
        service.store.tasks.claim_this(task_id, "tidy up")


def test_only_a_running_task_cannot_be_deleted(service: Service, client: TestClient) -> None:
    for status in STATUSES:
        task_id = brought_to(service, client, status)
        answer = client.delete(f"{TASKS}{task_id}")
        if status == "running":
            is_problem(answer, 409, "wrong-transition")
        else:
            assert answer.status_code == 204
            is_problem(client.get(f"{TASKS}{task_id}"), 404, "not-found")


def test_a_run_of_the_command_line_without_a_lease_cannot_be_stopped_from_here(
    service: Service, client: TestClient
) -> None:
    row = service.store.tasks.create(
        name="by hand",
        status="running",
        content_id="c",
        config=DOCUMENT,
        model="m",
        engine="llamacpp",
        engine_version="1",
        device="cpu",
        plan=PLAN,
    )
    for action in ASKED_OF_WORKERS:
        reported = is_problem(client.post(f"{TASKS}{row.id}/{action}"), 409, "wrong-transition")
        assert "command line" in reported["detail"]
    assert client.get(TASKS).json()["items"][0]["origin"] == "cli"


def test_a_copy_has_the_document_and_none_of_the_results(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    copy = client.post(f"{TASKS}{task_id}/clone").json()
    assert (copy["name"], copy["status"]) == ("first (copy)", "pending")
    assert copy["config"] == DOCUMENT | {"name": "first (copy)"}
    assert copy["experiments"]["total"] == 0
    named = client.post(f"{TASKS}{task_id}/clone", json={"name": "mine"}).json()
    assert named["name"] == "mine"
    client.patch(f"{TASKS}{task_id}", json={"name": "n" * 200})
    assert len(client.post(f"{TASKS}{task_id}/clone").json()["name"]) == 200


def test_a_finished_task_whose_model_would_be_refused_today_keeps_its_results(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    before = client.get(f"{TASKS}{task_id}/frontier").json()
    model = {"id": " ", "path": "models/a.gguf", "served_name": "", "revision": ""}
    with service.store.sessions.writing() as session:
        session.execute(update(TaskRow).values(config=DOCUMENT | {"model": model}, revision=9))
    refused = client.post(TASKS, json=DOCUMENT | {"model": model})
    assert [fault["path"] for fault in refused.json()["errors"]] == ["model.id"]
    assert client.get(f"{TASKS}{task_id}/frontier").json() == before
    for part in ("", "/points", "/search", "/report", "/export/landscape", "/export/yaml"):
        assert client.get(f"{TASKS}{task_id}{part}").status_code == 200, part
    copy = client.post(f"{TASKS}{task_id}/clone")
    assert copy.status_code == 201, copy.text
    assert copy.json()["config"]["model"] == {"id": " ", "path": "models/a.gguf"}


def test_progress_and_counts_follow_the_experiments(service: Service, client: TestClient) -> None:
    task_id = created(client)
    run(service, task_id)
    task = client.get(f"{TASKS}{task_id}").json()
    assert task["progress"] == {
        "experiments_running": 0,
        "experiments_completed": 2,
        "experiments_failed": 1,
        "launches": 3,
        "further_launches": None,
    }
    counts = {
        "total": 3,
        "running": 0,
        "completed": 2,
        "failed": 1,
        "best_throughput_tok_s": 80.0,
    }
    assert task["experiments"] == counts
    assert client.get(TASKS).json()["items"][0]["experiments"] == counts
    assert task["plan"]["excluded"] == {"too large": 1}


def test_restarting_forgets_what_was_measured(service: Service, client: TestClient) -> None:
    task_id = created(client)
    run(service, task_id)
    again = client.post(f"{TASKS}{task_id}/restart").json()
    assert (again["status"], again["experiments"]["total"], again["plan"]) == ("queued", 0, None)


def test_a_worker_and_its_beats_are_not_reported_as_changes(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    lease = claimed(service, task_id)
    tag = client.get(f"{TASKS}{task_id}").headers["etag"]
    service.store.tasks.heartbeat(lease)
    assert client.get(f"{TASKS}{task_id}").headers["etag"] == tag


def test_lists_and_tasks_say_what_the_openapi_says(service: Service, client: TestClient) -> None:
    run(service, created(client))
    created(client, name='<"é\\\n>', description="%_/")
    page = client.get(TASKS)
    reported = TaskPage.model_validate_json(page.content, strict=True)
    assert reported.model_dump(mode="json") == page.json()
    for item in page.json()["items"]:
        whole = client.get(f"{TASKS}{item['id']}").json()
        assert item == {name: whole[name] for name in item}


def test_the_words_of_the_interface_are_those_of_the_store() -> None:
    assert set(get_args(SortName)) == set(TASK_ORDERS)
    assert get_args(Action) == tuple(TRANSITIONS)
    assert get_args(Status) == STATUSES
