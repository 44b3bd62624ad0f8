"""A task sent by HTTP is tuned on the real engine, whoever dies meanwhile; on both databases."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_port

AUTOTUNER = (sys.executable, "-m", "autotuner")
WAIT_S = 240.0
TASK: dict[str, Any] = {
    "version": 2,
    "name": "small",
    "model": {"id": "smollm2-135m"},
    "runtime": {"isl": 16, "osl": 8},
    "scheduling": {"max_running_requests": [1, 2]},
    "memory": {"max_model_len": 64},
    "attention": {"backend": "flash"},
    "misc": {"threads": 1},
    "benchmark": {
        "concurrency": [1, 2],
        "requests_per_level": 4,
        "duration_per_level_s": 60,
        "warmup_requests": 1,
        "cut_short": False,
    },
    "optimization": {"strategy": "grid", "baseline": "none", "confirm": 0},
}


class Team:
    """Processes of the real command on one home and one database."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.folder = folder
        named = {} if database is None else {"AUTOTUNER_DATABASE": database}
        self.environment = os.environ | {"AUTOTUNER_HOME": str(folder / "home")} | named
        self.port = free_port()
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v2", timeout=30)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{len(self.started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*AUTOTUNER, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
            )
        self.started.append(process)
        return process

    def serve(self, *words: str) -> subprocess.Popen[bytes]:
        process = self.start("serve", "--port", str(self.port), *words)
        self.wait(lambda: self.asked("/system/") is not None, "the service")
        return process

    def asked(self, path: str) -> Any:
        with contextlib.suppress(httpx.TransportError):
            answer = self.api.get(path)
            return answer.json() if answer.status_code == 200 else None

    def task(self) -> dict[str, Any]:
        found: dict[str, Any] = self.asked("/tasks/1") or {"status": "", "experiments": {}}
        return found

    def wait(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < deadline, f"did not come: {what}\n{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        return "\n".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))

    def events(self) -> list[dict[str, Any]]:
        text = self.api.get("/tasks/1/events", params={"follow": "false"}).text
        lines = (line.partition("data: ")[2] for line in text.splitlines())
        return [json.loads(line) for line in lines if line]

    def finished_well(self) -> None:
        """Everything is measured, each candidate once, and the frontier's commands are told."""
        self.wait(lambda: self.task()["status"] == "completed", "the end of the task")
        experiments = self.asked("/tasks/1/experiments")["items"]
        assert [e["status"] for e in experiments] == ["completed", "completed"]
        ended = [event for event in self.events() if event["kind"] == "experiment_ended"]
        assert sorted(event["payload"]["index"] for event in ended) == [1, 2]
        (best, *_) = self.asked("/tasks/1/frontier?kind=actual")["actual"]
        assert "llamacpp_host" in best["command"]


@pytest.fixture
def team(tmp_path: Path, database: str | None) -> Iterator[Team]:
    made = Team(tmp_path, database)
    yield made
    made.api.close()
    for process in made.started:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_service_that_is_killed_finishes_its_task_when_it_is_started_again(team: Team) -> None:
    service = team.serve()
    posted = team.api.post("/tasks/", params={"start": "true"}, json=TASK)
    assert posted.status_code == 201, posted.text
    kinds: list[str] = []
    with team.api.stream("GET", "/tasks/1/events", timeout=WAIT_S) as live:
        for line in live.iter_lines():
            kinds += [line.partition("event: ")[2]] if line.startswith("event: ") else []
            if "experiment_ended" in kinds:
                break
    assert kinds[:2] == ["created", "claimed"]
    assert "level_measured" in kinds
    service.send_signal(signal.SIGKILL)
    service.wait()
    team.serve()
    team.finished_well()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_two_workers_one_is_killed_and_the_other_finishes_its_task(team: Team) -> None:
    team.serve("--no-worker")
    workers = {name: team.start("worker", "--name", name) for name in ("one", "two")}
    team.wait(lambda: len(living(team)) == 2, "both workers")
    team.api.post("/tasks/", params={"start": "true"}, json=TASK).raise_for_status()
    team.wait(lambda: any(e["kind"] == "engine_ready" for e in team.events()), "an engine")
    first = team.task()["worker"]
    (name,) = (w["name"] for w in living(team) if w["id"] == first)
    workers[name].send_signal(signal.SIGKILL)
    workers[name].wait()
    team.finished_well()
    claims = [e["payload"]["worker"] for e in team.events() if e["kind"] == "claimed"]
    assert claims[0] == first
    assert claims[-1] != first


def living(team: Team) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (team.asked("/system/workers") or {"items": []})["items"]
    return found
