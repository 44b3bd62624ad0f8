"""The real command in a process of its own, and small tasks on a fake engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from autotuner.testing.fake_engine import install_fake_engine

COMMAND = (sys.executable, "-m", "autotuner")
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
WriteTask = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of all state; not there yet."""
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """That of the command."""
    return os.environ | {"AUTOTUNER_HOME": str(home), "COLUMNS": "80"}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Runs `autotuner WORDS…` to its end."""

    def run_words(*words: str | Path, **options: Any) -> Done:
        argv = [*COMMAND, *map(str, words)]
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, env=environment, **options
        )

    return run_words


@pytest.fixture
def write_task(tmp_path: Path) -> WriteTask:
    """Writes a task of four candidates on a fake engine; `changes` replace top-level keys.

    Nothing is predicted, which would measure the CPU in every new home.
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
            "benchmark": {
                "concurrency": [1, 2],
                "requests_per_level": 3,
                "duration_per_level_s": 20,
                "warmup_requests": 0,
            },
        }
        task |= changes or {}
        path = tmp_path / "task.yaml"
        path.write_text(yaml.safe_dump(task, sort_keys=False), encoding="utf-8")
        return path

    return write
