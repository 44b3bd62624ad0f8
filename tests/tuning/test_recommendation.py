"""The recommended point: of those that are as good within noise the simplest one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, Load, level, opened
from sqlalchemy import select

from autotuner.measure import Measurement
from autotuner.store.schema import TaskRow
from autotuner.tuning.summary import TaskSummary
from autotuner.tuning.task_points import PointReader

TODAY = {"scheduling": {"max_running_requests": 1}, "misc": {"threads": 1}}


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with opened(tmp_path) as made:
        yield made


def by_slots(figures: dict[int, float]) -> Load:
    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, figures[slots] * concurrency / 4, 10.0)

    return load


def tuned(bench: Bench, figures: dict[int, float], **more: Any) -> TaskSummary:
    """Slots 1 are what runs today; slots 2 and 4 are candidates that change one setting."""
    optimization = {"strategy": "grid", "baseline": "mine", "mine": TODAY} | more
    changes = {
        "optimization": optimization,
        "scheduling": {"max_running_requests": [2, 4]},
        "misc": {"threads": 1},
    }
    return bench.tune(by_slots(figures), changes=changes)[0]


def slots(summary: TaskSummary) -> object:
    assert summary.recommended is not None
    return summary.recommended.settings["scheduling.max_running_requests"]


def test_the_baseline_is_recommended_where_nothing_beats_it_beyond_noise(bench: Bench) -> None:
    summary = tuned(bench, {1: 400.0, 2: 402.0, 4: 405.0})
    assert slots(summary) == 1
    found = summary.recommended
    assert found is not None
    assert found.overrides == 0
    assert found.best is not None
    best = next(e for e in summary.experiments if e.index == found.best.index)
    assert best.settings["scheduling.max_running_requests"] == 4
    assert found.best.ratio == pytest.approx(405 / 400, rel=1e-3)
    assert "as good within noise as launch" in found.reason
    assert f"where that changes 1; launch {best.index}: " in found.reason
    assert summary.baseline is not None
    assert summary.baseline.is_recommended


def test_a_clear_lead_is_worth_its_settings(bench: Bench) -> None:
    summary = tuned(bench, {1: 400.0, 2: 402.0, 4: 600.0})
    assert slots(summary) == 4
    assert summary.recommended is not None
    assert (summary.recommended.overrides, summary.recommended.best) == (1, None)


def test_one_that_misses_the_slo_is_no_simpler_choice(bench: Bench) -> None:
    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, 400.0 + slots, 10.0 if slots > 1 else 20.0)

    changes = {
        "optimization": {"strategy": "grid", "baseline": "mine", "mine": TODAY},
        "scheduling": {"max_running_requests": [2, 4]},
        "misc": {"threads": 1},
    }
    summary, _ = bench.tune(load, changes=changes)
    assert slots(summary) != 1


def test_without_a_baseline_the_best_is_recommended(bench: Bench) -> None:
    summary = tuned(bench, {2: 402.0, 4: 405.0}, baseline="none", mine=None)
    assert slots(summary) == 4
    assert summary.recommended is not None
    assert summary.recommended.overrides is None


def test_lists_and_points_recommend_the_same(bench: Bench) -> None:
    summary = tuned(bench, {1: 400.0, 2: 402.0, 4: 405.0})
    task = bench.store.tasks.get(summary.task.id)
    assert task is not None
    assert summary.recommended is not None
    shown = PointReader().read(bench.store, task).recommended
    assert shown is not None
    assert shown.point is not None
    chosen = (summary.recommended.candidate, summary.recommended.load)
    assert (shown.point.candidate_id, shown.point.load) == chosen
    with bench.store.sessions.reading() as session:
        best = session.scalar(select(TaskRow.best))
    assert best is not None
    assert (best["candidate"], best["load"]) == (chosen[0], chosen[1].to_json())


def test_the_simpler_one_is_confirmed_beside_the_best(bench: Bench) -> None:
    summary = tuned(bench, {1: 400.0, 2: 250.0, 4: 405.0}, confirm=3, budget={"experiments": 12})
    assert slots(summary) == 1
    assert summary.confirmation is not None
    assert summary.confirmation.status == "confirmed"
    assert "as good within noise as launch" in summary.confirmation.headline
    assert "confirmed after 3 further launches" in summary.task.stop_reason
