"""A task of version 1 with several traffic scenarios becomes a task of version 2 for each."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from moves import changed, compared, content, moved, undone
from sqlalchemy import text
from v1_database import built, metrics, raw_result

from autotuner.store import Store, TaskRecord
from autotuner.store.v1 import V1Tasks

SCENARIOS = ["D(512,128)", "N(480,240)/(300,150)"]


UNCOMPARED = {"parameter_presets", "events"}
"""Tables that tell of what is undone."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two tasks, of which the first has measured two scenarios at two levels each."""
    path = built(tmp_path / "v1.db", tasks=2, experiments=3)
    found = metrics(1)
    found["raw_results"] += [
        raw_result(7, concurrency) | {"scenario": SCENARIOS[1]} for concurrency in (1, 8)
    ]
    with closing(sqlite3.connect(path)) as connection:
        [row] = connection.execute("SELECT benchmark_config FROM tasks WHERE id = 1").fetchone()
        benchmark = json.dumps(json.loads(row) | {"traffic_scenarios": SCENARIOS})
        connection.execute("UPDATE tasks SET benchmark_config = ? WHERE id = 1", (benchmark,))
        good = "UPDATE experiments SET metrics = ? WHERE task_id = 1 AND status = 'SUCCESS'"
        connection.execute(good, (json.dumps(found),))
        connection.commit()
    return path


def parts(store: Store) -> list[TaskRecord]:
    """The tasks of version 2 that the first task became."""
    own = [task for task in store.tasks.all() if task.v1_task_id == 1]
    return sorted(own, key=lambda task: task.id)


def test_each_has_the_results_of_its_scenario(source: Path, store: Store) -> None:
    report = moved(source, store)
    assert report.rows["tasks_v2"] == 3
    first, further = parts(store)
    assert [task.config["benchmark"]["workload"] for task in (first, further)] == SCENARIOS
    assert further.name == f"{first.name} {SCENARIOS[1]}"
    assert further.config["metadata"]["v1_scenario"] == SCENARIOS[1]
    assert "v1_scenario" not in first.config.get("metadata", {})
    for task, scenario in zip((first, further), SCENARIOS, strict=True):
        launched = store.experiments(task.id)
        assert len(launched) == 3
        for one in launched:
            found = [level.original for level in one.measurements]
            assert [level["scenario"] for level in found if level] == [scenario] * len(found)
            assert len(found) == (2 if one.status == "completed" else 0)
    assert V1Tasks(store.sessions).run_of(1) == first.id
    with store.sessions.reading() as session:
        query = "SELECT task_id, count(*) AS many FROM observations GROUP BY task_id"
        counts = {row.task_id: row.many for row in session.execute(text(query))}
    assert counts[first.id] == counts[further.id] > 0


def test_they_are_compared_recognised_moved_anew_and_undone_together(
    source: Path, store: Store
) -> None:
    before = content(store)
    moved(source, store)
    numbers = [task.id for task in parts(store)]
    assert compared(source, store).differences == []
    assert moved(source, store).units["tasks"] == {"same": 2}
    changed(source, "UPDATE tasks SET description = 'another' WHERE id = 1")
    assert moved(source, store).units["tasks"] == {"same": 1, "changed": 1}
    assert [task.id for task in parts(store)] == numbers
    assert [task.config["description"] for task in parts(store)] == ["another", "another"]
    assert compared(source, store).differences == []
    with store.sessions.writing() as session:
        change = "UPDATE measurements SET tok_s = 1.0 WHERE experiment_id IN "
        own = "(SELECT id FROM experiments_v2 WHERE task_id = :task AND idx = 1)"
        session.execute(text(change + own), {"task": numbers[1]})
    [*lines] = compared(source, store).differences
    assert lines
    assert all(f"task 1, {SCENARIOS[1]}, experiment 1" in line for line in lines)
    while store.migrations.all():
        undone(store)
    after = content(store)
    assert {name: after[name] for name in after if name not in UNCOMPARED} == {
        name: before[name] for name in before if name not in UNCOMPARED
    }


def test_a_further_one_that_was_worked_on_is_left(source: Path, store: Store) -> None:
    moved(source, store)
    with store.sessions.writing() as session:
        worked = "UPDATE tasks_v2 SET queued_at = '2026-01-01 00:00:00' WHERE id = :number"
        session.execute(text(worked), {"number": parts(store)[1].id})
    changed(source, "UPDATE tasks SET description = 'another' WHERE id = 1")
    assert moved(source, store).units["tasks"] == {"same": 1, "worked_on": 1}


def test_a_scenario_that_was_never_measured_waits(source: Path, store: Store) -> None:
    changed(
        source,
        "UPDATE experiments SET metrics = ? WHERE task_id = 1 AND status = 'SUCCESS'",
        json.dumps(metrics(1)),
    )
    moved(source, store)
    first, further = parts(store)
    assert (first.status, further.status) == ("completed", "pending")
    assert (len(store.experiments(first.id)), store.experiments(further.id)) == (3, ())
    assert compared(source, store).differences == []


def test_a_scenario_that_is_none_leaves_one_task(source: Path, store: Store) -> None:
    odd = json.dumps({"traffic_scenarios": ["D(8,4)", "E(64)"], "num_concurrency": [1]})
    changed(source, "UPDATE tasks SET benchmark_config = ? WHERE id = 1", odd)
    moved(source, store)
    assert len(parts(store)) == 1
    assert compared(source, store).differences == []
