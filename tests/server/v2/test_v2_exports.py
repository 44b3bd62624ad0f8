"""Deployments by HTTP: formats and points, a look at the files, the files themselves."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from made_runs import PLAN, claimed, created, finish

from autotuner.deploy import FORMATS
from autotuner.server.service import Service
from autotuner.server.v2 import exports
from autotuner.server.v2.export_views import ExportFilesView, ExportFormat, ExportsView
from autotuner.tuning.estimate import PlanEstimate
from autotuner.tuning.stored_task import estimate_again

GPU = {"system.gpu_type": "h100_sxm", "system.total_gpus": 8, "system.backend": "vllm"}
COMMAND = (
    "vllm serve Qwen/Qwen3-8B --host 127.0.0.1 --port 8080 --served-model-name m --max-num-seqs {}"
)


@pytest.fixture
def task(service: Service, client: TestClient) -> str:
    """The address of a task whose engines ran on a GPU."""
    task_id = created(client)
    lease = claimed(service, task_id)
    store = service.store.fenced(task_id, lease.number)
    store.tasks.update_plan(task_id, config=lease.task.config, plan=PLAN)
    for number in (1, 2):
        service.store.begin_experiment(
            task_id,
            candidate_id=f"c{number}",
            settings=GPU | {"parallel.tensor_parallel": 1, "system.backend_version": "0.11.2"},
            command=COMMAND.format(number),
            selection_reason="next",
            phase="grid",
            log_path="",
        )
        finish(service, task_id, number)
    service.store.tasks.release(lease, status="completed", reason="all launched")
    return f"/api/v2/tasks/{task_id}"


def problem(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


def test_formats_and_points_are_listed(client: TestClient, task: str) -> None:
    found = ExportsView.model_validate(client.get(f"{task}/exports").json())
    formats = {one.format: one for one in found.formats}
    assert [*formats] == [*FORMATS]
    assert {one.format for one in found.formats if one.fits} == {*FORMATS}
    assert formats["dynamo"].versions == ["v1beta1", "v1alpha1"]
    assert found.image == "vllm/vllm-openai:v0.11.2"
    assert {one.point for one in found.points} == {"c1@1", "c1@4", "c2@1", "c2@4"}
    assert found.point == found.points[0].point
    assert found.points[0].recommended
    asked = {"point": "c1", "replicas": 3, "image": "r/e:1"}
    other = ExportsView.model_validate(client.get(f"{task}/exports", params=asked).json())
    assert (other.point.partition("@")[0], other.image) == ("c1", "r/e:1")
    whys = {one.format: one.why_not for one in other.formats}
    assert "3 replicas are wished" in str(whys["systemd"])


def test_the_files_are_shown_and_saved_alike(client: TestClient, task: str) -> None:
    asked = {"point": "c2@1", "target_version": "v1alpha1", "replicas": 2}
    answer = client.get(f"{task}/exports/kserve", params=asked)
    shown = ExportFilesView.model_validate(answer.json())
    assert (shown.format, shown.point, shown.measured) == ("kserve", "c2@1", True)
    saved = client.get(f"{task}/export/kserve", params=asked)
    assert saved.headers["content-type"].startswith("application/yaml")
    assert saved.headers["content-disposition"] == 'attachment; filename="kserve.yaml"'
    assert [saved.text] == [file.text for file in shown.files]
    document = yaml.safe_load(saved.text)
    assert document["apiVersion"] == "serving.kserve.io/v1alpha1"
    assert document["spec"]["replicas"] == 2
    assert "--max-num-seqs 2" in str(document)
    guarded = client.get(f"{task}/export/kserve", params=asked | {"requires_key": True})
    assert "VLLM_API_KEY" in guarded.text and "VLLM_API_KEY" not in saved.text


@pytest.mark.parametrize("route", ["exports", "exports/dynamo", "export/dynamo", "export/json"])
def test_the_routes_take_the_same_query_and_ignore_what_they_do_not_know(
    route: str, client: TestClient, task: str
) -> None:
    asked = {"image": "r/e:1", "target_version": "v1beta1"}
    plain = client.get(f"{task}/{route}", params=asked)
    assert plain.status_code == 200, plain.text
    assert client.get(f"{task}/{route}", params={**asked, "_": "17"}).content == plain.content
    assert client.get(f"{task}/{route}", params={"replicas": 0}).status_code == 422


def test_several_files_are_a_zip(client: TestClient, task: str) -> None:
    saved = client.get(f"{task}/export/llm-d")
    assert saved.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(saved.content))
    shown = client.get(f"{task}/exports/llm-d").json()["files"]
    assert archive.namelist() == ["kustomization.yaml", "patch.yaml"]
    assert [archive.read(file["name"]).decode() for file in shown] == [f["text"] for f in shown]
    assert client.get(f"{task}/export/llm-d").content == saved.content


def test_a_wish_that_cannot_be_met_is_a_problem(client: TestClient, task: str) -> None:
    for path, detail in {
        "exports?point=zz": "'zz' has no operating point",
        "exports/docx": "'docx' is unknown",
        "exports/kserve?target_version=v9": "kserve has no 'v9'",
        "exports/shell?replicas=2": "2 replicas are wished",
        "export/compose?image=a%20b": "image: 'a b' is no image",
    }.items():
        assert detail in problem(client.get(f"{task}/{path}"), 422)
    assert client.get(f"{task}/exports?replicas=0").status_code == 422


def test_replicas_are_as_many_as_hold_the_traffic(client: TestClient, task: str) -> None:
    for traffic in ({"rate": 40}, {"users": 60}):
        sized = client.get(f"{task}/sizing", params=traffic | {"source": "measured"}).json()
        deployment = sized["deployments"][0]
        asked = traffic | {"point": deployment["candidate"]}
        listed = ExportsView.model_validate(client.get(f"{task}/exports", params=asked).json())
        assert listed.replicas == deployment["replicas"] > 1
        saved = client.get(f"{task}/export/kubernetes", params=asked).text
        documents = {one["kind"]: one for one in yaml.safe_load_all(saved)}
        assert documents["Deployment"]["spec"]["replicas"] == listed.replicas
        [shown] = client.get(f"{task}/exports/kubernetes", params=asked).json()["files"]
        assert shown["text"] == saved
    assert client.get(f"{task}/exports").json()["replicas"] == 1


def test_the_program_starts_the_engine_in_its_image(client: TestClient, task: str) -> None:
    asked = {"image": "r/e:1", "program": "/opt/mine serve"}
    files = client.get(f"{task}/exports/compose", params=asked).json()["files"]
    [service] = yaml.safe_load(files[0]["text"])["services"].values()
    assert service["entrypoint"] == ["/opt/mine", "serve"]


def test_a_wish_that_cannot_be_met_names_its_parameter(client: TestClient, task: str) -> None:
    for path, parameter, why in (
        ("exports?point=zz", "point", "'zz' has no operating point"),
        ("exports?image=a%20b", "image", "'a b' is no image; give REPOSITORY:TAG"),
        ("exports?program=%27", "program", "No closing quotation"),
        ("exports?rate=1&replicas=2", "rate", "replicas and rate are given"),
        ("exports?users=1e8", "users", "100000000 takes"),
        ("exports?users=1e-9", "users", "is that of no service"),
        ("exports?rate=-1", "rate", "has to be above 0"),
        ("exports?rate=1&point=predicted", "rate", "sizes by measurements"),
        ("exports/kserve?target_version=v9", "target_version", "kserve has no 'v9'"),
        ("export/compose?rate=1e9", "rate", "an export has 1,000 at the most"),
    ):
        answer = client.get(f"{task}/{path}")
        problem(answer, 422)
        [fault] = answer.json()["errors"]
        assert fault["path"] == f"query.{parameter}" and why in fault["message"], answer.text


def test_what_was_not_measured_is_not_deployed(client: TestClient) -> None:
    address = f"/api/v2/tasks/{created(client)}"
    for path in ("exports", "exports/shell", "export/compose"):
        assert "has no frontier" in problem(client.get(f"{address}/{path}"), 409)
    assert client.get("/api/v2/tasks/999/exports").status_code == 404


def test_every_format_can_be_asked_for() -> None:
    tables = {"json", "csv", "landscape", "frontier", "yaml"}
    assert {form.value for form in ExportFormat} == tables | {*FORMATS}


PREDICTABLE = {
    "version": 2,
    "name": "later",
    "model": {"id": "Qwen/Qwen3-8B"},
    "runtime": {"isl": 512, "osl": 128},
    "system": {"backend": "vllm", "gpu_type": "h100", "total_gpus": 2},
    "parallel": {"tensor_parallel": [1, 2]},
    "benchmark": {"concurrency": [8]},
    "prediction": {"predictor": "roofline"},
}


def test_predictions_are_made_once_for_all_formats_until_the_task_changes(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    def counted(*given: Any) -> PlanEstimate:
        made.append(given)
        return estimate_again(*given)

    monkeypatch.setattr(exports, "estimate_again", counted)
    address = f"/api/v2/tasks/{client.post('/api/v2/tasks/', json=PREDICTABLE).json()['id']}"
    for path, point in (
        ("exports", "predicted"),
        ("exports/shell", "predicted"),
        ("export/compose", "predicted"),
        ("exports/dynamo", "disagg"),
    ):
        assert client.get(f"{address}/{path}", params={"point": point}).status_code == 200
    assert len(made) == 1
    slower = PREDICTABLE | {"benchmark": {"concurrency": [8, 16]}}
    changed = client.patch(address, json={"config": slower})
    assert changed.status_code == 200, changed.text
    assert client.get(f"{address}/exports?point=predicted").status_code == 200
    assert len(made) == 2


def test_a_task_that_has_not_run_is_deployed_by_prediction_and_says_so(client: TestClient) -> None:
    address = f"/api/v2/tasks/{client.post('/api/v2/tasks/', json=PREDICTABLE).json()['id']}"
    assert "no frontier" in problem(client.get(f"{address}/exports"), 409)
    best = client.get(f"{address}/exports", params={"point": "predicted"}).json()
    assert (best["points"], best["point"].partition(":")[0]) == ([], "predicted")
    assert best["measured"] is False
    for point in ("predicted", best["point"]):
        shown = client.get(f"{address}/exports/compose", params={"point": point}).json()
        assert (shown["point"], shown["measured"]) == (best["point"], False)
        assert "PREDICTED, NEVER MEASURED, for 2 x h100_sxm" in shown["files"][0]["text"]
    other = client.get(f"{address}/exports/compose", params={"point": "predicted:zz"})
    assert "the task has no candidate 'zz'" in problem(other, 422)
    drafted = client.get(f"{address}/exports/dynamo", params={"point": "disagg"}).json()
    graph = yaml.safe_load(drafted["files"][0]["text"])
    decode, prefill = graph["spec"]["components"][1:]
    assert (decode["type"], prefill["type"]) == ("decode", "prefill")
