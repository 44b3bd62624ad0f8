"""The example database of version 1: built by the documented command, moved with its results."""

from __future__ import annotations

import json
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from moves import compared, moved
from v1_examples import example

from autotuner.store import Store

ROOT = Path(__file__).parents[2]


def build(path: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command that docs/migration.md has, with another path."""
    text = (ROOT / "docs" / "migration.md").read_text("utf-8")
    command = next(part for part in text.split("`") if part.startswith("python examples/v1/"))
    program, script, _ = shlex.split(command)
    assert program == "python"
    words = [sys.executable, ROOT / script, path]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def v1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("example") / "v1.db"
    done = build(path)
    assert done.returncode == 0, done.stderr
    return path


def test_it_is_moved_with_its_measurements(v1: Path, store: Store) -> None:
    report = moved(v1, store)
    assert report.units["tasks"] == {"moved": 3}
    assert report.rows["measurements"] == 9
    assert compared(v1, store).differences == []
    tasks = {task.name: task for task in store.tasks.all()}
    assert {name: task.status for name, task in tasks.items()} == {
        "simple": "completed",
        "slo": "completed",
        "vllm_bayesian": "pending",
    }
    experiments = store.experiments(tasks["slo"].id)
    assert [one.status for one in experiments] == ["completed", "failed"]
    ttft_ms = [level.ttft_ms for level in experiments[0].measurements]
    assert [ttft and round(ttft.mean, 1) for ttft in ttft_ms] == [23.1, 30.8, 57.2]


def test_its_tasks_are_those_of_the_task_files(v1: Path) -> None:
    columns = {
        "model": "model_config",
        "parameters": "parameters",
        "optimization": "optimization_config",
        "benchmark": "benchmark_config",
    }
    with closing(sqlite3.connect(v1)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM tasks").fetchall()
    for row in rows:
        document = example(row["task_name"])
        for key, column in columns.items():
            assert json.loads(row[column]) == document[key]


def test_a_file_that_is_there_stays(v1: Path) -> None:
    before = v1.read_bytes()
    done = build(v1)
    assert (done.returncode, "is there already" in done.stderr) == (1, True)
    assert v1.read_bytes() == before
