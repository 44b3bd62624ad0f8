"""A whole task out of a model, devices, a workload and a goal, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.catalog import workload_named
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.workers.policy import Policy

SUGGEST, TASKS = "/api/v2/tasks/suggest", "/api/v2/tasks"
SMALL: dict[str, Any] = {"model": {"id": "smollm2-135m"}, "gpu_type": "cpu"}
LARGE: dict[str, Any] = {"model": {"id": "meta-llama/Llama-3.1-70B-Instruct"}, "backend": "vllm"}


@pytest.fixture
def database() -> None:
    """None of this depends on the database."""


def suggested(client: TestClient, **wanted: Any) -> dict[str, Any]:
    answer = client.post(SUGGEST, json=wanted)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_suggestion_can_be_planned_and_created_as_it_is(client: TestClient) -> None:
    found = suggested(client, **SMALL, workload="chat", goal="throughput")
    assert found["problem"] is None
    document = found["document"]
    chat = workload_named("chat")
    assert document["runtime"] == {"isl": chat.isl, "osl": chat.osl}
    assert document["optimization"]["objectives"] == ["tok_s_per_gpu"]
    assert client.post(f"{TASKS}/validate", json=document).json()["errors"] == []
    assert client.post(f"{TASKS}/", json=document).status_code == 201


def test_a_name_alone_is_a_model(client: TestClient) -> None:
    found = suggested(client, model="smollm2-135m", workload={"isl": 32, "osl": 8})
    assert found["document"]["model"] == {"id": "smollm2-135m"}
    assert found["document"]["runtime"] == {"isl": 32, "osl": 8}
    assert found["model"]["recognised"] is True
    assert "Q4_1" in [name.upper() for name in found["model"]["formats"]]
    assert found["model"]["fits"][0]["gpu"] == "cpu"
    assert any(note.startswith("system.backend is llamacpp") for note in found["notes"])


def test_where_a_model_fits_is_reported_even_where_it_does_not(client: TestClient) -> None:
    found = suggested(client, **LARGE, gpu_type="l4", total_gpus=1)
    assert "GiB" in found["problem"]
    fits = {fit["gpu"]: fit["gpus"] for fit in found["model"]["fits"]}
    assert fits["h200_sxm"] <= 2
    assert "t4" not in fits or fits["t4"] > 1
    assert found["model"]["parameters_b"] == pytest.approx(70.6, abs=0.5)
    assert found["model"]["formats"][0] == "bfloat16"


def test_as_many_gpus_are_taken_as_hold_the_model(client: TestClient) -> None:
    found = suggested(client, **LARGE, gpu_type="H100")
    assert found["problem"] is None
    fewest = next(fit["gpus"] for fit in found["model"]["fits"] if fit["gpu"] == "h100_sxm")
    assert found["document"]["system"]["total_gpus"] == fewest > 1


def test_a_hubs_model_that_nobody_knows_is_not_recognised(client: TestClient) -> None:
    found = suggested(
        client, model={"id": "nobody/nothing-7B"}, gpu_type="h100", total_gpus=1, backend="vllm"
    )
    assert found["model"]["recognised"] is False
    assert found["model"]["fits"] == []
    assert any("not known of the model" in note for note in found["notes"])


def test_profiles_keep_the_fields_that_they_set(client: TestClient) -> None:
    found = suggested(client, **LARGE, gpu_type="h100", total_gpus=4, profiles=["balanced"])
    assert found["document"]["profiles"] == ["balanced"]
    assert "max_running_requests" not in found["document"].get("scheduling", {})
    assert any("left to the profile" in note for note in found["notes"])


def test_a_goal_with_limits_notes_that_they_are_missing(client: TestClient) -> None:
    asked = SMALL | {"goal": "slo"}
    assert any(note.startswith("slo: ") for note in suggested(client, **asked)["notes"])
    given = suggested(client, **asked, slo={"ttft_ms": 500})
    assert not any(note.startswith("slo: ") for note in given["notes"])
    assert given["document"]["slo"] == {"ttft_ms": 500}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"model": {"id": "smollm"}}, "", "smollm2"),
        ({"gpu_type": "h1000"}, "gpu_type", "h100"),
        ({"total_gpus": 3}, "total_gpus", "only a CPU"),
        ({"backend": "vlm"}, "backend", "vllm"),
        ({"workload": "chatt"}, "workload", "chat"),
        ({"workload": {"isl": 0, "osl": 1}}, "workload.isl", "1"),
        ({"goal": "speed"}, "goal", "throughput"),
        ({"profiles": ["balancd"]}, "", "balanced"),
        ({"nothing": 1}, "nothing", ""),
        ({"workload": {"isl": 8, "osl": 1}, "slo": {"tpot_ms": 5}}, "", "TPOT"),
    ],
)
def test_a_mistake_is_reported_at_its_field(
    client: TestClient, given: dict[str, Any], path: str, words: str
) -> None:
    refused = client.post(SUGGEST, json=SMALL | given)
    assert refused.status_code == 422, refused.text
    document = refused.json()
    if path:
        assert [fault["path"] for fault in document["errors"]] == [path]
    assert words in str(document)
    assert "--" not in document["detail"]


def test_files_outside_the_allowed_folders_are_not_looked_at(client: TestClient) -> None:
    for path in ("/etc/passwd", "/nothing/there.gguf", "../other"):
        refused = client.post(SUGGEST, json={"model": {"path": path}})
        assert refused.status_code == 403, refused.text
        assert [fault["path"] for fault in refused.json()["errors"]] == ["model.path"]


def test_the_operators_limits_are_kept(service: Service) -> None:
    policy = Policy(max_experiments=2, max_minutes=5, engines=("llamacpp",), max_gpus=1)
    strict = replace(service, settings=ServiceSettings(policy=policy))
    with TestClient(create_app(strict), base_url="http://127.0.0.1:8700") as client:
        document = suggested(client, **SMALL)["document"]
        assert document["optimization"]["budget"] == {"experiments": 2, "minutes": 5}
        assert client.post(f"{TASKS}/", json=document).status_code == 201
        refused = client.post(SUGGEST, json=SMALL | {"backend": "vllm"})
        assert refused.status_code == 403


@pytest.mark.parametrize("path", ["suggest", "validate", "plan"])
def test_other_methods_are_refused(client: TestClient, path: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        refused = client.request(method, f"{TASKS}/{path}")
        assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    assert client.options(f"{TASKS}/{path}").headers["Allow"] == "POST"
