"""Plans count how long engines took to start before, where that is known, and say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.report.plan_document import plan_of
from autotuner.store import Store
from autotuner.tuning.expected_starts import ExpectedStart
from autotuner.tuning.known_starts import with_known_starts
from autotuner.tuning.prepare import Prepared, prepare

TASK = {
    "version": 2,
    "name": "on paper",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 512, "osl": 64},
    "system": {"backend": "vllm", "gpu_type": "h100_sxm", "total_gpus": 2},
    "benchmark": {"concurrency": [1]},
    "prediction": {"predictor": "roofline"},
    "optimization": {"baseline": "none", "confirm": 0},
}


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(parse_task(TASK), base=Path())


def launched(
    store: Store,
    prepared: Prepared,
    *startups_s: float | None,
    ids: Sequence[str] = (),
    **changes: Any,
) -> None:
    """A task whose launches took so long to start; None of one that failed.

    Args:
        ids: their candidates; others than those of any task where left out.
    """
    task = {
        "name": "t",
        "content_id": "c",
        "config": {},
        "plan": {},
        "model": prepared.model.name,
        "engine": "vllm",
        "engine_version": "1",
        "device": prepared.device_name,
    }
    record = store.tasks.create(**{**task, **changes})
    for number, startup_s in enumerate(startups_s):
        one = store.begin_experiment(
            record.id,
            candidate_id=ids[number] if ids else f"c{record.id}-{number}",
            settings={},
            command="vllm serve",
            selection_reason="",
            phase="",
            log_path="",
        )
        store.finish_experiment(
            one.id,
            status="failed" if startup_s is None else "completed",
            failure=("out_of_memory", "", "") if startup_s is None else None,
            startup_s=startup_s or 99.0,
            measure_s=10.0,
            began_s=0.0,
        )


def test_the_median_of_such_launches_counts_and_is_named(
    store: Store, prepared: Prepared, tmp_path: Path
) -> None:
    before, guessed = plan_of(prepared, tmp_path, store)
    assert before["startup_why"].startswith("assumed")
    launched(store, prepared, 400.0, None, 500.0)
    launched(store, prepared, 600.0, device="8 x h100_sxm")
    document, found = plan_of(prepared, tmp_path, store)
    assert document["startup_s"] == 500.0
    why = "by 3 earlier first starts of other settings: vllm with this model on this"
    assert document["startup_why"].startswith(why)
    assert [one["startup_source"] for one in document["experiments"]] == ["first"]
    more_minutes = (500.0 - before["startup_s"]) / 60 * document["launches"]
    assert found.minutes == pytest.approx((guessed.minutes or 0) + more_minutes)
    assert document["at_most_minutes"] == pytest.approx(before["at_most_minutes"] + more_minutes)


def test_what_earlier_launches_took_is_never_more_than_the_most_that_is_stated(
    store: Store, prepared: Prepared, tmp_path: Path
) -> None:
    launched(
        store, prepared, 9_000.0, 9_500.0, content_id=prepared.content_id, device="8 x h100_sxm"
    )
    document, _ = plan_of(prepared, tmp_path, store)
    launches = document["launches"]
    assert document["expected_minutes"] == pytest.approx(9_260.0 * launches / 60)
    assert document["at_most_minutes"] == pytest.approx(9_510.0 * launches / 60)


@pytest.mark.parametrize(
    "other",
    [
        {"model": "another"},
        {"engine": "sglang"},
        {"device": "2 x h100-sxm"},
        {"device": "2 x a100_sxm"},
        {"config": {"deployment_mode": "replay"}},
    ],
)
def test_other_launches_say_nothing(
    other: dict[str, Any], store: Store, prepared: Prepared
) -> None:
    launched(store, prepared, 400.0, **other)
    assert with_known_starts(prepared, store).known_starts is None


def test_without_a_store_nothing_is_known(prepared: Prepared) -> None:
    assert with_known_starts(prepared, None) is prepared


def test_a_first_start_and_a_later_one_of_the_same_settings_differ(
    store: Store, tmp_path: Path
) -> None:
    task = TASK | {"parallel": {"tensor_parallel": [1, 2]}}
    two = prepare(parse_task(task), base=Path())
    ids = [candidate.id for candidate in two.space.candidates]
    version = {"engine_version": two.engine_version}
    launched(store, two, 400.0, ids=[ids[0]], **version)
    launched(store, two, 600.0, ids=["other"], **version)
    launched(store, two, 40.0, ids=[ids[0]], **version)
    launched(store, two, 60.0, ids=[ids[0]], **version)
    document, _ = plan_of(two, tmp_path, store)
    known, new = document["experiments"]
    assert (known["startup_s"], known["startup_source"], known["startup_launches"]) == (
        50,
        "again",
        2,
    )
    assert (new["startup_s"], new["startup_source"], new["startup_launches"]) == (500, "first", 2)
    assert document["startup_s"] == 275
    assert "and for 1 of 2 launches 2 earlier starts of the same" in document["startup_why"]


def test_what_another_version_compiled_is_of_no_use(store: Store, prepared: Prepared) -> None:
    (candidate,) = prepared.space.candidates
    for startup_s in (400.0, 40.0):
        launched(store, prepared, startup_s, ids=[candidate.id], engine_version="older")
    known = with_known_starts(prepared, store)
    assert known.expected_start(candidate.id) == ExpectedStart(400.0, "first", 1)


def test_a_start_that_was_seen_once_is_expected_again(store: Store, prepared: Prepared) -> None:
    (candidate,) = prepared.space.candidates
    version = {"engine_version": prepared.engine_version}
    launched(store, prepared, 70.0, ids=[candidate.id], **version)
    known = with_known_starts(prepared, store)
    assert known.expected_start(candidate.id) == ExpectedStart(70.0, "again", 1)
    assert known.startup_why.startswith("by 1 earlier start of the same settings")


def test_further_launches_of_a_candidate_are_starts_of_the_same_settings(
    store: Store, prepared: Prepared
) -> None:
    (candidate,) = prepared.space.candidates
    version = {"engine_version": prepared.engine_version}
    launched(store, prepared, 400.0, ids=[candidate.id], **version)
    (task,) = store.tasks.all()
    (experiment,) = store.experiments(task.id)
    for number, startup_s in ((2, 40.0), (3, 60.0)):
        further = {"launch": number, "selection_reason": "to confirm", "log_path": ""}
        store.begin_relaunch(experiment.id, **further)
        end = {"failure": None, "startup_s": startup_s, "measure_s": 1.0, "began_s": 0.0}
        store.finish_relaunch(experiment.id, number, **end)
    known = with_known_starts(prepared, store)
    assert known.expected_start(candidate.id) == ExpectedStart(50.0, "again", 2)
    assert known.expected_start("another") == ExpectedStart(400.0, "first", 1)
