"""Profiles over HTTP, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.profiles import BUILTIN
from autotuner.server.service import Service
from autotuner.store.profiles import service_registry

PROFILES = "/api/v2/profiles/"
MINE: dict[str, Any] = {
    "name": "mine",
    "description": "for a test",
    "extends": "balanced",
    "layers": [{"when": {"gpu_is_cpu": True}, "set": {"misc": {"threads": [1, 2]}}}],
}
HERE = {"model": {"id": "smollm2-135m"}, "engine": "llamacpp", "gpu": "cpu"}


def created(client: TestClient, **given: Any) -> dict[str, Any]:
    answer = client.post(PROFILES, json=MINE | given)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_the_list_holds_the_built_in_ones_the_folders_and_the_kept_ones(
    client: TestClient, service: Service
) -> None:
    folder = service.folder / "profiles"
    folder.mkdir()
    (folder / "house.yaml").write_text("name: house\nlayers: [{set: {misc.threads: 1}}]\n")
    created(client)
    items = client.get(PROFILES).json()["items"]
    origins = {row["name"]: row["origin"] for row in items}
    assert origins == dict.fromkeys(BUILTIN, "built-in") | {"house": "folder", "mine": "service"}


def test_a_kept_profile_comes_back_as_it_was_given_after_those_it_extends(
    client: TestClient,
) -> None:
    made = created(client)
    found = client.get(f"{PROFILES}mine").json()
    assert found == made
    assert found["document"]["extends"] == "balanced"
    assert found["document"]["layers"][0]["set"] == MINE["layers"][0]["set"]
    titles = [layer["layer"] for layer in found["layers"]]
    assert titles[-1] == "mine/settings"
    assert all(title.startswith("balanced/") for title in titles[:-1])


def test_a_task_may_name_a_kept_profile(client: TestClient, service: Service) -> None:
    created(client)
    assert "mine" in service_registry(service.store, service.folder).names()
    task = {
        "version": 2,
        "name": "t",
        "model": {"id": "smollm2-135m"},
        "runtime": {"isl": 32, "osl": 8},
        "system": {"gpu_type": "cpu"},
        "profiles": ["mine"],
    }
    plan = client.post("/api/v2/tasks/plan", json=task)
    assert plan.status_code == 200, plan.text
    assert plan.json()["axes"]["misc.threads"] == [1, 2]


@pytest.mark.parametrize("name", ["mine", "balanced"])
def test_a_name_that_is_taken_is_refused(client: TestClient, name: str) -> None:
    created(client)
    refused = client.post(PROFILES, json=MINE | {"name": name})
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/duplicate-name"


def test_every_fault_is_reported_with_its_path(client: TestClient) -> None:
    layers = [
        {
            "when": {"nope": True, "isl": {"min": "a"}},
            "set": {"misc": {"threads": "x", "zzz": 3}, "system.gpu_type": "h100"},
        },
        {"set": {"runtime.isl": 5, "misc.threads": {"rule": "unheard_of"}}},
    ]
    refused = client.post(PROFILES, json={"name": "bad", "layers": layers})
    assert refused.status_code == 422
    assert [fault["path"] for fault in refused.json()["errors"]] == [
        "layers[0].when.nope",
        "layers[0].when.isl",
        "layers[0].set.misc.threads",
        "layers[0].set.misc.zzz",
        "layers[0].set.system.gpu_type",
        "layers[1].set.runtime.isl",
        "layers[1].set.misc.threads",
    ]
    assert client.get(f"{PROFILES}bad").status_code == 404


@pytest.mark.parametrize("extends", ["nobody", "bad", "base"])
def test_a_profile_extends_one_that_is_there_and_not_itself(
    client: TestClient, extends: str
) -> None:
    refused = client.post(PROFILES, json={"name": "bad", "extends": extends})
    assert refused.status_code == 422
    assert [fault["path"] for fault in refused.json()["errors"]] == ["extends"]


def test_a_ring_of_two_profiles_is_refused(client: TestClient) -> None:
    created(client)
    created(client, name="other", extends="mine")
    refused = client.patch(f"{PROFILES}mine", json={"extends": "other"})
    assert refused.status_code == 422
    assert "cycle" in refused.text


def test_changes_are_made_to_the_version_that_was_read(client: TestClient) -> None:
    created(client)
    first = client.get(f"{PROFILES}mine").headers["ETag"]
    changed = client.patch(
        f"{PROFILES}mine", json={"description": "new"}, headers={"If-Match": first}
    )
    assert changed.status_code == 200
    assert changed.json()["description"] == "new"
    assert changed.json()["layers"][-1]["when"] == MINE["layers"][0]["when"]
    assert changed.headers["ETag"] != first
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else {"description": "stale"}
        stale = client.request(method, f"{PROFILES}mine", json=body, headers={"If-Match": first})
        assert stale.status_code == 412, method
    assert client.get(f"{PROFILES}mine").json()["description"] == "new"


def test_put_replaces_the_whole_content(client: TestClient) -> None:
    created(client)
    replaced = client.put(f"{PROFILES}mine", json={"layers": []})
    assert replaced.status_code == 200
    assert (replaced.json()["layers"], replaced.json()["extends"]) == ([], None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_built_in_profile_stays_as_it_is(client: TestClient, method: str) -> None:
    body = None if method == "DELETE" else {}
    refused = client.request(method, f"{PROFILES}balanced", json=body)
    assert refused.status_code == 409
    assert "built in" in refused.json()["detail"]


def test_a_profile_that_others_extend_stays(client: TestClient) -> None:
    created(client)
    created(client, name="other", extends="mine")
    assert client.delete(f"{PROFILES}mine").status_code == 409
    assert client.delete(f"{PROFILES}other").status_code == 204
    assert client.delete(f"{PROFILES}mine").status_code == 204
    assert client.get(f"{PROFILES}mine").status_code == 404


def test_what_is_unchanged_is_not_sent_again(client: TestClient) -> None:
    for name in ("balanced", created(client)["name"]):
        tag = client.get(PROFILES + name).headers["ETag"]
        again = client.get(PROFILES + name, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


def test_applying_reports_every_field_with_who_set_it(client: TestClient) -> None:
    created(client)
    applied = client.post(f"{PROFILES}mine/apply", json=HERE)
    assert applied.status_code == 200, applied.text
    document = applied.json()
    assert document["settings"]["misc.threads"] == [1, 2]
    last = document["fields"]["misc.threads"]["layers"][-1]
    assert (last["layer"], last["status"]) == ("mine/settings", "set")
    assert document["context"]["gpu_is_cpu"] is True


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"engine": "nope"}, 422),
        ({"gpu": "nope"}, 422),
        ({"model": {"id": "nope"}}, 422),
        ({"model": {"path": "/etc/passwd"}}, 403),
        ({"gpus": 0}, 422),
    ],
)
def test_applying_to_what_is_not_there_is_refused(
    client: TestClient, given: dict[str, Any], status: int
) -> None:
    refused = client.post(f"{PROFILES}balanced/apply", json=HERE | given)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"


def previewed(client: TestClient, document: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"{PROFILES}preview", json=document)
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json()["items"]}


LARGE: dict[str, Any] = {
    "model": {"id": "meta-llama/Llama-3.1-70B"},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 8},
    "runtime": {"isl": 1000, "osl": 100},
}


def test_every_profile_is_previewed_at_once(client: TestClient) -> None:
    created(client)
    items = previewed(client, LARGE | {"scheduling": {"max_running_requests": 8}})
    assert set(items) == {*BUILTIN, "mine"}
    balanced = items["balanced"]
    assert (balanced["title"], items["fp8_quantized"]["title"]) == ("Balanced", "FP8 quantized")
    found = {row["field"]: row for row in balanced["settings"]}
    assert found["parallel.tensor_parallel"]["value"] in (2, 4)
    assert found["parallel.tensor_parallel"]["why"]
    assert found["parallel.tensor_parallel"]["layer"] == "balanced/width"
    assert found["scheduling.max_running_requests"]["overruled"] is True
    assert found["parallel.tensor_parallel"]["overruled"] is False
    assert any(row["layer"] == "balanced/slots" for row in balanced["skipped"])
    assert not any(row["layer"].startswith("base/") for row in balanced["skipped"])


@pytest.mark.parametrize(
    ("document", "noted"),
    [
        ({}, "model: not given"),
        ({"model": {"id": "nope"}}, "nope"),
        ({"model": {"path": "/etc/passwd"}}, "outside"),
        ({"system": {"backend": "vlm"}}, "vllm"),
        ({"system": {"gpu_type": "h1000"}}, "h1000"),
        ({"runtime": {"isl": "x"}, "nonsense": 1}, "lengths"),
    ],
)
def test_an_incomplete_document_is_previewed_all_the_same(
    client: TestClient, document: dict[str, Any], noted: str
) -> None:
    assert set(previewed(client, document)) == set(BUILTIN)
    notes = client.post(f"{PROFILES}preview", json=document).json()["notes"]
    assert any(noted in note for note in notes)


def test_a_broken_profile_is_previewed_with_its_problem(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "broken.yaml").write_text("name: [")
    items = previewed(client, LARGE)
    assert "broken.yaml" in items["broken"]["problem"]
    assert items["balanced"]["problem"] is None and items["balanced"]["settings"]


def test_no_profile_is_called_preview(client: TestClient) -> None:
    assert client.post(PROFILES, json=MINE | {"name": "preview"}).status_code == 409
    assert client.get(f"{PROFILES}preview").status_code == 405


def test_a_profile_is_applied_to_a_models_name(client: TestClient) -> None:
    by_name = client.post(f"{PROFILES}balanced/apply", json=HERE | {"model": "smollm2-135m"})
    assert by_name.status_code == 200, by_name.text
    assert by_name.json() == client.post(f"{PROFILES}balanced/apply", json=HERE).json()
    unknown = client.post(f"{PROFILES}balanced/apply", json=HERE | {"model": "smollm2-135n"})
    assert unknown.status_code == 422
    assert "smollm2-135m" in unknown.json()["detail"]
    hub = client.post(f"{PROFILES}balanced/apply", json=HERE | {"model": "nobody/nothing"})
    assert any("not known of the model" in note for note in hub.json()["notes"])


def test_a_layer_is_read_as_it_is_written(client: TestClient) -> None:
    read = client.get(f"{PROFILES}balanced").json()["layers"]
    layers = [{key: layer[key] for key in ("name", "when", "set")} for layer in read]
    copied = created(client, name="copy", extends=None, layers=layers)
    again = [{key: layer[key] for key in ("name", "when", "set")} for layer in copied["layers"]]
    assert again == layers


def test_tasks_that_name_a_profile_are_counted_and_listed(client: TestClient) -> None:
    created(client)
    created(client, name="above", extends="mine")
    task = {
        "version": 2,
        "name": "t",
        "model": {"id": "smollm2-135m"},
        "runtime": {"isl": 8, "osl": 8},
    }
    numbers = [
        client.post("/api/v2/tasks/", json=task | {"profiles": names}).json()["id"]
        for names in (["mine", "balanced"], ["balanced"], [], ["mine", "mine"])
    ]
    counts = {row["name"]: row["tasks"] for row in client.get(PROFILES).json()["items"]}
    assert (counts["mine"], counts["balanced"], counts["above"]) == (2, 2, 0)
    assert client.get(f"{PROFILES}mine").json()["tasks"] == 2
    using = client.get(f"{PROFILES}mine/tasks").json()
    assert [row["id"] for row in using["items"]] == [numbers[3], numbers[0]]
    assert (using["items"][0]["status"], using["total"]) == ("pending", 2)
    assert using["extended_by"] == ["above"]
    assert client.get(f"{PROFILES}nobody/tasks").status_code == 404


def checked(client: TestClient, **draft: Any) -> dict[str, Any]:
    answer = client.post(f"{PROFILES}validate", json=draft)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_draft_is_checked_and_shown_without_being_stored(client: TestClient) -> None:
    document = {"model": {"id": "smollm2-135m"}, "system": {"gpu_type": "cpu"}}
    found = checked(client, profile=MINE, document=document)
    assert found["faults"] == []
    shown = {row["field"]: row["value"] for row in found["preview"]["settings"]}
    assert shown["misc.threads"] == [1, 2]
    assert any("lengths" in note for note in found["notes"])
    assert checked(client, profile=MINE)["preview"] is None
    assert client.get(f"{PROFILES}mine").status_code == 404


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": "no name"}, "name"),
        ({"name": "balanced"}, "name"),
        ({"name": "validate"}, "name"),
        ({"extends": "nobody"}, "extends"),
        ({"extends": "base"}, "extends"),
        ({"layers": [{"set": {"misc.zzz": 1}}]}, "layers[0].set.misc.zzz"),
        ({"layers": [{"when": {"isl": "long"}}]}, "layers[0].when.isl"),
        ({"layers": [{"name": ""}]}, "layers[0].name"),
        ({"description": "x" * 3_000}, "description"),
    ],
)
def test_a_fault_of_a_draft_is_at_its_place(
    client: TestClient, given: dict[str, Any], path: str
) -> None:
    assert [fault["path"] for fault in checked(client, profile=MINE | given)["faults"]] == [path]


def test_a_change_of_a_profile_keeps_its_name(client: TestClient) -> None:
    created(client)
    assert [fault["path"] for fault in checked(client, profile=MINE)["faults"]] == ["name"]
    assert checked(client, profile=MINE, replaces="mine")["faults"] == []


def test_facts_and_rules_of_profiles_are_listed(client: TestClient) -> None:
    words = client.get("/api/v2/catalog/profile-words").json()
    facts = {row["name"]: row for row in words["facts"]}
    assert facts["gpu_supports_fp8"]["kind"] == "boolean"
    assert "vllm" in facts["backend"]["values"]
    rules = {row["name"]: row["fields"] for row in words["rules"]}
    assert rules["smallest_tp_that_fits"] == ["parallel.tensor_parallel"]
