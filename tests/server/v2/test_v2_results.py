"""What came out of a task, by HTTP: experiments, frontier, comparison, report, exports, logs."""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from made_runs import begin, claimed, created, finish, measurement, run

from autotuner.config import load_task
from autotuner.landscapes import read_landscape
from autotuner.server.service import Service
from autotuner.server.v2.experiments import ExperimentDetail, ExperimentPage, MeasurementList
from autotuner.server.v2.results import ComparisonView, FrontierView
from autotuner.tuning.summary import SearchView, TaskSummary


@pytest.fixture
def task(service: Service, client: TestClient) -> str:
    """The address of a task that has run."""
    task_id = created(client)
    run(service, task_id)
    return f"/api/v2/tasks/{task_id}"


def test_answers_are_what_the_openapi_says(client: TestClient, task: str) -> None:
    for part, model in {
        "experiments": ExperimentPage,
        "experiments/1": ExperimentDetail,
        "experiments/1/measurements": MeasurementList,
        "frontier": FrontierView,
        "comparison": ComparisonView,
        "search": SearchView,
        "summary": TaskSummary,
    }.items():
        answer = client.get(f"{task}/{part}")
        assert answer.status_code == 200, answer.text
        reported = model.model_validate_json(answer.content)
        assert reported.model_dump(mode="json") == answer.json()


def test_an_experiment_reports_its_failure_and_its_predictions(
    client: TestClient, task: str
) -> None:
    failed = client.get(f"{task}/experiments/3").json()
    assert failed["failure"] == {
        "kind": "out_of_memory",
        "message": "no room",
        "log_tail": "the log's end",
    }
    reported = client.get(f"{task}/experiments/2").json()
    assert reported["failure"] is None
    assert reported["actual_throughput_tok_s"] == 80.0
    assert [p["measured"]["tok_s"] for p in reported["predictions"]] == [20.0, 80.0]
    assert client.get(f"{task}/experiments/4").status_code == 404


def test_a_request_to_try_it_is_sent_beside_the_command(client: TestClient, task: str) -> None:
    address = "http://127.0.0.1:81/v1/chat/completions"
    recommended = client.get(f"{task}/frontier").json()["recommended"]
    for sent in (recommended, client.get(f"{task}/experiments/1").json()):
        assert sent["sample_request"].startswith(f"curl {address} ")
        assert sent["unserved"] is None


def test_commands_of_containers_are_started_on_the_machine(
    service: Service, client: TestClient
) -> None:
    number = created(client)
    docker = {"image": "mine/llama:1", "user": "1000"}
    run(service, number, words="-m /m.gguf ", deployment_mode="docker", docker=docker)
    task = f"/api/v2/tasks/{number}"
    summary = client.get(f"{task}/summary").json()
    listed = client.get(f"{task}/experiments").json()["items"]
    for shown in (
        *(summary["recommended"], *summary["frontier"], *summary["experiments"], *listed),
        client.get(f"{task}/experiments/1").json(),
    ):
        assert shown["command"].startswith("docker run --rm --publish 127.0.0.1:8080:8000 ")
        assert " --user 1000 " in shown["command"]
        words = "llama-server -m /m.gguf --host 0.0.0.0 --port 8000"
        assert f" --entrypoint '' mine/llama:1 {words} " in shown["command"]
        if "engine_command" in shown:
            assert shown["engine_command"].startswith("llama-server -m /m.gguf --host 127.0.0.1 ")
    sized = client.get(f"{task}/sizing", params={"rate": 1}).json()["deployments"]
    assert sized and all(one["command"].startswith("docker run ") for one in sized)
    script = client.get(f"{task}/export/frontier").text
    assert "\n  docker run " in script
    assert "\n  llama-server" not in script
    assert "docker run --rm" in client.get(f"{task}/report").text


def test_measurements_are_whole(client: TestClient, task: str) -> None:
    found = client.get(f"{task}/experiments/1/measurements").json()["items"]
    assert [(m["load"]["value"], m["repeat"], m["tok_s"]) for m in found] == [
        (1, 0, 10),
        (4, 0, 40),
    ]
    assert found[0]["ttft_ms"]["p99"] == 5.0


def test_the_frontier_is_reported_as_it_was_asked_for(client: TestClient, task: str) -> None:
    both = client.get(f"{task}/frontier").json()
    assert {p["experiment"] for p in both["actual"]} == {"c2"}
    assert both["predicted"]
    assert both["recommended"]["experiment"] == "c2"
    for point in (*both["actual"], *both["predicted"]):
        assert point["candidate"] == point["experiment"] == f"c{point['index']}"
    actual = client.get(f"{task}/frontier", params={"kind": "actual"}).json()
    assert actual == both | {"predicted": None}
    assert client.get(f"{task}/frontier", params={"kind": "x"}).status_code == 422


def test_the_frontier_says_how_many_levels_were_disturbed(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    run(service, task_id)
    address = f"/api/v2/tasks/{task_id}/frontier"
    assert client.get(address).json()["disturbance"] is None
    late = measurement(8, 70.0).model_copy(update={"client_bottleneck": True})
    service.store.add_measurement(service.store.experiments(task_id)[0].id, late)
    found = client.get(address).json()["disturbance"]
    assert (found["levels"], found["disturbed"]) == (5, 1), "of what succeeded"
    assert found["text"].startswith("1 of 5 levels were measured while other processes")
    assert found["remedy"] == "measure again on an idle machine"


def test_the_comparison_says_how_far_each_prediction_was_off(client: TestClient, task: str) -> None:
    reported = client.get(f"{task}/comparison").json()
    level = reported["levels"][0]
    assert level["base_error"]["tok_s_percent"] == pytest.approx(20)
    assert level["base_error"]["ttft_ms_percent"] == pytest.approx(20)
    assert level["calibrated_error"] is None
    assert reported["error"]["base"]["points"] == 4


def test_a_task_that_has_not_run_has_nothing_to_show(client: TestClient) -> None:
    address = f"/api/v2/tasks/{created(client)}"
    assert client.get(f"{address}/frontier").json()["actual"] == []
    assert client.get(f"{address}/comparison").json() == {
        "levels": [],
        "error": None,
        "uncorrected": "",
    }
    assert client.get(f"{address}/summary").json()["task"]["status"] == "pending"
    assert client.get(f"{address}/report").status_code == 200
    for form in ("csv", "landscape", "shell"):
        refused = client.get(f"{address}/export/{form}")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
        assert "has no frontier: it is pending; start it" in refused.json()["detail"]
    for log in ("logs", "logs/task?tail=0"):
        answer = client.get(f"{address}/{log}")
        assert (answer.status_code, answer.text) == (200, "")
    assert " INFO Created; the task is pending\n" in client.get(f"{address}/logs/task").text


@pytest.mark.parametrize(
    "part",
    [
        *("experiments", "experiments/1", "experiments/1/measurements", "frontier", "comparison"),
        *("summary", "report", "export/csv", "logs", "experiments/1/logs", "events?follow=false"),
        "logs/task",
    ],
)
def test_a_task_that_is_not_there_has_no_results(client: TestClient, part: str) -> None:
    answer = client.get(f"/api/v2/tasks/999/{part}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_the_report_is_a_page_that_can_reach_nothing(client: TestClient, task: str) -> None:
    answer = client.get(f"{task}/report")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-scripts" in policy


def test_a_name_that_is_markup_stays_text_in_the_report(client: TestClient) -> None:
    task_id = created(client, name="<script>alert(1)</script>")
    assert "<script>alert" not in client.get(f"/api/v2/tasks/{task_id}/report").text


def test_exports_are_files_of_their_form(client: TestClient, task: str, tmp_path: Path) -> None:
    def exported(form: str) -> Any:
        answer = client.get(f"{task}/export/{form}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"].startswith('attachment; filename="task-')
        return answer

    assert exported("json").json() == client.get(f"{task}/summary").json()
    rows = list(csv.DictReader(io.StringIO(exported("csv").text)))
    assert len(rows) == 6
    assert {row["misc.threads"] for row in rows} == {"1", "2", "3"}
    assert {(row["candidate"], row["on_frontier"]) for row in rows} >= {("c2", "True")}
    path = tmp_path / "table.csv"
    path.write_text(exported("landscape").text)
    assert len(read_landscape(path).launches) == 3
    assert client.get(f"{task}/export/docx").status_code == 422


def test_a_task_whose_launches_failed_says_that_it_has_no_frontier(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    lease = claimed(service, task_id)
    begin(service, task_id, 1)
    finish(service, task_id, 1, failed=True)
    service.store.tasks.release(lease, status="failed", reason="all launches failed")
    for form in ("landscape", "shell"):
        refused = client.get(f"/api/v2/tasks/{task_id}/export/{form}")
        assert refused.status_code == 409
        assert "1 launch measured no operating point" in refused.json()["detail"]
    rows = client.get(f"/api/v2/tasks/{task_id}/export/csv").text.splitlines()
    assert len(rows) == 3, "what was measured before the failure is kept"


def test_a_task_is_exported_as_a_task_file(client: TestClient, tmp_path: Path) -> None:
    name = "yes: \u2603 'quoted'\nand a line"
    task_id = created(client, name=name, optimization={"budget": {"minutes": 0.1}})
    answer = client.get(f"/api/v2/tasks/{task_id}/export/yaml")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert answer.headers["content-disposition"] == f'attachment; filename="task-{task_id}.yaml"'
    file = tmp_path / "task.yaml"
    file.write_bytes(answer.content)
    read, kept = load_task(file), client.get(f"/api/v2/tasks/{task_id}").json()
    assert read.written() == kept["config"]
    assert read.name == name


def test_the_script_of_commands_starts_what_is_recommended(
    service: Service, client: TestClient, tmp_path: Path
) -> None:
    task_id = created(client, name="a\ntouch stolen\n")
    run(service, task_id)
    script = tmp_path / "serve.sh"
    script.write_text(client.get(f"/api/v2/tasks/{task_id}/export/frontier").text)
    (tmp_path / "llama-server").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "llama-server").chmod(0o755)

    def started(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(script), *words],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert started().stdout == "--host 127.0.0.1 --port 81 --alias m --threads 2\n"
    assert started("c2").stdout == "--host 127.0.0.1 --port 81 --alias m --threads 2\n"
    assert started("c9").returncode == 2
    assert not (tmp_path / "stolen").exists()


def test_the_last_lines_of_a_log_are_reported(client: TestClient, task: str) -> None:
    assert client.get(f"{task}/experiments/1/logs").text == "one\ntwo\nthree\n"
    assert client.get(f"{task}/experiments/1/logs", params={"tail": 2}).text == "two\nthree\n"
    assert client.get(f"{task}/logs", params={"tail": 1}).text == "three\n"
    assert client.get(f"{task}/logs", params={"tail": -1}).status_code == 422


def test_a_log_that_is_not_written_yet_is_empty_and_one_that_is_gone_is_not_found(
    service: Service, client: TestClient
) -> None:
    task_id = created(client)
    claimed(service, task_id)
    number = begin(service, task_id, 1, log_path=str(service.logs / "none.log"))
    addresses = [f"/api/v2/tasks/{task_id}/{part}" for part in ("logs", "experiments/1/logs")]
    assert [(a.status_code, a.text) for a in map(client.get, addresses)] == [(200, "")] * 2
    service.store.finish_experiment(
        number, status="completed", failure=None, startup_s=1.0, measure_s=1.0
    )
    assert [client.get(address).status_code for address in addresses] == [404, 404]


@pytest.mark.parametrize("kind", ["absolute", "climbing", "link", "folder"])
def test_a_log_outside_its_folder_is_not_shown(
    service: Service, client: TestClient, tmp_path: Path, kind: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    service.logs.mkdir()
    link = service.logs / "link.log"
    link.symlink_to(secret)
    paths = {
        "absolute": str(secret),
        "climbing": f"{service.logs}/../secret",
        "link": str(link),
        "folder": str(service.logs),
    }
    task_id = created(client)
    claimed(service, task_id)
    begin(service, task_id, 1, log_path=paths[kind])
    for part in ("logs", "experiments/1/logs"):
        answer = client.get(f"/api/v2/tasks/{task_id}/{part}")
        assert answer.status_code == 404
        assert "secret\n" not in answer.text
