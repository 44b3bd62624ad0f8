"""What is finished is read once, and stands where it was said to stand last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import level

from autotuner.measure import Measurement
from autotuner.store import Standing, Store
from autotuner.tuning.history import History

RUN: dict[str, Any] = {
    "name": "t", "content_id": "c", "config": {}, "model": "m", "engine": "e",
    "engine_version": "1", "device": "cpu", "plan": {},
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


def begin(store: Store, task_id: int, key: str) -> int:
    return store.begin_experiment(
        task_id, candidate_id=key, settings={}, command="c", selection_reason="r", phase="p",
        log_path="l",
    ).id  # fmt: skip


def finish(store: Store, experiment_id: int) -> None:
    store.add_measurement(experiment_id, level(1, 10.0, 5.0))
    store.finish_experiment(
        experiment_id, status="completed", failure=None, startup_s=1.0, measure_s=1.0
    )


def test_each_measurement_is_validated_once_however_often_it_is_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated: list[object] = []
    validate = Measurement.model_validate_json

    def counted(document: str, **how: Any) -> Measurement:
        validated.append(document)
        return validate(document, **how)

    monkeypatch.setattr(Measurement, "model_validate_json", counted)
    run, history = store.tasks.create(**RUN), History()
    for number in range(6):
        finish(store, begin(store, run.id, f"c{number}"))
        for _ in range(3):
            assert [e.index for e in history.read(store, run.id)] == list(range(1, number + 2))
    assert len(validated) == 6


def test_what_ends_in_another_order_is_shown_in_the_order_of_launch(store: Store) -> None:
    run, history = store.tasks.create(**RUN), History()
    first, second = begin(store, run.id, "a"), begin(store, run.id, "b")
    finish(store, second)
    assert [e.candidate_id for e in history.read(store, run.id)] == ["b"]
    finish(store, first)
    assert [e.candidate_id for e in history.read(store, run.id)] == ["a", "b"]


def test_standings_and_runs_are_kept_apart(store: Store) -> None:
    run, history = store.tasks.create(**RUN), History()
    done = begin(store, run.id, "a")
    finish(store, done)
    history.read(store, run.id)
    standing = Standing(is_on_actual_frontier=True)
    store.set_standings({done: standing})
    history.stand({done: standing})
    assert history.read(store, run.id) == list(store.experiments(run.id))
    other = store.tasks.create(**RUN | {"content_id": "other"})
    assert history.read(store, other.id) == []
