"""Confirmation where something is missing, moves or was left in the middle."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, Load, MadeUpLauncher, level, opened

from autotuner.measure import Measurement
from autotuner.report.exports import commands_shell
from autotuner.store import ExperimentRecord
from autotuner.tuning.confirmation_views import ConfirmationView
from autotuner.tuning.events import ExperimentStarted, RelaunchStarted
from autotuner.tuning.summary import TaskSummary


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with opened(tmp_path) as made:
        yield made


def asked(experiments: int = 12, **more: Any) -> dict[str, Any]:
    optimization = {"strategy": "grid", "confirm": 3, "budget": {"experiments": experiments}}
    return {"optimization": optimization | more}


def confirmation(summary: TaskSummary) -> ConfirmationView:
    assert summary.confirmation is not None
    return summary.confirmation


def by_start(figures: dict[int, list[Measurement]]) -> Load:
    """The level at 4 requests at once of each start of an engine, by slots; the last one for all
    that follow."""
    seen: dict[int, int] = defaultdict(int)

    def load(slots: int, concurrency: int) -> Measurement:
        if concurrency == 1:
            return level(1, 60.0, 10.0)
        own = figures[slots]
        seen[slots] += 1
        return own[min(seen[slots], len(own)) - 1]

    return load


def steady(tok_s: float, tpot_ms: float = 10.0) -> Measurement:
    return level(4, tok_s, tpot_ms)


def test_answers_of_one_token_have_no_speed_and_are_confirmed(bench: Bench) -> None:
    def load(slots: int, concurrency: int) -> Measurement:
        found = level(concurrency, 100.0 * slots, 10.0)
        return found.model_copy(update={"tpot_ms": None, "output_tokens": 8})

    changes = asked() | {"runtime": {"isl": 8, "osl": 1}, "slo": {}}
    summary, _ = bench.tune(load, changes=changes)
    assert summary.task.status == "completed"
    assert confirmation(summary).status == "confirmed"


def test_a_rival_that_meets_the_slo_barely_does_not_compete(bench: Bench) -> None:
    """More throughput does not count where TPOT may lie above its limit of 15 ms."""
    barely = steady(640.0)
    tpot = barely.tpot_ms
    assert tpot is not None
    barely = barely.model_copy(
        update={"tpot_ms": tpot.model_copy(update={"mean": 14.9, "ci95": 1.0})}
    )
    load = by_start({1: [steady(100.0)], 2: [barely], 4: [steady(400.0)]})
    summary, _ = bench.tune(load, changes=asked())
    found = confirmation(summary)
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 400.0
    assert found.status == "confirmed"
    assert "confirmed after 1 further launch" in summary.task.stop_reason


def test_a_launch_that_misses_the_slo_confirms_nothing(bench: Bench) -> None:
    figures = {1: [steady(100.0)], 2: [steady(100.0)], 4: [steady(400.0), steady(400.0, 16.0)]}
    summary, _ = bench.tune(by_start(figures), changes=asked())
    found = confirmation(summary)
    assert summary.recommended is not None
    assert summary.recommended.load.value == 4
    assert found.status == "not_settled"
    assert "misses the SLO" in found.headline
    assert "not settled" in summary.task.stop_reason


def test_where_nothing_meets_the_slo_nothing_is_confirmed(bench: Bench) -> None:
    changes = asked() | {"slo": {"tpot_ms": 5}}
    summary, _ = bench.tune(changes=changes)
    assert confirmation(summary).status != "confirmed"


def test_a_level_counts_the_launches_that_measured_it(bench: Bench) -> None:
    """When the level that was launched again is lost, the next one was measured once."""
    lost = steady(400.0).model_copy(update={"saturated": True})
    figures = {1: [steady(50.0)], 2: [steady(50.0)], 4: [steady(400.0), lost]}
    summary, _ = bench.tune(by_start(figures), changes=asked(4))
    found = confirmation(summary)
    assert summary.recommended is not None
    assert summary.recommended.load.value == 1
    assert found.recommended_launches == 1
    assert found.status == "not_settled"
    assert any("did not keep up at" in note for note in found.notes)
    assert "not confirmed" in summary.task.stop_reason


def test_one_that_was_killed_in_the_middle_is_none(bench: Bench) -> None:
    figures = {1: [steady(300.0)], 2: [steady(395.0)], 4: [steady(400.0)]}
    summary, _ = bench.tune(by_start(figures), changes=asked(confirm=0))
    first = bench.store.experiments(summary.task.id)[0]
    bench.store.begin_relaunch(first.id, launch=2, selection_reason="killed", log_path="2.log")
    again, generator = bench.tune(by_start(figures), changes=asked(), again=True)
    assert again.task.id == summary.task.id
    assert len(confirmation(again).launches) == 3
    assert len(generator.plans) == 3
    relaunches = [one for e in read(bench) for one in e.relaunches]
    assert {one.status for one in relaunches} == {"completed"}


def read(bench: Bench) -> tuple[ExperimentRecord, ...]:
    return bench.store.experiments(1)


def test_a_task_that_began_without_goes_on_without(bench: Bench) -> None:
    prepared = bench.prepared(asked())
    assert "confirm_launches" in prepared.plan_record()
    summary, _ = bench.tune(changes=asked(2))
    task = bench.store.tasks.get(summary.task.id)
    assert task is not None
    plan = {key: value for key, value in task.plan.items() if key != "confirm_launches"}
    bench.store.tasks.update_plan(task.id, config=None, plan=plan, found={})
    summary, _ = bench.tune(changes=asked(12))
    assert summary.confirmation is None
    found = bench.store.tasks.get(task.id)
    assert found is not None
    assert "confirm_launches" not in found.plan


def test_a_larger_budget_has_room_for_it(bench: Bench) -> None:
    summary, _ = bench.tune(changes=asked(2))
    assert confirmation(summary).status == "none"
    summary, _ = bench.tune(changes=asked(12))
    assert confirmation(summary).made > 0


def test_a_smaller_budget_searches_no_less_than_it_says(bench: Bench) -> None:
    bench.tune(changes=asked(1))
    summary, _ = bench.tune(changes=asked(3))
    assert len(summary.experiments) == 3


def test_the_script_starts_what_is_recommended(bench: Bench) -> None:
    """A simpler point that is recommended may be off the frontier."""

    def load(slots: int, concurrency: int) -> Measurement:
        return level(concurrency, {1: 400.0, 2: 402.0, 4: 405.0}[slots] * concurrency, 10.0)

    changes = {
        "optimization": {
            "strategy": "grid",
            "baseline": "mine",
            "objectives": ["tok_s_per_gpu"],
            "mine": {"scheduling": {"max_running_requests": 1}, "misc": {"threads": 1}},
        },
        "scheduling": {"max_running_requests": [2, 4]},
        "misc": {"threads": 1},
    }
    summary, _ = bench.tune(load, changes=changes)
    assert summary.recommended is not None
    assert summary.recommended.best is not None
    assert f"serve_{summary.recommended.experiment}()" in commands_shell(summary)


def test_a_machine_that_slows_down_takes_no_place_away(bench: Bench) -> None:
    """Everything is slower by 8 % in the end: what was launched early, once, is not ahead of it."""
    figures = {
        1: [steady(100.0)],
        2: [steady(399.0), steady(367.0)],
        3: [steady(370.0), steady(340.0)],
        4: [steady(415.0), steady(382.0)],
    }
    today = {"scheduling": {"max_running_requests": 3}}
    changes = asked(16, confirm=4, baseline="mine", mine=today)
    summary, _ = bench.tune(by_start(figures), changes=changes)
    assert confirmation(summary).made == 4
    assert summary.recommended is not None
    assert summary.recommended.settings["scheduling.max_running_requests"] == 4


def test_on_a_busy_machine_the_baseline_is_measured_again_meanwhile(bench: Bench) -> None:
    """After five launches among which others used the machine, and once at the most here."""

    def load(slots: int, concurrency: int) -> Measurement:
        found = level(concurrency, 100.0 * min(slots, concurrency), 10.0)
        return found.model_copy(update={"client_bottleneck": slots == 3})

    today = {"scheduling": {"max_running_requests": 1}}
    changes = asked(16, baseline="mine", mine=today)
    changes["scheduling"] = {"max_running_requests": [2, 3, 4, 6, 8, 12, 16]}
    summary, _ = bench.tune(load, changes=changes)
    again = [e for e in bench.events if isinstance(e, RelaunchStarted)]
    begun = [e for e in bench.events if isinstance(e, ExperimentStarted | RelaunchStarted)]
    assert begun.index(again[0]) == 6
    assert "as a reference" in again[0].reason
    assert sum("as a reference" in one.reason for one in again) == 1
    assert len(again) <= 3
    assert len(summary.experiments) == 8


def test_on_a_quiet_machine_nothing_is_measured_again_meanwhile(bench: Bench) -> None:
    today = {"scheduling": {"max_running_requests": 1}}
    changes = asked(16, baseline="mine", mine=today)
    changes["scheduling"] = {"max_running_requests": [2, 3, 4, 6, 8, 12, 16]}
    bench.tune(changes=changes)
    again = [e for e in bench.events if isinstance(e, RelaunchStarted)]
    assert not any("as a reference" in one.reason for one in again)


def test_a_baseline_that_meets_the_slo_barely_is_compared(bench: Bench) -> None:
    """At either level its TPOT may lie above the limit of 15 ms."""

    def load(slots: int, concurrency: int) -> Measurement:
        found = level(concurrency, {2: 50.0, 3: 110.0, 4: 100.0}[slots] * concurrency, 10.0)
        if slots != 3 or found.tpot_ms is None:
            return found
        barely = found.tpot_ms.model_copy(update={"mean": 14.9, "ci95": 1.0})
        return found.model_copy(update={"tpot_ms": barely})

    today = {"scheduling": {"max_running_requests": 3}}
    changes = asked(baseline="mine", mine=today) | {"scheduling": {"max_running_requests": [2, 4]}}
    summary, _ = bench.tune(load, changes=changes)
    found = confirmation(summary)
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 400.0
    assert found.contenders[0].is_baseline
    assert found.status != "confirmed"


def test_a_simpler_choice_is_confirmed_beside_several_that_are_as_good(bench: Bench) -> None:
    figures = {1: [steady(400.0)], 2: [steady(401.0)], 4: [steady(402.0)]}
    today = {"scheduling": {"max_running_requests": 1}, "misc": {"threads": 1}}
    changes = asked(baseline="mine", mine=today) | {
        "scheduling": {"max_running_requests": [2, 4]},
        "misc": {"threads": 1},
    }
    summary, _ = bench.tune(by_start(figures), changes=changes)
    assert summary.recommended is not None
    assert summary.recommended.overrides == 0
    assert confirmation(summary).status == "confirmed"


def test_launches_that_a_drift_touches_are_named(bench: Bench) -> None:
    launcher = MadeUpLauncher()

    def load(slots: int, concurrency: int) -> Measurement:
        # All of them alike, on a machine that slows down steadily.
        slower = math.exp(-0.02 * launcher.clock.now_s)
        return level(concurrency, slower * (50.0 if concurrency == 1 else 400.0), 10.0)

    changes = asked(40, confirm=10)
    summary, _ = bench.tune(load, launcher, changes=changes)
    found = confirmation(summary)
    assert found.drift is not None
    assert found.drift.is_seen
    assert found.drift.ratio < 1
    touched = found.drift.launches
    assert (1, 1) not in {(one.index, one.launch) for one in touched}
    assert touched[-1].ratio < 0.95
    assert any("it touches" in note and "further launch" in note for note in found.notes)
