"""Plans count how long engines took to start before, where that is known, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotuner.config import parse_task
from autotuner.report.plan_document import plan_of
from autotuner.store import Store
from autotuner.tuning.known_starts import with_known_start
from autotuner.tuning.prepare import Prepared, prepare

TASK = {
    "version": 2,
    "name": "on paper",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "runtime": {"isl": 512, "osl": 64},
    "system": {"backend": "vllm", "gpu_type": "h100_sxm", "total_gpus": 2},
    "benchmark": {"concurrency": [1]},
    "prediction": {"predictor": "roofline"},
    "optimization": {"baseline": "none"},
}


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, database) as opened:
        yield opened


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(parse_task(TASK), base=Path())


def launched(store: Store, prepared: Prepared, *startups_s: float | None, **changes: Any) -> None:
    """A task whose launches took so long to start; None of one that failed."""
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
            candidate_id=f"c{number}",
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
    assert document["startup_why"].startswith("the median of 3 earlier launches of vllm")
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
    assert with_known_start(prepared, store).known_start is None


def test_without_a_store_nothing_is_known(prepared: Prepared) -> None:
    assert with_known_start(prepared, None) is prepared
