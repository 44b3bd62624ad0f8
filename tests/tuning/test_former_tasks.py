"""Tasks that ended before lists had best points are given them, once, whatever else is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, opened
from sqlalchemy import update

from autotuner.store.listing import task_items
from autotuner.store.schema import ExperimentRow, TaskRow
from autotuner.tuning import former_tasks
from autotuner.tuning.former_tasks import FormerTasks


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


def change(bench: Bench, row: type[Any], **values: Any) -> None:
    with bench.store.sessions.writing() as session:
        session.execute(update(row).values(**values))


def best(bench: Bench, task_id: int) -> Any:
    return json.loads(task_items(bench.store.sessions, [task_id])[task_id])["best"]


def test_a_former_task_stands_as_one_of_this_version(bench: Bench) -> None:
    summary, _ = bench.tune()
    task_id = summary.task.id
    expected = best(bench, task_id)
    before = {e.id: e.standing for e in bench.store.experiments(task_id)}
    change(bench, TaskRow, best=None)
    change(bench, ExperimentRow, frontier_points=0)
    FormerTasks(bench.store).settle()
    assert expected is not None
    assert best(bench, task_id) == expected
    assert {e.id: e.standing for e in bench.store.experiments(task_id)} == before


def test_a_task_that_goes_on_or_cannot_be_read_is_left_alone(bench: Bench) -> None:
    summary, _ = bench.tune()
    change(bench, TaskRow, best=None, status="running")
    FormerTasks(bench.store).settle()
    assert best(bench, summary.task.id) is None
    change(bench, TaskRow, status="completed", config={"version": 2, "nonsense": True})
    FormerTasks(bench.store).settle()
    assert best(bench, summary.task.id) is None


def test_all_are_reached_some_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(former_tasks, "AT_ONCE", 1)
    ids = [bench.tune(changes={"name": name})[0].task.id for name in ("a", "b")]
    ids.append(bench.tune(changes={"runtime": {"isl": 9, "osl": 4}})[0].task.id)
    change(bench, TaskRow, best=None)
    former = FormerTasks(bench.store)
    for _ in set(ids):
        former.settle()
    assert all(best(bench, task_id) is not None for task_id in ids)
