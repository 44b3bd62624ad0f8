"""Values of a stored task with their provenance, over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient
from made_runs import created, run

from autotuner.server.service import Service
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


def test_an_unknown_task_is_a_problem(client: TestClient) -> None:
    assert client.get("/api/v2/tasks/999/configuration").status_code == 404


def test_what_is_stored_is_shown_where_the_layers_are_unknown(
    service: Service, client: TestClient
) -> None:
    gone = created(client, model={"id": "no-such-model"}, memory={"page_size": 16})
    run(service, gone)
    found = client.get(f"/api/v2/tasks/{gone}/configuration").json()
    assert "no-such-model" in found["unresolved"]
    (variant,) = found["variants"]
    fields = variant["fields"]
    assert (variant["engine"], variant["combination"]) == ("llamacpp", {})
    assert fields["memory.page_size"]["value"] == 16
    assert fields["memory.page_size"]["layers"][0]["origin"] == "user"
    assert fields["misc.threads"]["value"] == [1, 2, 3]
    assert fields["system.backend"]["layers"][0]["origin"] == "launch"


def test_a_replay_of_the_command_line_is_shown_without_its_table(
    service: Service, client: TestClient
) -> None:
    """Its path counts from a folder that nobody knows any more, and may not be read."""
    document = {
        "version": 2,
        "name": "replayed",
        "model": {"id": "smollm2-135m"},
        "deployment_mode": "replay",
        "replay": {"landscape": "tables/recorded.csv"},
    }
    task = service.store.tasks.create(
        name="replayed",
        content_id="c",
        config=document,
        model="smollm2-135m",
        engine="vllm",
        engine_version="0.18.0",
    )
    found = client.get(f"/api/v2/tasks/{task.id}/configuration").json()
    assert found["unresolved"].startswith("replay.landscape: 'tables/recorded.csv' lies outside")
    assert [variant["engine"] for variant in found["variants"]] == ["vllm"]
