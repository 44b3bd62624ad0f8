"""A task that version 1 was running is moved here, resumed, and run to its end."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from test_runs import FINISHED, seen, working
from v1_client import TASK

from autotuner.server.service import Service

sys.path.append(str(Path(__file__).parents[2] / "migrate"))

from v1_database import built, insert, metrics

pytestmark = pytest.mark.slow
_COLUMNS = {"model": "model_config", "optimization": "optimization_config"}
_COLUMNS |= {"benchmark": "benchmark_config"}


def test_a_task_that_ran_goes_on(
    service: Service, client: TestClient, database: str | None, tmp_path: Path
) -> None:
    source = built(tmp_path / "v1.db", tasks=0)
    row: dict[str, Any] = {_COLUMNS.get(key, key): value for key, value in TASK.items()}
    done = {"id": 1, "task_id": 1, "experiment_id": 1, "parameters": {"max_num_seqs": "1"}}
    done |= {"status": "SUCCESS", "metrics": metrics(1), "objective_score": 2.25}
    with closing(sqlite3.connect(source)) as connection:
        insert(connection, "tasks", {"id": 1, "status": "RUNNING", **row})
        insert(connection, "experiments", done)
        connection.commit()
    raw = source.read_bytes()
    client.post("/api/v2/tasks/migrate/upload", files={"file": ("v1.db", raw)})
    [task] = client.get("/api/v2/tasks/").json()["items"]
    assert task["status"] == "interrupted"
    resumed = client.post(f"/api/v2/tasks/{task['id']}/resume")
    assert resumed.status_code == 200, resumed.text
    with working(service, database) as log:
        ended = seen(client, f"/api/v2/tasks/{task['id']}", FINISHED, log)
    assert ended["status"] == "completed", log.read_text("utf-8")
    shown = client.get("/api/tasks/1").json()
    assert shown["status"] == "completed"
    assert shown["successful_experiments"] >= 2
