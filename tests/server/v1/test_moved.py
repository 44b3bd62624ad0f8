"""On a database that was moved here, v1's endpoints answer as v1 did on its own."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from test_recording import ON_PURPOSE, RECORDED, UNRECORDED, content_of, differences, name_of

from autotuner.migrate.database import Observer, UnitChoice, move, opened
from autotuner.server.app import create_app
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings
from autotuner.store import Store

V1 = Path(__file__).parents[2] / "migrate"
sys.path.append(str(V1))

from v1_database import SCHEMA, built  # noqa: E402

ROWS = ("tasks", "experiments", "parameter_presets")
OF_ROWS = re.compile(
    r"/api/(tasks|experiments|presets|dashboard/(db-statistics|experiment-timeline))(?!.*/logs)"
)
"""Addresses whose answers come from v1's tables; its logs are files beside them."""


@contextmanager
def served(store: Store, folder: Path) -> Iterator[TestClient]:
    service = Service(store, folder, ServiceSettings(requests_per_s=10_000))
    with TestClient(create_app(service), base_url="http://127.0.0.1:8787") as client:
        yield client


def as_v1_kept_it(store_file: Path, path: Path) -> Path:
    """The rows of v1's tables in a database of v1's schema, with its ways of saying null."""
    with closing(sqlite3.connect(path)) as v1:
        v1.executescript(SCHEMA.read_text("utf-8"))
        v1.execute("ATTACH ? AS ours", (str(store_file),))
        for table in ROWS:
            columns = ", ".join(row[1] for row in v1.execute(f"PRAGMA table_info({table})"))
            v1.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ours.{table}")  # noqa: S608
        v1.execute("UPDATE tasks SET slo_config = 'null' WHERE slo_config IS NULL")
        v1.commit()
    return path


def moved(source: Path, store: Store) -> None:
    with opened(source) as v1:
        move(v1, store, UnitChoice(), Observer(Path("/nonexistent")))


@pytest.mark.slow
def test_what_v1_answered_is_answered_after_a_move(tmp_path: Path) -> None:
    """The recording is replayed; what it asked of the rows is asked again where they moved to."""
    found: dict[str, list[Any]] = {}
    with Store.open(tmp_path) as store, served(store, tmp_path) as client, ExitStack() as open_now:
        there: TestClient | None = None
        for number, pair in enumerate(RECORDED):
            request = pair["request"]
            if number in UNRECORDED:
                client.request(*UNRECORDED[number])
                there = None
            if request["method"] != "GET":
                url, content = request["url"], content_of(request)
                client.request(request["method"], url, follow_redirects=False, **content)
                there = None
            elif OF_ROWS.match(request["url"]):
                there = there or open_now.enter_context(moved_to(tmp_path / f"{number}", tmp_path))
                found[name_of(number)] = unlike_here(client, there, number)
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert len(found) > 30


@contextmanager
def moved_to(home: Path, before: Path) -> Iterator[TestClient]:
    """A service on what is moved from the service whose home is `before`."""
    home.mkdir()
    source = as_v1_kept_it(before / "autotuner.db", home / "v1.db")
    with Store.open(home) as store:
        moved(source, store)
        with served(store, home) as client:
            yield client


def unlike_here(client: TestClient, there: TestClient, number: int) -> list[Any]:
    """Differences of an answer from v1's, and from that of the service where the rows lay."""
    pair = RECORDED[number]
    answer = there.get(pair["request"]["url"], follow_redirects=False)
    meant = [row.place for row in ON_PURPOSE if re.fullmatch(row.request, name_of(number))]
    found: list[Any] = [
        line
        for line in differences(pair["response"], answer)
        if not any(re.fullmatch(place, line[0]) for place in meant)
    ]
    before = client.get(pair["request"]["url"], follow_redirects=False)
    if timeless(before.text) != timeless(answer.text):
        found.append((before.text, answer.text))
    return found


def timeless(text: str) -> str:
    """An answer without the moment at which it was given."""
    return re.sub(r'"timestamp":"[^"]*"', "", text)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = built(tmp_path_factory.mktemp("v1") / "v1.db", tasks=6, experiments=9)
    with closing(sqlite3.connect(path)) as v1:
        v1.execute("UPDATE tasks SET status = NULL, total_experiments = NULL WHERE id = 4")
        v1.execute("UPDATE experiments SET status = 'DEPLOYING' WHERE id = 3")
        v1.execute("UPDATE experiments SET gpu_info = 'null', metrics = '{}' WHERE id = 5")
        v1.execute("UPDATE tasks SET created_at = '2025-11-02 10:20:30.000000' WHERE id = 5")
        v1.commit()
    return path


@pytest.fixture
def after(source: Path, service: Service, client: TestClient) -> TestClient:
    moved(source, service.store)
    return client


def rows_of(source: Path, table: str, order: str = "id") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(source)) as v1:
        v1.row_factory = sqlite3.Row
        return [dict(row) for row in v1.execute(f"SELECT * FROM {table} ORDER BY {order}")]  # noqa: S608


def answered(row: dict[str, Any], *, zone: str = "Z") -> dict[str, Any]:
    """A row as v1's API answered it."""
    found: dict[str, Any] = {}
    for name, cell in row.items():
        if name.endswith(("_config", "metadata")) or name in ("parameters", "metrics", "gpu_info"):
            found[name] = None if cell is None else json.loads(cell)
        elif name.endswith("_at") and cell is not None:
            found[name] = f"{cell.replace(' ', 'T').removesuffix('.000000')}{zone}"
        elif name == "status":
            found[name] = (cell or "PENDING").lower()
        else:
            found[name] = None if cell == float("inf") else cell
    return found


def answered_task(row: dict[str, Any]) -> dict[str, Any]:
    found = answered(row)
    for key in ("model", "optimization", "benchmark", "slo"):
        found[key] = found.pop(f"{key}_config")
    counts = ("total_experiments", "successful_experiments")
    return {**found, **{name: found[name] or 0 for name in counts}}


def test_every_task_is_answered_as_it_lies_in_the_source(source: Path, after: TestClient) -> None:
    newest = [answered_task(row) for row in rows_of(source, "tasks", "created_at DESC")]
    listed = after.get("/api/tasks/").json()
    assert [one["id"] for one in listed] == [one["id"] for one in newest]
    for one, short in zip(newest, listed, strict=True):
        assert short == {key: one[key] for key in short}
        assert after.get(f"/api/tasks/{one['id']}").json() == one
        assert after.get(f"/api/tasks/name/{quote(one['task_name'])}").json()["id"] == one["id"]


def test_every_experiment_is_answered_as_it_lies_in_the_source(
    source: Path, after: TestClient
) -> None:
    newest = list(map(answered, rows_of(source, "experiments", "created_at DESC, id DESC")))
    assert after.get("/api/experiments/").json() == newest
    for task_id in {one["task_id"] for one in newest}:
        own = [one for one in newest if one["task_id"] == task_id]
        assert after.get(f"/api/experiments/task/{task_id}").json() == own
    for one in newest[::10]:
        assert after.get(f"/api/experiments/{one['id']}").json() == one


def test_every_preset_is_answered_as_it_lies_in_the_source(source: Path, after: TestClient) -> None:
    rows = [answered(row, zone="") for row in rows_of(source, "parameter_presets")]
    there = [{**row, "is_system": bool(row["is_system"])} for row in rows]
    assert after.get("/api/presets/").json() == there


def test_the_dashboard_counts_what_lies_in_the_source(source: Path, after: TestClient) -> None:
    tasks = list(map(answered, rows_of(source, "tasks")))
    experiments = list(map(answered, rows_of(source, "experiments", "created_at, id")))
    found = after.get("/api/dashboard/db-statistics").json()
    assert (found["total_tasks"], found["total_experiments"]) == (len(tasks), len(experiments))
    for key, rows in (("tasks_by_status", tasks), ("experiments_by_status", experiments)):
        statuses = [row["status"] for row in rows]
        assert found[key] == {each: statuses.count(each) for each in sorted(set(statuses))}
    running = [row["id"] for row in tasks if row["status"] == "running"]
    assert sorted(row["id"] for row in found["running_tasks"]) == running
    timeline = after.get("/api/dashboard/experiment-timeline?hours=1000000").json()
    assert [row["id"] for row in timeline] == [row["id"] for row in experiments]


def test_logs_of_a_moved_task_are_those_of_one_that_has_logged_nothing(after: TestClient) -> None:
    for task in after.get("/api/tasks/").json():
        path = f"/api/tasks/{task['id']}/logs"
        assert after.get(path).json() == {"logs": "No logs available yet."}
        if task["status"] in ("completed", "failed", "cancelled"):  # others are waited for
            assert "data:" not in after.get(f"{path}?follow=true").text
        for place, _ in enumerate(after.get(f"/api/experiments/task/{task['id']}").json(), 1):
            one = after.get(f"/api/tasks/{task['id']}/experiments/{place}/logs")
            assert (one.status_code, one.json()) == (200, {"logs": ""}), task
        assert after.delete(path).status_code == 204
    assert after.get("/api/tasks/999/logs").status_code == 404
