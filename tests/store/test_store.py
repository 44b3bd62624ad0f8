"""The store: what is written comes back, an interrupted run resumes, and trouble is told."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, make_url

from autotuner.config import LoadLevel
from autotuner.errors import StoreError
from autotuner.measure import Distribution, Measurement
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.store.database import FILE_NAME, connected
from autotuner.store.upgrades import migrate

RUN: dict[str, Any] = {
    "name": "first run",
    "content_id": "c0ffee",
    "config": {"version": 2, "model": {"id": "smollm2-135m"}, "words": ["é", 1.5, None, True]},
    "model": "smollm2-135m",
    "engine": "llamacpp",
    "engine_version": "1",
    "device": "cpu",
    "status": "running",
    "plan": {"candidates": 2, "excluded": {"too long": 3}},
}
EXPERIMENT: dict[str, Any] = {
    "settings": {"misc.threads": 2, "memory.max_model_len": 128},
    "command": "llama-server --port 8080",
    "selection_reason": "candidate 1 of 2 in grid order",
    "phase": "grid",
    "log_path": "logs/1.log",
}
DONE: dict[str, Any] = {
    "status": "completed",
    "failure": None,
    "startup_s": 1.25,
    "measure_s": 9.5,
}


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def run(store: Store) -> TaskRecord:
    return store.tasks.create(**RUN)


def begin(store: Store, run: TaskRecord, candidate_id: str) -> ExperimentRecord:
    return store.begin_experiment(run.id, candidate_id=candidate_id, **EXPERIMENT)


def measurement(concurrency: int = 1, tok_s: float = 10.25) -> Measurement:
    shown = Distribution(
        count=2, mean=0.1, std=1 / 3, min=0, p50=1, p90=2, p95=3, p99=4, max=5, ci95=None
    )
    return Measurement(
        load=LoadLevel.concurrency(concurrency),
        duration_s=1.5,
        requests_completed=2,
        requests_failed=1,
        requests_short=0,
        ended_by="failed",
        valid=False,
        tok_s=tok_s,
        requests_s=1.0,
        input_tokens=32,
        output_tokens=16,
        ttft_ms=shown,
        errors={"HTTP 503: no capacity": 1},
        note="sent again",
    )


def test_a_run_comes_back_as_it_was_written(store: Store, run: TaskRecord) -> None:
    assert {name: getattr(run, name) for name in RUN} == RUN
    assert (run.status, run.stop_reason, run.ended_at, run.wall_s) == ("running", "", None, 0.0)
    assert abs((datetime.now(UTC) - run.created_at).total_seconds()) < 3600
    assert store.tasks.get(run.id) == store.tasks.newest("c0ffee") == run
    assert store.tasks.get(run.id + 1) is None
    assert store.tasks.newest("other") is None


def test_runs_are_shown_newest_first_and_found_newest(store: Store, run: TaskRecord) -> None:
    second = store.tasks.create(**RUN)
    assert store.tasks.all() == (second, run)
    assert store.tasks.newest("c0ffee") == second


def test_an_experiment_comes_back_with_its_measurements(store: Store, run: TaskRecord) -> None:
    begun = begin(store, run, "a")
    assert (begun.index, begun.status, begun.measurements) == (1, "running", ())
    assert {name: getattr(begun, name) for name in EXPERIMENT} == EXPERIMENT
    levels = [measurement(4), measurement(1), measurement(16, tok_s=1 / 3)]
    for level in levels:
        store.add_measurement(begun.id, level)
    store.finish_experiment(begun.id, **DONE)
    (kept,) = store.experiments(run.id)
    assert kept.measurements == tuple(levels)
    assert (kept.status, kept.startup_s, kept.measure_s) == ("completed", 1.25, 9.5)
    assert (kept.failure_kind, kept.failure_message, kept.log_tail) == (None, None, None)


def test_a_failure_comes_back_with_its_log(store: Store, run: TaskRecord) -> None:
    failure = ("out_of_memory", "the engine ran out of memory", "line 1\nfailed to allocate")
    failed = DONE | {"status": "failed", "failure": failure, "measure_s": None}
    store.finish_experiment(begin(store, run, "a").id, **failed)
    (kept,) = store.experiments(run.id)
    assert (kept.failure_kind, kept.failure_message, kept.log_tail) == failure
    assert (kept.status, kept.measure_s) == ("failed", None)


def test_when_a_launch_began_and_why_it_was_cut_short_come_back(
    store: Store, run: TaskRecord
) -> None:
    found = {"began_s": 12.5, "cut_short": "after 1 level: 8 concurrent cannot improve it"}
    store.finish_experiment(begin(store, run, "a").id, **DONE | found)
    (kept,) = store.experiments(run.id)
    assert {name: getattr(kept, name) for name in found} == found


def test_what_was_taken_back_can_be_removed(store: Store, run: TaskRecord) -> None:
    store.finish_experiment(begin(store, run, "a").id, **DONE)
    begin(store, run, "b")
    store.interrupt_running(run.id)
    begin(store, run, "c")
    store.forget_interrupted(run.id)
    assert [(e.candidate_id, e.index) for e in store.experiments(run.id)] == [("a", 1), ("c", 3)]


def test_everything_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with Store.open(tmp_path / "new" / "home") as store:
        run = store.tasks.create(**RUN)
        begun = begin(store, run, "a")
        store.add_measurement(begun.id, measurement())
        store.add_event(run.id, "launched", {"candidate": "a"})
        experiments, events = store.experiments(run.id), store.events(run.id)
    with Store.open(tmp_path / "new" / "home") as store:
        assert store.tasks.all() == (run,)
        assert store.experiments(run.id) == experiments
        assert store.events(run.id) == events


def test_a_record_is_kept_though_the_process_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from autotuner.store import Store; "
        "store = Store.open(Path(sys.argv[1])); run = store.tasks.create(name='n', content_id='c', "
        "config={}, model='m', engine='e', engine_version='1', device='d', plan={}); "
        "store.add_event(run.id, 'last', {}); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    with Store.open(tmp_path) as store:
        (run,) = store.tasks.all()
        assert [event.kind for event in store.events(run.id)] == ["last"]


def test_wall_time_adds_up_over_calls(store: Store, run: TaskRecord) -> None:
    store.tasks.set_status(run.id, status="interrupted", stop_reason="Ctrl-C", add_wall_s=1.5)
    interrupted = store.tasks.get(run.id)
    assert interrupted is not None
    assert (interrupted.status, interrupted.stop_reason) == ("interrupted", "Ctrl-C")
    assert interrupted.ended_at is not None
    store.tasks.set_status(run.id, status="running", stop_reason="", add_wall_s=2.0)
    again = store.tasks.get(run.id)
    assert again is not None
    assert (again.status, again.ended_at, again.wall_s) == ("running", None, 3.5)


def test_the_task_may_be_written_anew(store: Store, run: TaskRecord) -> None:
    other = store.tasks.create(**RUN)
    store.tasks.update_plan(run.id, config={"version": 3}, plan={"candidates": 0})
    changed = store.tasks.get(run.id)
    assert changed is not None
    assert (changed.config, changed.plan) == ({"version": 3}, {"candidates": 0})
    assert store.tasks.get(other.id) == other


def test_events_come_in_order_and_belong_to_their_run(store: Store, run: TaskRecord) -> None:
    other = store.tasks.create(**RUN)
    for number in range(5):
        store.add_event(run.id, f"kind {number}", {"number": number})
    store.add_event(other.id, "other", {})
    assert [event.payload["number"] for event in store.events(run.id)] == list(range(5))
    moments = [event.at for event in store.events(run.id)]
    assert moments == sorted(moments)
    assert all(moment.tzinfo is not None for moment in moments)


def test_an_experiment_ends_once(store: Store, run: TaskRecord) -> None:
    begun = begin(store, run, "a")
    store.finish_experiment(begun.id, **DONE)
    before = store.experiments(run.id)
    with pytest.raises(StoreError, match="not running"):
        store.finish_experiment(begun.id, **(DONE | {"status": "failed", "startup_s": 99.0}))
    assert store.experiments(run.id) == before
    with pytest.raises(StoreError, match="not running"):
        store.finish_experiment(begun.id + 1, **DONE)


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_finished_candidate_is_not_begun_again(
    store: Store, run: TaskRecord, status: str
) -> None:
    store.finish_experiment(begin(store, run, "a").id, **(DONE | {"status": status}))
    with pytest.raises(StoreError, match="a is finished"):
        begin(store, run, "a")
    assert begin(store, store.tasks.create(**RUN), "a").index == 1, "another run is another matter"


def test_a_resumed_run_keeps_what_is_finished_and_redoes_the_rest(
    store: Store, run: TaskRecord
) -> None:
    finished, cut = begin(store, run, "a"), None
    store.add_measurement(finished.id, measurement(1))
    store.finish_experiment(finished.id, **DONE)
    cut = begin(store, run, "b")
    store.add_measurement(cut.id, measurement(1))

    assert store.interrupt_running(run.id) == 1
    kept, interrupted = store.experiments(run.id)
    assert (kept.status, kept.measurements) == ("completed", (measurement(1),))
    assert (interrupted.status, interrupted.measurements) == ("interrupted", (measurement(1),))
    with pytest.raises(StoreError, match="not running"):
        store.finish_experiment(cut.id, **DONE)

    store.forget_interrupted(run.id)
    anew = begin(store, run, "b")
    assert (anew.index, anew.status, anew.measurements) == (2, "running", (measurement(1),))
    store.add_measurement(anew.id, measurement(2, tok_s=20.0), measure_s=9.0)
    assert store.experiments(run.id)[1].measure_s == 9.0
    store.finish_experiment(anew.id, **DONE)
    assert [e.candidate_id for e in store.experiments(run.id)] == ["a", "b"]
    assert [m.load.value for m in store.experiments(run.id)[1].measurements] == [1, 2]
    assert store.interrupt_running(run.id) == 0


def test_an_experiment_left_running_goes_on(store: Store, run: TaskRecord) -> None:
    left = begin(store, run, "a")
    store.add_measurement(left.id, measurement())
    again = begin(store, run, "a")
    assert store.experiments(run.id) == (again,)
    assert again.measurements == (measurement(),)


def test_the_wall_time_of_a_run_is_kept_while_it_runs(store: Store, run: TaskRecord) -> None:
    store.tasks.keep_wall_time(run.id, 12.0)
    store.tasks.keep_wall_time(run.id, 14.0)
    kept = store.tasks.get(run.id)
    assert kept is not None
    assert kept.wall_s == 14.0
    store.tasks.end(run.id, status="completed", reason="", add_wall_s=0.5)
    ended = store.tasks.get(run.id)
    assert ended is not None
    assert ended.wall_s == 14.5


def test_interrupting_one_run_leaves_others_alone(store: Store, run: TaskRecord) -> None:
    other = store.tasks.create(**RUN)
    begun = begin(store, other, "a")
    assert store.interrupt_running(run.id) == 0
    assert store.experiments(other.id) == (begun,)


def test_repeats_of_a_level_are_kept_side_by_side(store: Store, run: TaskRecord) -> None:
    begun = begin(store, run, "a")
    for repeat in range(3):
        store.add_measurement(begun.id, measurement(tok_s=float(repeat)), repeat=repeat)
    (kept,) = store.experiments(run.id)
    assert [level.tok_s for level in kept.measurements] == [0.0, 1.0, 2.0]


def test_two_stores_may_read_and_write_one_home(
    store: Store, run: TaskRecord, tmp_path: Path, database: str | None
) -> None:
    with Store.open(tmp_path, database) as second:
        begun = begin(second, run, "a")
        assert store.experiments(run.id) == (begun,)
        store.finish_experiment(begun.id, **DONE)
        assert second.experiments(run.id)[0].status == "completed"


def test_a_home_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(StoreError, match="--home"):
            Store.open(home)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_shown_with_a_remedy(tmp_path: Path) -> None:
    with Store.open(tmp_path / "used") as store:
        store.tasks.create(**RUN)
    (tmp_path / "used" / FILE_NAME).chmod(0o444)
    (tmp_path / "empty").mkdir()
    for home in (tmp_path / "used", tmp_path / "empty"):
        home.chmod(0o555)
        try:
            with pytest.raises(StoreError, match=r"--home|may write"), Store.open(home) as store:
                store.tasks.create(**RUN)
        finally:
            home.chmod(0o755)


@pytest.mark.parametrize("garbage", [b"this is no database" * 100, bytes(range(256)) * 64])
def test_a_file_that_is_no_database_is_shown_and_left_alone(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(garbage)
    with pytest.raises(StoreError, match="move it away") as caught:
        Store.open(tmp_path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == garbage


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StoreError, match="9999") as caught:
        Store.open(tmp_path)
    assert "version of autotuner that wrote it" in str(caught.value)


def test_the_schema_goes_down_and_up_again(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    engine = connected(make_url(f"sqlite:///{tmp_path / FILE_NAME}"))
    tables = set(inspect(engine).get_table_names())
    assert {"tasks_v2", "experiments", "measurements", "events"} <= tables
    migrate(engine, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrate(engine)
    migrate(engine)
    assert set(inspect(engine).get_table_names()) == tables
    engine.dispose()
    with Store.open(tmp_path) as store:
        assert store.tasks.all() == ()
