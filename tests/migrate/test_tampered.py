"""A value that was changed where it was moved to is found by comparing, with its place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from v1_database import built

from autotuner.migrate.database import Observer, UnitChoice, move, opened
from autotuner.migrate.database.comparison import MovedComparison
from autotuner.migrate.database.verify import verify
from autotuner.store import Store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return built(tmp_path / "v1.db", tasks=3, experiments=3)


@pytest.fixture
def store(tmp_path: Path, database: str | None, source: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "home", database) as opened_store:
        with opened(source) as v1:
            move(v1, opened_store, UnitChoice(), Observer(Path("/nonexistent")))
        yield opened_store


def compared(source: Path, store: Store) -> MovedComparison:
    with opened(source) as v1:
        return verify(v1, store, UnitChoice())


def set_json(column: str, *keys: Any, value: Any) -> Callable[[Any], dict[str, Any]]:
    """Sets a key of a document in a row."""

    def changed(row: Any) -> dict[str, Any]:
        found = json.loads(row[column]) if isinstance(row[column], str) else row[column]
        inside = found
        for key in keys[:-1]:
            inside = inside[key]
        inside[keys[-1]] = value
        return {column: json.dumps(found)}

    return changed


OURS = "SELECT * FROM tasks_v2 WHERE v1_task_id = 1"
LAUNCHED = "SELECT * FROM experiments_v2 WHERE task_id = 1 AND idx = 1"
OBSERVED = "SELECT * FROM observations WHERE task_id = 1 AND id = 1"
MEASURED = "SELECT * FROM measurements WHERE experiment_id = 1"
TAMPERED: dict[str, tuple[str, Any, str]] = {
    "a field of a task": (
        OURS,
        set_json("config", "optimization", "budget", "experiments", value=11),
        "task 1, version 2, config.optimization.budget.experiments: it is 11 here, and would be 10",
    ),
    "what a task keeps verbatim": (
        OURS,
        set_json("config", "metadata", "v1", "metadata", "checkpoint", value={}),
        "task 1, metadata.checkpoint.iteration: it is kept as None, and was 1",
    ),
    "a task's status": (
        OURS,
        lambda row: {"status": "failed"},
        "task 1, version 2, status: it is 'failed' here, and would be 'completed'",
    ),
    "an experiment's settings": (
        LAUNCHED,
        set_json("settings", "system.gpu_type", value="h200"),
        "task 1, experiment 1, version 2, settings.system.gpu_type: it is 'h200' here",
    ),
    "a measurement": (
        MEASURED,
        set_json("payload", "ttft_ms", "p99", value=1.5),
        "task 1, experiment 1, raw result 0, payload.ttft_ms.p99: it is 1.5 here",
    ),
    "a raw result": (
        MEASURED,
        set_json("payload", "original", "scenario", value="D(1,1)"),
        "task 1, experiment 1, raw result 0, payload.original.scenario: it is 'D(1,1)' here",
    ),
    "a measurement's column": (
        MEASURED,
        lambda row: {"tok_s": 1.0},
        "task 1, experiment 1, raw result 0, tok_s: it is 1.0 here",
    ),
    "a figure of an observation": (
        OBSERVED,
        lambda row: {"tok_s": 1.0},
        "task 1, observation 1, tok_s: it is 1.0 here, and would be 54.",
    ),
    "settings of an observation": (
        OBSERVED,
        set_json("settings", "system.gpu_type", value="h200"),
        "task 1, observation 1, settings.system.gpu_type: it is 'h200' here",
    ),
    "the prediction beside an observation": (
        OBSERVED,
        lambda row: {"base_ttft_ms": 1.5},
        "task 1, observation 1, digest: it is ",
    ),
    "the launch of an observation": (
        OBSERVED,
        lambda row: {"launch": "another"},
        "task 1, observation 1: the source has no such result of 'another'",
    ),
    "the load of an observation": (
        OBSERVED,
        lambda row: {"load_value": 2.0},
        "task 1, experiment 1: there is no observation of concurrency 1, and no note says why",
    ),
    "an experiment's task": (
        "SELECT * FROM experiments WHERE id = 1",
        lambda row: {"task_id": 2},
        "task 1, experiment 1, task_id: it is 2 here, and would be 1",
    ),
    "the best experiment": (
        "SELECT * FROM tasks WHERE id = 1",
        lambda row: {"best_experiment_id": 2},
        "task 1, best_experiment_id: it is 2 here, and would be 1",
    ),
    "a profile": (
        "SELECT * FROM profiles WHERE name = 'mine'",
        set_json("document", "description", value="another"),
        "preset 2, profile.description: it is 'another' here, and would be ''",
    ),
    "a preset": (
        "SELECT * FROM parameter_presets WHERE id = 2",
        lambda row: {"category": "another"},
        "preset 2, category: it is 'another' here, and None in the source",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_changed_value_is_found(name: str, source: Path, store: Store) -> None:
    query, change, expected = TAMPERED[name]
    assert compared(source, store).differences == []
    table, condition = query.removeprefix("SELECT * FROM ").split(" WHERE ")
    with store.sessions.writing() as session:
        row = session.execute(text(query)).mappings().first()
        [(column, value)] = change(row).items()
        tampered = f"UPDATE {table} SET {column} = :value WHERE {condition}"  # noqa: S608
        changed = f"{tampered} AND id = {row['id']}" if "id" in row else tampered
        session.execute(text(changed), {"value": value})
    found = compared(source, store)
    assert [line for line in found.differences if line.startswith(expected)], found.differences


def test_an_observation_that_is_gone_is_missed(source: Path, store: Store) -> None:
    observed = compared(source, store).found["observed"]
    with store.sessions.writing() as session:
        session.execute(text("DELETE FROM observations WHERE id = 1"))
    found = compared(source, store)
    [line] = found.differences
    assert line.startswith("task 1, experiment 1: there is no observation of ")
    assert found.found["observed"] == observed - 1


def test_further_experiments_of_a_task_are_found(source: Path, store: Store) -> None:
    with store.sessions.writing() as session:
        session.execute(text("UPDATE experiments SET task_id = 2 WHERE id = 1"))
    assert "task 2: experiments that the source has not: 1" in compared(source, store).differences


def test_numbers_that_are_others_here_refer_to_the_same_rows(
    source: Path, store: Store, tmp_path: Path
) -> None:
    other = built(tmp_path / "other.db", tasks=2, experiments=3)
    with sqlite3.connect(other) as v1:
        v1.execute("UPDATE tasks SET created_at = '2024-01-01 00:00:00'")
    with opened(other) as v1:
        move(v1, store, UnitChoice(), Observer(Path("/nonexistent")))
    assert compared(other, store).differences == []
    with store.sessions.writing() as session:
        best = "UPDATE tasks SET best_experiment_id = 1 WHERE id = 4"
        session.execute(text(best))
    [line] = compared(other, store).differences
    assert line.startswith("task 1, best_experiment_id: it is 1 here, and would be ")
