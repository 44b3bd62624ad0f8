"""Values of a stored task with their provenance, over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient
from made_runs import created

from autotuner.server.v2.configurations import ConfigurationView


def configuration(client: TestClient, **given: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v2/tasks/{created(client, **given)}/configuration")
    assert answer.status_code == 200, answer.text
    reported = ConfigurationView.model_validate_json(answer.content)
    assert reported.model_dump(mode="json") == answer.json()
    found: list[dict[str, Any]] = answer.json()["variants"]
    return found


def test_a_value_names_the_layers_that_set_it(client: TestClient) -> None:
    (variant,) = configuration(client, scheduling={"max_running_requests": [1, 4]})
    field = variant["fields"]["scheduling.max_running_requests"]
    assert field["value"] == [1, 4]
    assert [layer["status"] for layer in field["layers"]][-1] == "set"
    assert field["layers"][-1]["origin"] == "user"
    assert variant["engine"] == "llamacpp"
    assert variant["combination"] == {}


def test_a_field_that_nothing_sets_says_what_applies_instead(client: TestClient) -> None:
    (variant,) = configuration(client)
    field = variant["fields"]["memory.cpu_offload_gb"]
    assert field["value"] is None
    assert field["unset"]


def test_variants_name_the_settings_by_which_they_differ(client: TestClient) -> None:
    combinations = [{"misc": {"threads": 1}}, {"misc": {"threads": 2}}]
    variants = configuration(client, misc={}, combinations=combinations)
    assert [v["combination"] for v in variants] == [{"misc.threads": 1}, {"misc.threads": 2}]


def test_an_unknown_task_and_a_model_that_is_gone_are_problems(client: TestClient) -> None:
    assert client.get("/api/v2/tasks/999/configuration").status_code == 404
    gone = created(client, model={"id": "no-such-model"})
    answer = client.get(f"/api/v2/tasks/{gone}/configuration")
    assert answer.status_code == 422
    assert "no-such-model" in answer.json()["detail"]
