"""Sample tasks in every state, for pictures of the web UI.

`ui_samples/` has what is tuned: replays, and one task of a real engine. What waits, rests or was
stopped is asked of the service; one replay is put back to where it was still running.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import delete, select

from autotuner.store import Store
from autotuner.store.schema import EventRow, ExperimentRow, MeasurementRow, TaskRow

FOLDER = Path(__file__).parent / "ui_samples"
TUNED = ("chat", "out-of-memory", "retrieval", "cpu")
RUNNING = "retrieval"
PLANNED_LAUNCHES = 24
_LEFT_OPEN = 4
"""Levels that the launch under way has measured."""
_SMALL: Mapping[str, Any] = {
    "version": 2,
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 64, "osl": 32},
    "system": {"gpu_type": "cpu"},
    "scheduling": {"max_running_requests": [1, 2, 4]},
}
ASKED: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "paused": ({**_SMALL, "name": "SmolLM2 after work"}, ("start", "pause")),
    "cancelled": ({**_SMALL, "name": "SmolLM2, a mistake"}, ("start", "cancel")),
    "hostile": (
        {
            **_SMALL,
            "name": "<script>alert(1)</script> \u202etxet desrever\u202c \u05e9\u05dc\u05d5\u05dd "
            + "x" * 120,
            "description": "\u202eright to left\u202c " + "ten thousand characters " * 416,
        },
        (),
    ),
}
"""Sample -> its document, and what is asked of it."""
_V1: Mapping[str, Any] = {
    "task_name": "SmolLM2 by version 1",
    "deployment_mode": "local",
    "model": {"id_or_path": "smollm2-135m"},
    "base_runtime": "llamacpp",
    "parameters": {"max_num_seqs": ["1", "2"]},
    "optimization": {"strategy": "grid_search", "objective": "minimize_latency"},
    "benchmark": {"task": "text-to-text", "model_name": "smol", "traffic_scenarios": ["D(8,4)"]},
}


def tune(home: Path, file: Path) -> None:
    """Tunes a task file into a home; that all of its launches fail is no error here.

    The landscape of a replay is copied there first: a service reads none from elsewhere.
    """
    document = file.read_text("utf-8")
    for written in re.findall(r"landscape: ([^}\n]+)", document):
        copied = home / "landscapes" / Path(written).name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.parent / written, copied)
        document = document.replace(written, str(copied))
    written_anew = home / "samples" / file.name
    written_anew.parent.mkdir(parents=True, exist_ok=True)
    written_anew.write_text(document, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "autotuner", "tune", str(written_anew), "--home", str(home)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 1):
        sys.exit(f"{file.name}: {done.stderr.strip()}")


def tune_all(home: Path) -> None:
    """Tunes every sample into a home , which may be served meanwhile."""
    for name in TUNED:
        tune(home, FOLDER / f"{name}.yaml")


def add_all(url: str) -> None:
    """Asks a service for the samples that nobody runs."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for document, actions in ASKED.values():
            task = _answer(client.post("/api/v2/tasks/", json=dict(document)))
            for action in actions:
                _answer(client.post(f"/api/v2/tasks/{task['id']}/{action}"))
        task = _answer(client.post("/api/tasks/", json=dict(_V1)))
        _answer(client.post(f"/api/tasks/{task['id']}/start"))


def numbers(url: str) -> dict[str, int]:
    """Sample -> number of its task; `v1` is the one of version 1."""
    found = httpx.get(f"{url}/api/v2/tasks/", params={"limit": 100}, timeout=60).json()["items"]
    by_name = {task["name"]: int(task["id"]) for task in found}
    named = {name: _name(name) for name in TUNED}
    named |= {name: document["name"] for name, (document, _) in ASKED.items()}
    named["v1"] = _V1["task_name"]
    return {sample: by_name[name] for sample, name in named.items()}


def put_back(home: Path) -> None:
    """Puts the sample that shows a running task back into its last launch."""
    with Store.open(home) as store, store.sessions.writing() as session:
        task = session.scalars(select(TaskRow).where(TaskRow.name == _name(RUNNING))).one()
        task.status, task.stop_reason, task.ended_at = "running", "", None
        task.launches, task.expected_wall_s = PLANNED_LAUNCHES, 4 * task.wall_s
        optimization = task.config["optimization"] | {"budget": {"experiments": PLANNED_LAUNCHES}}
        task.config = task.config | {"optimization": optimization}
        task.worker = "l40s-7"
        of_task = ExperimentRow.task_id == task.id
        newest = select(ExperimentRow).where(of_task).order_by(ExperimentRow.idx.desc()).limit(1)
        last = session.scalars(newest).one()
        last.status, last.ended_at, last.frontier_points = "running", None, 0
        last.cut_short, last.measure_s = None, None
        last.actual_throughput_tok_s = last.actual_ttft_ms = last.actual_tpot_ms = None
        last.actual_latency_p90_ms, last.is_on_actual_frontier = None, False
        levels = [level.id for level in last.measurements[_LEFT_OPEN:]]
        load = {"kind": "concurrency", "value": last.measurements[_LEFT_OPEN].load_value}
        session.execute(delete(MeasurementRow).where(MeasurementRow.id.in_(levels)))
        ended = {"experiment_ended", "task_ended", "released"}
        rows = session.scalars(select(EventRow).where(EventRow.task_id == task.id))
        for event in rows.all():
            later = event.payload.get("index") == last.idx and event.kind == "level_measured"
            if event.kind == "experiment_ended" and event.payload.get("index") != last.idx:
                continue
            if event.kind in ended or (later and event.payload["load"]["value"] >= load["value"]):
                session.delete(event)
        progress = {"index": last.idx, "load": load, "completed": 37, "wanted": 64, "left_s": 4.0}
        session.add(
            EventRow(task_id=task.id, at=last.started_at, kind="level_progress", payload=progress)
        )


def _name(sample: str) -> str:
    lines = (FOLDER / f"{sample}.yaml").read_text("utf-8").splitlines()
    return next(line.removeprefix("name: ") for line in lines if line.startswith("name: "))


def _answer(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
