"""v1's rows of a task that runs as a v2 task, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from test_results import level
from v1_examples import v1_task

from autotuner.migrate import mirror, translate_task
from autotuner.store import Store, TaskRecord
from autotuner.store.v1 import V1Experiments, V1TaskRecord, V1Tasks


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


def created(store: Store, **changes: Any) -> V1TaskRecord:
    document = v1_task(parameters={"tp-size": [1, 2, 4]}, **changes)
    made = V1Tasks(store.sessions).create(
        {
            "task_name": document["task_name"],
            "deployment_mode": "local",
            "model_config": document["model"],
            "base_runtime": document["base_runtime"],
            "parameters": document["parameters"],
            "optimization_config": document["optimization"],
            "benchmark_config": document["benchmark"],
            "slo_config": document.get("slo"),
        }
    )
    assert made is not None
    return made


def run_of(store: Store, v1: V1TaskRecord) -> TaskRecord:
    task = translate_task(v1_task(parameters=v1.parameters)).task
    made = store.tasks.create(
        name=v1.task_name,
        description="",
        content_id=f"content {v1.id}",
        config=task,
        model="m",
        engine="sglang",
        requested_gpu="",
        requested_gpus=0,
        origin="v1",
        v1_task_id=v1.id,
        status="queued",
    )
    lease = store.tasks.claim("one", gpu="cpu", gpus=1)
    assert lease is not None
    return made


def launched(store: Store, run: TaskRecord, width: int, *e2e_ms: float) -> int:
    """An experiment, finished where it has levels."""
    begun = store.begin_experiment(
        run.id,
        candidate_id=f"tp{width}",
        settings={"system.backend": "sglang", "parallel.tensor_parallel": width},
        command="sglang serve",
        selection_reason="next in the grid",
        phase="grid",
        log_path="x.log",
    )
    for concurrency, mean in enumerate(e2e_ms, start=1):
        store.add_measurement(begun.id, level(concurrency, e2e_ms=mean, tok_s=1e5 / mean))
    if e2e_ms:
        store.finish_experiment(
            begun.id, status="completed", failure=None, startup_s=1.0, measure_s=2.0
        )
    return begun.id


def rows(store: Store, v1: V1TaskRecord) -> tuple[V1TaskRecord, tuple[Any, ...]]:
    task = V1Tasks(store.sessions).get(v1.id)
    assert task is not None
    return task, tuple(reversed(V1Experiments(store.sessions).of_task(v1.id)))


def test_a_run_is_written_into_v1s_rows_and_again_without_change(store: Store) -> None:
    v1 = created(store)
    run = run_of(store, v1)
    launched(store, run, 1, 2000, 3000)
    launched(store, run, 2, 500, 600)
    launched(store, run, 4)
    mirror(store, run.id)
    task, experiments = rows(store, v1)
    assert (task.status, task.successful_experiments) == ("RUNNING", 2)
    assert [e.status for e in experiments] == ["SUCCESS", "SUCCESS", "DEPLOYING"]
    assert [e.parameters for e in experiments] == [{"tp-size": 1}, {"tp-size": 2}, {"tp-size": 4}]
    store.add_event(run.id, "engine_ready", {"index": 3, "startup_s": 1.0})
    mirror(store, run.id)
    task, experiments = rows(store, v1)
    assert experiments[2].status == "BENCHMARKING"
    assert experiments[0].metrics["num_result_files"] == 2
    assert task.best_experiment_id == experiments[1].id
    assert experiments[0].completed_at is not None
    mirror(store, run.id)
    assert rows(store, v1) == (task, experiments)


def test_an_experiment_that_was_taken_back_is_no_longer_shown(store: Store) -> None:
    v1 = created(store)
    run = run_of(store, v1)
    launched(store, run, 1, 2000)
    launched(store, run, 2)
    mirror(store, run.id)
    store.interrupt_running(run.id)
    mirror(store, run.id)
    _, experiments = rows(store, v1)
    assert [e.parameters for e in experiments] == [{"tp-size": 1}]


def test_the_end_is_written_without_a_lease(store: Store) -> None:
    v1 = created(store)
    run = run_of(store, v1)
    launched(store, run, 1, 2000)
    store.tasks.set_status(run.id, status="completed", stop_reason="done", add_wall_s=3.0)
    mirror(store.fenced(run.id, 1), run.id)
    task, _ = rows(store, v1)
    assert task.status == "COMPLETED"
    assert task.elapsed_time == 3.0
    assert task.completed_at is not None


def test_a_hard_limit_that_is_missed_fails_the_experiment(store: Store) -> None:
    limit = {"threshold": 0.1, "weight": 1.0, "hard_fail": True}
    v1 = created(store, slo={"latency": {"p90": limit}})
    run = run_of(store, v1)
    launched(store, run, 1, 2000)
    store.tasks.set_status(run.id, status="completed", stop_reason="done", add_wall_s=3.0)
    mirror(store, run.id)
    task, experiments = rows(store, v1)
    assert task.status == "FAILED"
    assert experiments[0].status == "FAILED"
    assert experiments[0].objective_score == 1000


def test_a_run_that_another_has_followed_writes_nothing(store: Store) -> None:
    v1 = created(store)
    first = run_of(store, v1)
    second = run_of(store, v1)
    launched(store, first, 1, 2000)
    mirror(store, second.id)
    mirror(store, first.id)
    assert rows(store, v1)[1] == ()


def test_tasks_of_another_origin_are_left_alone(store: Store) -> None:
    run = store.tasks.create(
        name="cli",
        content_id="c",
        config={},
        model="m",
        engine="e",
        engine_version="",
        device="cpu",
        plan={},
    )
    mirror(store, run.id)
    assert V1Tasks(store.sessions).page(skip=0, limit=10, status=None) == ()


def test_writers_at_once_agree(store: Store) -> None:
    v1 = created(store)
    run = run_of(store, v1)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(mirror, store, run.id) for _ in range(8)]
        launched(store, run, 1, 1000.0)
        writers += [pool.submit(mirror, store, run.id) for _ in range(8)]
        for writer in writers:
            writer.result()
    task, experiments = rows(store, v1)
    assert [e.status for e in experiments] == ["SUCCESS"]
    assert task.best_experiment_id == experiments[0].id
