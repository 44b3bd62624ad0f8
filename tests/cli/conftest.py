"""The real command, in this process or one of its own, and small tasks on a fake engine."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import COMMAND, REPLAYED_LEVELS, Done, Run, WriteTask

from autotuner.cli import main
from autotuner.landscapes import landscape_csv
from autotuner.testing.fake_engine import install_fake_engine
from autotuner.testing.made_up_landscape import made_up_landscape


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of all state; not there yet."""
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """That of the command."""
    return os.environ | {"AUTOTUNER_HOME": str(home), "COLUMNS": "80"}


@pytest.fixture
def run(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `autotuner WORDS…` to its end, in this process: starting one takes seconds.

    An error that the command does not tell is the test's.
    """

    def run_words(*words: str | Path) -> Done:
        argv = ["autotuner", *map(str, words)]
        stdout, stderr = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
            patch.setattr(sys, "argv", argv)
            for name in ("AUTOTUNER_HOME", "COLUMNS"):
                patch.setenv(name, environment[name])
            try:
                main()
            except SystemExit as stopped:
                code = stopped.code
        assert isinstance(code, int)
        return Done(argv, code, stdout.getvalue(), stderr.getvalue())

    return run_words


@pytest.fixture
def run_apart(environment: dict[str, str]) -> Run:
    """Runs `autotuner WORDS…` to its end in a process of its own."""

    def run_words(*words: str | Path, **options: Any) -> Done:
        argv = [*COMMAND, *map(str, words)]
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, env=environment, **options
        )

    return run_words


@pytest.fixture
def write_task(tmp_path: Path) -> WriteTask:
    """Writes a task of four candidates on a fake engine; `changes` replace top-level keys.

    All are launched at all levels. Nothing is predicted, which would measure the CPU in every new
    home.
    """

    def write(changes: Mapping[str, Any] | None = None, *flags: str) -> Path:
        fake = install_fake_engine(tmp_path / "bin", *(flags or ("--ttft-ms=5", "--tpot-ms=1")))
        task: dict[str, Any] = {
            "version": 2,
            "name": "small",
            "model": {"id": "smollm2-135m"},
            "engine_path": str(fake),
            "runtime": {"isl": 8, "osl": 4},
            "scheduling": {"max_running_requests": [1, 2]},
            "misc": {"threads": [1, 2]},
            "prediction": {"predictor": "none"},
            "optimization": {"strategy": "grid"},
            "benchmark": {
                "concurrency": [1, 2],
                "requests_per_level": 3,
                "duration_per_level_s": 20,
                "warmup_requests": 0,
                "cut_short": False,
            },
        }
        task |= changes or {}
        task["optimization"] = {"baseline": "none", "confirm": 0} | task["optimization"]
        path = tmp_path / "task.yaml"
        path.write_text(yaml.safe_dump(task, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def replay(tmp_path: Path) -> WriteTask:
    """Writes a made-up table and a task that replays it; `changes` replace top-level keys."""

    def write(changes: Mapping[str, Any] | None = None) -> Path:
        table = made_up_landscape(REPLAYED_LEVELS, noise_cv=0.03, startup_s=200)
        (tmp_path / "table.csv").write_text(landscape_csv(table), encoding="utf-8")
        task: dict[str, Any] = {
            "version": 2,
            "name": "small replay",
            "deployment_mode": "replay",
            "replay": {"landscape": "table.csv"},
            "optimization": {"strategy": "random"},
        }
        path = tmp_path / "replay.yaml"
        path.write_text(yaml.safe_dump(task | dict(changes or {})), encoding="utf-8")
        return path

    return write
