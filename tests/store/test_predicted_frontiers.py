"""The predicted frontier of a task is kept with it, and goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autotuner.config import LoadLevel
from autotuner.predict import Prediction
from autotuner.store import Store
from autotuner.store.predicted_frontiers import PredictedFrontier

POINT = Prediction(
    *("a", LoadLevel.rate(2.5), 120.5, 1 / 3, 800.0, 2, 64.0, 0.5, 0.25, 0.125, "roofline-1"),
    note="queueing",
    e2e_p90_ms=180.5,
    percentiles_from="a test",
)
FRONTIER = PredictedFrontier(
    (POINT, replace(POINT, load=LoadLevel.concurrency(8))), {"a": {"parallel.tensor_parallel": 2}}
)


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def task_id(store: Store) -> int:
    made = store.tasks.create(
        name="t",
        content_id="c0ffee",
        config={"version": 2},
        model="m",
        engine="vllm",
        engine_version="1",
        device="d",
        plan={},
    )
    return made.id


def test_a_frontier_comes_back_as_it_was_predicted(store: Store, task_id: int) -> None:
    assert store.predicted_frontiers.of_task(task_id) is None
    store.predicted_frontiers.keep(task_id, FRONTIER)
    assert store.predicted_frontiers.of_task(task_id) == FRONTIER


def test_the_newest_plan_counts_and_may_be_empty(store: Store, task_id: int) -> None:
    store.predicted_frontiers.keep(task_id, FRONTIER)
    store.predicted_frontiers.keep(task_id, PredictedFrontier((), {}))
    assert store.predicted_frontiers.of_task(task_id) == PredictedFrontier((), {})


@pytest.mark.parametrize("way", ["restart", "delete"])
def test_a_frontier_goes_with_what_was_measured(store: Store, task_id: int, way: str) -> None:
    store.predicted_frontiers.keep(task_id, FRONTIER)
    store.tasks.end(task_id, status="completed", reason="", add_wall_s=0.0)
    if way == "restart":
        store.tasks.act(task_id, "restart")
    else:
        store.tasks.delete(task_id)
    assert store.predicted_frontiers.of_task(task_id) is None
