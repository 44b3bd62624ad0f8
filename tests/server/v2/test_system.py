"""The service itself over HTTP: figures, workers, probes, metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from autotuner.config.extensions import LAUNCHERS
from autotuner.server.app import create_app
from autotuner.server.liveness import DEAD_AFTER_S, Liveness
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.server.v2.system import LimitsView
from autotuner.store.maintenance import known_workers
from autotuner.store.schema import WorkerRow
from autotuner.store.upgrades import migrate
from autotuner.workers.policy import Policy

TASK: dict[str, Any] = {
    "version": 2,
    "name": "first",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 64, "osl": 16},
}


def add_worker(service: Service, name: str, **given: Any) -> None:
    now = datetime.now(UTC)
    row = {
        "id": name,
        "name": name,
        "kind": "worker",
        "host": "here",
        "boot": "b",
        "pid": 1,
        "pid_started": 1,
        "version": "0",
        "gpu": "cpu",
        "devices": ["cpu"],
        "status": "idle",
        "heartbeat": 1,
        "started_at": now,
        "seen_at": now,
    }
    with service.store.sessions.writing() as session:
        session.merge(WorkerRow(**row | given))


def metrics(client: TestClient) -> dict[tuple[str, ...], float]:
    """(name, values of labels…) -> value."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_the_system_counts_what_there_is(client: TestClient, service: Service) -> None:
    client.post("/api/v2/tasks/", json=TASK)
    client.post("/api/v2/tasks/?start=true", json=TASK)
    add_worker(service, "one")
    system = client.get("/api/v2/system/").json()
    assert system["counts"]["tasks"] == {"pending": 1, "queued": 1}
    assert system["counts"]["profiles"] == 0
    assert system["database"]["revision"] == system["database"]["newest_revision"]
    assert system["workers_alive"] == 1


def test_launchers_say_where_engines_run_or_what_is_missing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    found = {one["name"]: one for one in client.get("/api/v2/system/launchers").json()["items"]}
    assert found.keys() == set(LAUNCHERS)
    assert found["local"] == {
        "name": "local",
        "available": True,
        "allowed": True,
        "about": "processes of this machine",
        "problem": "",
        "remedy": "",
    }
    assert not found["docker"]["available"]
    assert "/nowhere/docker.sock" in found["docker"]["problem"]
    assert found["docker"]["remedy"]
    assert found["docker"]["about"] == ""


def test_workers_are_reported_with_their_task(client: TestClient, service: Service) -> None:
    add_worker(service, "one")
    add_worker(service, "two", gpu="h100_sxm", devices=["0", "1"])
    task = client.post("/api/v2/tasks/?start=true", json=TASK).json()
    assert service.store.tasks.claim("one", gpu="cpu", gpus=1) is not None
    items = {row["id"]: row for row in client.get("/api/v2/system/workers").json()["items"]}
    assert {name: row["task_id"] for name, row in items.items()} == {"one": task["id"], "two": None}
    assert items["two"]["alive"] is True
    gpu = client.get("/api/v2/system/devices").json()["items"][-1]
    assert (gpu["kind"], gpu["name"], gpu["count"], gpu["worker"]) == ("gpu", "h100_sxm", 2, "two")


def test_a_worker_whose_beat_does_not_grow_is_taken_for_dead(service: Service) -> None:
    now_s = [0.0]
    liveness = Liveness(lambda: now_s[0])
    for name in ("living", "dead"):
        add_worker(service, name)
    for heartbeat in range(1, 4):
        add_worker(service, "living", heartbeat=heartbeat)
        quiet = liveness.heartbeat_age_s(known_workers(service.store.sessions))
        now_s[0] += DEAD_AFTER_S / 2
    assert quiet == {"living": 0.0, "dead": DEAD_AFTER_S}


def test_limits_are_those_that_the_operator_has_set(service: Service) -> None:
    policy = Policy(
        engines=("llamacpp",),
        max_experiments=5,
        model_roots=(Path("/srv/models"),),
        environment=("HF_TOKEN",),
    )
    settings = ServiceSettings(max_body_bytes=1000, request_burst=7, policy=policy)
    limited = replace(service, settings=settings)
    with TestClient(create_app(limited), base_url="http://127.0.0.1:8700") as client:
        answer = client.get("/api/v2/system/limits")
    assert answer.status_code == 200
    limits = LimitsView.model_validate_json(answer.content)
    assert (limits.max_body_bytes, limits.request_burst, limits.requires_token) == (1000, 7, False)
    assert (limits.allowed_engines, limits.max_experiments) == (["llamacpp"], 5)
    assert answer.json()["policy"]["model_roots"] == ["/srv/models"]
    assert str(service.folder) not in answer.text


def test_versions_report_the_database_and_no_secret(client: TestClient, service: Service) -> None:
    versions = client.get("/api/v2/system/versions").json()
    assert versions["database"][0].isdigit()
    assert set(versions["predictors"]) == {"roofline", "aiconfigurator", "aisimulate"}
    reported = client.get("/api/v2/system/").text + client.get("/metrics").text
    assert str(service.folder) not in reported
    assert "postgresql://" not in reported


def test_the_probes_answer(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_a_database_of_another_revision_is_not_ready(client: TestClient, service: Service) -> None:
    migrate(service.store.sessions.engine, "0003")
    reported = client.get("/readyz")
    assert (reported.status_code, reported.json()["type"]) == (503, "/problems/unavailable")
    assert "0003" in reported.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_metrics_count_tasks_workers_and_requests(client: TestClient, service: Service) -> None:
    add_worker(service, "one")
    client.post("/api/v2/tasks/?start=true", json=TASK)
    for number in (1, 2, 3):
        client.get(f"/api/v2/tasks/{number}")
    client.get("/api/v2/nowhere/at/all")
    found = metrics(client)
    assert found["autotuner_tasks", "queued"] == 1
    assert found["autotuner_workers_alive",] == 1
    assert found["autotuner_queue_oldest_seconds",] >= 0
    assert found["autotuner_database_up",] == 1
    route = "/api/v2/tasks/{task_id}"
    asked = {key[1:]: value for key, value in found.items() if key[0].endswith("requests_total")}
    by_status = {status: n for (*labels, status), n in asked.items() if route in labels}
    assert by_status == {"200": 1, "404": 2}
    assert {n for (*labels, status), n in asked.items() if "none" in labels} == {1}
    assert "nowhere" not in client.get("/metrics").text


def test_a_request_that_fails_is_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("autotuner.server.v2.system.sizes", fail)
    app = create_app(service)
    with TestClient(app, base_url="http://127.0.0.1:8700", raise_server_exceptions=False) as client:
        answer = client.get("/api/v2/system/")
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
        assert "defect" not in answer.text
        counted = [v for key, v in metrics(client).items() if "500" in key]
    assert counted == [1]


def test_without_a_database_the_metrics_say_so(tmp_path: Any) -> None:
    from autotuner.store import Store

    with Store.open(tmp_path) as store:
        app = create_app(Service(store, tmp_path))
        with TestClient(app, base_url="http://127.0.0.1:8700") as client:
            with store.sessions.engine.begin() as connection:
                connection.exec_driver_sql("DROP TABLE workers")
            found = metrics(client)
            assert found["autotuner_database_up",] == 0
            assert ("autotuner_tasks", "queued") not in found
            assert client.get("/api/v2/system/workers").status_code == 503
            assert metrics(client)["autotuner_database_errors_total",] == 1
