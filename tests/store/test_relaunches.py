"""Further launches of an experiment: what they measured is kept with their end, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import LoadLevel
from autotuner.errors import StoreError
from autotuner.measure import Measurement
from autotuner.store import ExperimentRecord, Store

TASK: dict[str, Any] = {
    "name": "twice",
    "content_id": "c",
    "config": {},
    "status": "running",
    "model": "m",
    "engine": "e",
    "engine_version": "1",
    "device": "cpu",
    "plan": {"candidates": 3, "confirm_launches": 2, "baseline_launches": 1},
}
BEGIN: dict[str, Any] = {"launch": 2, "selection_reason": "is it so again?", "log_path": "2.log"}
END: dict[str, Any] = {"failure": None, "startup_s": 1.0, "measure_s": 2.0, "began_s": 30.0}


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def first(store: Store) -> ExperimentRecord:
    """A finished experiment with one level."""
    task = store.tasks.create(**TASK)
    begun = store.begin_experiment(
        task.id,
        candidate_id="a",
        settings={},
        command="serve",
        log_path="1.log",
        selection_reason="the first",
        phase="grid",
    )
    store.add_measurement(begun.id, level(1))
    done = {"status": "completed", "failure": None, "startup_s": 1.0, "measure_s": 2.0}
    store.finish_experiment(begun.id, **done)
    return read(store)


def level(launch: int) -> Measurement:
    return Measurement(
        load=LoadLevel.concurrency(1),
        duration_s=1.0,
        requests_completed=2,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=10.0 * launch,
        requests_s=1.0,
        input_tokens=8,
        output_tokens=4,
        launch=launch,
    )


def read(store: Store) -> ExperimentRecord:
    return store.experiments(1)[0]


def test_what_it_measured_is_the_experiments_when_it_has_ended(
    store: Store, first: ExperimentRecord
) -> None:
    store.begin_relaunch(first.id, **BEGIN)
    assert [one.status for one in read(store).relaunches] == ["running"]
    assert [m.launch for m in read(store).measurements] == [1]
    store.finish_relaunch(first.id, 2, **END, measured=[level(2)])
    found = read(store)
    assert [m.launch for m in found.measurements] == [1, 2]
    (again,) = found.relaunches
    assert (again.launch, again.status, again.began_s, again.log_path) == (
        *(2, "completed", 30.0, "2.log"),
    )
    assert found == store.experiment(first.id)


def test_a_failed_one_says_why_and_measures_nothing(store: Store, first: ExperimentRecord) -> None:
    store.begin_relaunch(first.id, **BEGIN)
    failure = ("out_of_memory", "too large", "alloc failed")
    store.finish_relaunch(first.id, 2, **END | {"failure": failure})
    found = read(store)
    assert [m.launch for m in found.measurements] == [1]
    assert (found.relaunches[0].status, found.relaunches[0].failure_message) == (
        *("failed", "too large"),
    )
    assert found.status == "completed"


def test_an_interrupted_one_leaves_nothing(store: Store, first: ExperimentRecord) -> None:
    store.begin_relaunch(first.id, **BEGIN)
    store.interrupt_running(1)
    assert read(store) == first
    store.begin_relaunch(first.id, **BEGIN)
    store.finish_relaunch(first.id, 2, **END, measured=[level(2)])
    assert len(read(store).measurements) == 2


def test_an_answer_that_was_lost_is_asked_for_again(store: Store, first: ExperimentRecord) -> None:
    for _ in range(2):
        store.begin_relaunch(first.id, **BEGIN)
    for _ in range(2):
        store.finish_relaunch(first.id, 2, **END, measured=[level(2)])
    assert len(read(store).measurements) == 2


def test_one_that_has_ended_takes_nothing_more(store: Store, first: ExperimentRecord) -> None:
    store.begin_relaunch(first.id, **BEGIN)
    store.finish_relaunch(first.id, 2, **END, measured=[level(2)])
    with pytest.raises(StoreError, match="launch 2 of experiment 1 has ended"):
        store.begin_relaunch(first.id, **BEGIN)
    with pytest.raises(StoreError, match="is not running"):
        store.finish_relaunch(first.id, 2, **END | {"measure_s": 3.0}, measured=[level(2)])
    with pytest.raises(StoreError, match="is not running"):
        store.finish_relaunch(first.id, 3, **END)


def test_it_goes_with_its_task(store: Store, first: ExperimentRecord) -> None:
    store.begin_relaunch(first.id, **BEGIN)
    store.tasks.end(1, status="completed", reason="", add_wall_s=0.0)
    store.tasks.delete(1)
    assert store.experiment(first.id) is None
