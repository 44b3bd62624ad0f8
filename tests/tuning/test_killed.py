"""A tuner that is killed or told to stop loses nothing that was finished and leaves no engine."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotuner.store import ExperimentRecord, Standing, Store
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.testing.processes import MARK, processes

COMMAND = (sys.executable, "-m", "autotuner")
CANDIDATES, LEVELS = 6, 2
TASK = """
version: 2
name: to be killed
model: {{id: smollm2-135m}}
engine_path: {fake}
runtime: {{isl: 8, osl: 4}}
scheduling: {{max_running_requests: [1, 2, 3]}}
misc: {{threads: [1, 2]}}
prediction: {{predictor: none}}
optimization: {{strategy: grid, baseline: none, confirm: 0}}
benchmark:
  concurrency: [1, 2]
  requests_per_level: 4
  duration_per_level_s: 20
  warmup_requests: 0
"""


class Tuning:
    """One task and one home, tuned by call after call of the real command."""

    def __init__(self, folder: Path) -> None:
        fake = install_fake_engine(folder / "bin", "--ttft-ms=5", "--tpot-ms=1")
        self.task = folder / "task.yaml"
        self.task.write_text(TASK.format(fake=fake), encoding="utf-8")
        self.home = folder / "home"
        self.mark = uuid.uuid4().hex

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, "tune", str(self.task), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"AUTOTUNER_HOME": str(self.home), MARK: self.mark},
        )

    def finish(self) -> dict[str, Any]:
        """Runs the command to its end."""
        message, errors = (process := self.start()).communicate()
        assert process.returncode == 0, errors
        shown: dict[str, Any] = json.loads(message)
        return shown

    def answer(self, command: str) -> dict[str, Any]:
        """What `tasks` or `show` say."""
        environment = os.environ | {"AUTOTUNER_HOME": str(self.home)}
        argv = [*COMMAND, command, "--json"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, env=environment)
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown

    def left(self) -> dict[int, str]:
        """Marked processes that are still there once a dead tuner's engine had time to end."""
        deadline = time.monotonic() + 20
        while (found := processes(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def finished(self) -> dict[str, ExperimentRecord]:
        """The finished experiments in the store; none where no run was begun yet."""
        if not (self.home / "autotuner.db").exists():
            return {}
        with Store.open(self.home) as store:
            runs = store.tasks.all()
            assert len(runs) <= 1, "the same command goes on with its run"
            experiments = [e for run in runs for e in store.experiments(run.id)]
        done = [e for e in experiments if e.status in ("completed", "failed")]
        assert len({e.candidate_id for e in done}) == len(done), "one was measured twice"
        # Where one stands changes with what others bring.
        return {e.candidate_id: replace(e, standing=Standing()) for e in done}


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(0, 2), *(pytest.param(seed, 5, marks=pytest.mark.slow) for seed in range(4))],
)
@pytest.mark.slow
def test_a_killed_tuner_goes_on_where_it_was(seed: int, kills: int, tmp_path: Path) -> None:
    tuning, moments = Tuning(tmp_path), random.Random(seed)
    kept: dict[str, ExperimentRecord] = {}
    for _ in range(kills):
        process = tuning.start()
        time.sleep(moments.uniform(0.1, 2.5))
        process.kill()
        process.communicate()
        assert tuning.left() == {}, "an engine has outlived its tuner"
        now = tuning.finished()
        assert {name: now.get(name) for name in kept} == kept, "a finished experiment changed"
        kept = now
    shown = tuning.finish()
    assert tuning.left() == {}
    assert [e["status"] for e in shown["experiments"]] == ["completed"] * CANDIDATES
    assert all(len(e["measurements"]) == LEVELS for e in shown["experiments"])
    end = tuning.finished()
    assert len(end) == CANDIDATES
    assert {name: end[name] for name in kept} == kept, "a finished experiment was measured again"


@pytest.mark.slow
def test_a_run_whose_tuner_was_killed_is_shown_as_interrupted(tmp_path: Path) -> None:
    tuning = Tuning(tmp_path)
    process = tuning.start()
    assert process.stderr is not None
    while "[2/6]" not in (line := process.stderr.readline()):
        assert line, "the run has ended early"
    # Stopped, so that it does not end while the other command starts.
    process.send_signal(signal.SIGSTOP)
    assert tuning.answer("tasks")["tasks"][0]["status"] == "running"
    process.kill()
    process.communicate()
    assert tuning.answer("tasks")["tasks"][0]["status"] == "interrupted"
    shown = tuning.answer("show")
    assert shown["task"]["status"] == "interrupted"
    assert {e["status"] for e in shown["experiments"]} <= {"completed", "cancelled"}


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_a_tuner_that_is_asked_to_stop_says_what_it_keeps(number: int, tmp_path: Path) -> None:
    tuning = Tuning(tmp_path)
    process = tuning.start()
    assert process.stderr is not None
    while "[2/6]" not in (line := process.stderr.readline()):
        assert line, "the run has ended early"
    process.send_signal(number)
    message, answer = process.communicate()
    assert process.returncode == 130
    kept = tuning.finished()
    assert f"{len(kept)} finished experiments are kept in task 1" in answer
    assert json.loads(message)["task"]["status"] == "interrupted"
    assert tuning.left() == {}
    assert 1 <= len(kept) < CANDIDATES
    shown = tuning.finish()
    assert shown["task"]["status"] == "completed"
    assert {name: tuning.finished()[name] for name in kept} == kept
