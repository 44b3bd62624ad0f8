"""Texts as v2 documents, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

CONVERT = "/api/v2/tasks/convert"


@pytest.fixture
def database() -> None:
    """None of this depends on the database."""


def converted(client: TestClient, text: str, **given: Any) -> dict[str, Any]:
    answer = client.post(CONVERT, json={"text": text, **given})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_command_is_a_document_with_notes(client: TestClient) -> None:
    found = converted(client, "vllm serve org/model --max-num-seqs 64 --port 80")
    assert (found["format"], found["document"]["model"]) == ("command", {"id": "org/model"})
    assert {note["path"] for note in found["notes"]} >= {"--port", "runtime.isl"}


def test_a_secret_of_a_command_is_not_repeated(client: TestClient) -> None:
    secret = "hf_" + "a1B2" * 8
    found = converted(client, f"vllm serve org/model --hf-token {secret} --x {secret} 2>&1")
    assert secret not in str(found)
    assert {"--hf-token", "--x"} <= {note["path"] for note in found["notes"]}


def test_a_file_that_names_other_files_opens_none(client: TestClient) -> None:
    found = converted(client, "version: 2\nname: x\nmodel: {path: /etc/passwd}\n")
    assert found["document"]["model"] == {"path": "/etc/passwd"}
    assert converted(client, "llama-server -m /etc/passwd")["document"]["model"] == {
        "path": "/etc/passwd"
    }


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"text": "hello"}, "text"),
        ({"text": ""}, "text"),
        ({"text": "a", "format": "v3"}, "format"),
        ({"text": 'version: 2\nname: "\\ud800"\nmodel: {id: a/b}\n'}, "name"),
        ({"text": "version: 2\nname: x\nmodel: {id: a/b}\nslo: {ttft_ms: .inf}\n"}, "slo.ttft_ms"),
        ({"text": "x" * 1_000_001}, "text"),
    ],
)
def test_what_cannot_be_converted_is_a_problem(
    client: TestClient, body: dict[str, Any], path: str
) -> None:
    refused = client.post(CONVERT, json=body)
    assert refused.status_code in (413, 422), refused.text
    if refused.status_code == 422:
        assert [fault["path"] for fault in refused.json()["errors"]] == [path]


def test_a_path_that_no_task_may_have_is_noted_at_once(client: TestClient) -> None:
    replay = "{landscape: ../landscapes/made.json}"
    text = f"version: 2\nname: x\ndeployment_mode: replay\nreplay: {replay}\n"
    notes = converted(client, text)["notes"]
    assert [note["path"] for note in notes] == ["replay.landscape"]
    assert "leaves its folder" in notes[0]["message"]


@pytest.mark.parametrize(
    "text",
    [
        "llama-server -m /etc/passwd --port 80",
        "task_name: x\nbase_runtime: llamacpp\nmodel: {id_or_path: /etc/passwd, namespace: n}\n",
    ],
)
def test_what_the_policy_refuses_is_noted_beside_what_is_not_carried_over(
    client: TestClient, text: str
) -> None:
    notes = converted(client, text)["notes"]
    assert any("not carried over" in note["message"] for note in notes)
    [policy] = [note["message"] for note in notes if note["path"] == "model.path"]
    assert "outside the folders" in policy


def test_dates_and_deep_lists_are_no_defect(client: TestClient) -> None:
    found = converted(client, "version: 2\nname: x\nmodel: {id: a/b}\nmetadata: {at: 2026-01-01}\n")
    assert found["document"]["metadata"] == {"at": "2026-01-01"}
    deep = "version: 2\nname: x\nmodel: {id: a/b}\nmetadata: {a: " + "[" * 90 + "]" * 90 + "}\n"
    assert client.post(CONVERT, json={"text": deep}).status_code == 422


def test_other_methods_are_refused(client: TestClient) -> None:
    assert client.get(CONVERT).status_code == 405
