"""Predictions and observations are kept, each once, and old databases are taken on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, make_url

from autotuner.config import LoadLevel
from autotuner.errors import StoreError
from autotuner.predict import Observation, Prediction
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.store.database import FILE_NAME, connected
from autotuner.store.upgrades import migrate

RUN: dict[str, Any] = {
    "name": "run",
    "content_id": "c0ffee",
    "config": {"version": 2},
    "model": "m",
    "engine": "vllm",
    "engine_version": "1",
    "device": "1 x h100_sxm",
    "plan": {},
}
EXPERIMENT: dict[str, Any] = {
    "settings": {},
    "command": "vllm serve",
    "selection_reason": "",
    "phase": "grid",
    "log_path": "",
}
DONE: dict[str, Any] = {"status": "completed", "failure": None, "startup_s": 1, "measure_s": 2}
BASE = Prediction(
    *("a", LoadLevel.concurrency(1), 120.5, 1 / 3, 800.0, 2, 64.0, 0.5, 0.25, 0.125, "roofline-1"),
    memory_gib=12.5,
    power_w=None,
    note="queueing",
    ttft_p99_ms=300.25,
    percentiles_from="the requests of a test",
)
SEEN = Observation(
    *("m", "LlamaForCausalLM", "vllm", "0.11", "h100_sxm", 2, {"parallel.tensor_parallel": 2}),
    *(512.5, 64, LoadLevel.concurrency(8), 120.0, 1 / 3, 600.0, "roofline-1", 90.0, 10.0, "launch"),
    at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    percentiles={"e2e_p90_ms": 150.5},
)


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def run(store: Store) -> TaskRecord:
    return store.tasks.create(**RUN)


def begin(store: Store, run: TaskRecord) -> ExperimentRecord:
    return store.begin_experiment(run.id, candidate_id="a", **EXPERIMENT)


def test_predictions_come_back_as_they_were_made(store: Store, run: TaskRecord) -> None:
    begun = begin(store, run)
    assert (begun.base, begun.calibrated, begun.unpredicted) == ((), (), None)
    base = (BASE, replace(BASE, load=LoadLevel.concurrency(8)))
    calibrated = tuple(replace(point, ttft_ms=99.0, source="calibrated") for point in base)
    store.add_predictions(begun.id, base=base, calibrated=calibrated)
    (kept,) = store.experiments(run.id)
    assert (kept.base, kept.calibrated, kept.unpredicted) == (base, calibrated, None)


def test_why_nothing_was_predicted_comes_back(store: Store, run: TaskRecord) -> None:
    store.add_predictions(begin(store, run).id, unpredicted="an unknown model")
    assert store.experiments(run.id)[0].unpredicted == "an unknown model"


def test_an_experiment_begun_anew_has_its_own_predictions(store: Store, run: TaskRecord) -> None:
    store.add_predictions(begin(store, run).id, base=(BASE,))
    store.interrupt_running(run.id)
    anew = begin(store, run)
    assert anew.base == ()
    store.add_predictions(anew.id, base=(replace(BASE, ttft_ms=7.0),))
    assert [point.ttft_ms for point in store.experiments(run.id)[0].base] == [7.0]


def test_what_is_learnt_is_stored_with_the_end_of_an_experiment(
    store: Store, run: TaskRecord
) -> None:
    begun = begin(store, run)
    store.finish_experiment(begun.id, **DONE, observations=[SEEN])
    (kept,) = store.observations()
    assert (kept.observation, kept.task_id) == (SEEN, run.id)
    other = [replace(SEEN, launch="other")]
    with pytest.raises(StoreError, match="not running"):
        store.finish_experiment(begun.id, **DONE | {"measure_s": 99.0}, observations=other)
    store.finish_experiment(begun.id, **DONE, observations=other)
    assert len(store.observations()) == 1, "an experiment that has ended teaches no more"


def test_an_observation_is_kept_once(store: Store) -> None:
    moved = replace(SEEN, source="another file", at=None)
    other = replace(SEEN, load=LoadLevel.concurrency(16))
    assert store.add_observations([SEEN, moved, other]) == 2
    assert store.add_observations([moved, SEEN]) == 0
    assert [kept.observation.load.value for kept in store.observations()] == [8, 16]


def test_observations_are_found_and_forgotten_by_what_they_are_of(
    store: Store, run: TaskRecord
) -> None:
    store.add_observations([SEEN], task_id=run.id)
    store.add_observations([replace(SEEN, engine="sglang"), replace(SEEN, model="n")])
    store.add_observations([replace(SEEN, device="l4", model="n")])
    counts = {
        "all": len(store.observations()),
        "engine": len(store.observations(engine="vllm")),
        "model": len(store.observations(model="n")),
        "both": len(store.observations(model="n", device="l4")),
        "run": len(store.observations(task_id=run.id)),
        "none": len(store.observations(engine="trtllm")),
    }
    assert counts == {"all": 4, "engine": 3, "model": 2, "both": 1, "run": 1, "none": 0}
    ids = [kept.id for kept in store.observations(model="n")]
    assert store.forget_observations([*ids, "never there"]) == 2
    assert {kept.observation.model for kept in store.observations()} == {"m"}
    assert store.forget_observations([]) == 0


def test_what_is_newer_than_a_moment_is_left_out(store: Store) -> None:
    assert store.newest_observation() == 0
    store.add_observations([SEEN])
    moment = store.newest_observation()
    store.add_observations([replace(SEEN, model="n")])
    assert [kept.observation for kept in store.observations(until=moment)] == [SEEN]
    assert store.observations(until=0) == ()
    assert len(store.observations(until=store.newest_observation())) == 2


@pytest.mark.slow
def test_thousands_are_added_found_and_forgotten(store: Store) -> None:
    many = [replace(SEEN, load=LoadLevel.concurrency(n)) for n in range(1, 1502)]
    assert store.add_observations(many) == 1501
    assert store.add_observations(many) == 0
    assert store.forget_observations([kept.id for kept in store.observations()]) == 1501


def test_a_database_of_the_first_version_is_taken_on(tmp_path: Path) -> None:
    engine = connected(make_url(f"sqlite:///{tmp_path / FILE_NAME}"))
    migrate(engine, "0001")
    assert "observations" not in inspect(engine).get_table_names()
    engine.dispose()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute(
            "INSERT INTO tasks_v2 VALUES (1, 'old', 'c', '{}', 2, 'm', 'e', '1', 'd', '{}',"
            " 'completed', '', '2026-01-01 00:00:00', NULL, 1.0)"
        )
        database.execute(
            "INSERT INTO experiments VALUES (1, 1, 1, 'a', '{}', 'cmd', 'completed', '', 'grid',"
            " '', NULL, NULL, NULL, 1.0, 2.0, '2026-01-01 00:00:00', NULL)"
        )
        database.execute(
            "INSERT INTO experiments VALUES (2, 1, 2, 'b', '{}', 'cmd', 'failed', '', 'grid',"
            " '', NULL, NULL, NULL, 0.5, NULL, '2026-01-01 00:00:00', NULL)"
        )
    database.close()
    with Store.open(tmp_path) as store:
        (run,) = store.tasks.all()
        kept, later = store.experiments(run.id)
        assert (kept.base, kept.calibrated, kept.unpredicted) == ((), (), None)
        assert (run.name, kept.measure_s, kept.cut_short) == ("old", 2.0, None)
        assert (kept.began_s, later.began_s) == (0.0, 3.0), "one followed the other"
        assert store.add_observations([SEEN], task_id=run.id) == 1


def test_the_new_tables_go_and_the_old_ones_stay(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        begun = begin(store, store.tasks.create(**RUN))
        store.add_predictions(begun.id, base=(BASE,))
        store.finish_experiment(begun.id, **DONE, observations=[SEEN])
    engine = connected(make_url(f"sqlite:///{tmp_path / FILE_NAME}"))
    migrate(engine, "base")
    migrate(engine)
    assert {"predictions", "observations"} <= set(inspect(engine).get_table_names())
    engine.dispose()
