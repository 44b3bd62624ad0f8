"""Confirmation of the recommended candidate: what is launched again, and what that changes."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, MadeUpLauncher, level, opened

from autotuner.cli.commands.compare import compare
from autotuner.cli.commands.ledger import spent
from autotuner.measure import Measurement
from autotuner.report.exports import points_csv
from autotuner.report.ledger import ledger_document, ledger_markdown
from autotuner.tuning.events import Event, RelaunchEnded, RelaunchStarted
from autotuner.tuning.summary import TaskSummary
from autotuner.tuning.task_points import PointReader
from autotuner.verify.autotuner_reader import measured_points

MINE = {"scheduling": {"max_running_requests": 1}}


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with opened(tmp_path) as made:
        yield made


def asked(experiments: int = 12, **more: Any) -> dict[str, Any]:
    budget = {"experiments": experiments}
    return {"optimization": {"strategy": "grid", "confirm": 3, "budget": budget} | more}


def by_launch(figures: dict[int, list[float]]) -> Callable[[int, int], Measurement]:
    """Throughput at 4 requests at once by slots, one figure for each launch, the last one for all
    that follow."""
    seen: dict[int, int] = defaultdict(int)

    def load(slots: int, concurrency: int) -> Measurement:
        if concurrency == 1:
            return level(1, 50.0, 10.0)
        own = figures[slots]
        tok_s = own[min(seen[slots], len(own) - 1)]
        seen[slots] += 1
        return level(4, tok_s, 10.0)

    return load


def relaunched(summary: TaskSummary) -> list[tuple[int, int]]:
    """Slots and number of every further launch, in their order."""
    assert summary.confirmation is not None
    slots = {e.index: e.settings["scheduling.max_running_requests"] for e in summary.experiments}
    return [(slots[one.index], one.launch) for one in summary.confirmation.launches]  # type: ignore[misc]


def test_the_recommended_one_and_those_that_may_be_better_take_turns(bench: Bench) -> None:
    summary, _ = bench.tune(by_launch({1: [300.0], 2: [395.0], 4: [400.0]}), changes=asked())
    assert sorted(relaunched(summary)) == [(2, 2), (2, 3), (4, 2)]
    started = [event for event in bench.events if isinstance(event, RelaunchStarted)]
    assert [(event.further, event.most) for event in started] == [(1, 3), (2, 3), (3, 3)]
    assert started[0].candidate_id != started[1].candidate_id
    found = summary.confirmation
    assert found is not None
    assert (found.planned, found.made, found.recommended_launches) == (3, 3, 2)
    assert found.status == "not_settled"
    assert "not settled after 3 further launches" in found.headline
    assert "not settled" in summary.task.stop_reason


def test_what_is_settled_is_confirmed_by_one_more_launch(bench: Bench) -> None:
    summary, _ = bench.tune(by_launch({1: [100.0], 2: [200.0], 4: [400.0]}), changes=asked())
    assert relaunched(summary) == [(4, 2)]
    found = summary.confirmation
    assert found is not None
    assert found.status == "confirmed"
    assert {one.settled for one in found.contenders} == {"better"}
    assert found.probability_best == pytest.approx(1.0, abs=0.01)


def test_a_lucky_first_launch_loses_its_place(bench: Bench) -> None:
    changes = asked(16, confirm=4)
    summary, _ = bench.tune(by_launch({1: [200.0], 2: [390.0], 4: [400.0, 340.0]}), changes=changes)
    best, found = summary.recommended, summary.confirmation
    assert best is not None
    assert found is not None
    assert best.settings["scheduling.max_running_requests"] == 2
    assert found.moved_from is not None
    lucky = next(e for e in summary.experiments if e.index == found.moved_from.index)
    assert lucky.settings["scheduling.max_running_requests"] == 4
    assert found.scatter is not None
    assert found.scatter > 0.02


def test_the_figures_of_a_point_are_of_all_its_launches(bench: Bench) -> None:
    summary, _ = bench.tune(by_launch({1: [100.0], 2: [100.0], 4: [400.0, 420.0]}), changes=asked())
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 410.0
    four = next(e for e in summary.experiments if e.id == summary.recommended.candidate)
    assert [m.launch for m in four.measurements if m.load.value == 4] == [1, 2]


def test_the_baseline_is_launched_again_too(bench: Bench) -> None:
    load = by_launch({1: [300.0], 2: [390.0], 3: [365.0], 4: [400.0]})
    today = {"scheduling": {"max_running_requests": 3}}
    summary, _ = bench.tune(load, changes=asked(baseline="mine", mine=today))
    assert (3, 2) in relaunched(summary)
    assert summary.baseline is not None
    assert summary.baseline.launches == 2
    assert "2 of the baseline" in summary.baseline.caveat


def test_a_baseline_is_shown_by_the_figures_that_it_is_compared_by(bench: Bench) -> None:
    """Its second launch ran beside others on a busy machine: what it showed is no figure of it."""
    own = by_launch({1: [300.0], 2: [390.0], 3: [365.0, 12.0], 4: [400.0]})

    def load(slots: int, concurrency: int) -> Measurement:
        found = own(slots, concurrency)
        late = found.tok_s == 12.0
        return found.model_copy(update={"client_bottleneck": late})

    today = {"scheduling": {"max_running_requests": 3}}
    summary, _ = bench.tune(load, changes=asked(baseline="mine", mine=today))
    assert (3, 2) in relaunched(summary)
    found = summary.baseline
    assert found is not None
    assert found.same_load is not None
    first = found.same_load.figures[0]
    assert (first.baseline, first.recommended, found.launches) == (365.0, 400.0, 1)
    assert first.ratio == pytest.approx(400 / 365, rel=0.001)
    assert "launch 2 of your current settings" in found.same_load.note
    assert "was launched once" not in found.caveat


def test_figures_beside_a_ratio_have_that_ratio(bench: Bench) -> None:
    """A launch of few, scattered requests counts less in the ratio than in a median."""
    own = by_launch({1: [300.0], 2: [390.0], 3: [365.0, 150.0], 4: [400.0]})

    def load(slots: int, concurrency: int) -> Measurement:
        found = own(slots, concurrency)
        assert found.tpot_ms is not None
        unsure = 1.5 * found.tpot_ms.mean if found.tok_s == 150.0 else 0.1
        return found.model_copy(
            update={"tpot_ms": found.tpot_ms.model_copy(update={"ci95": unsure})}
        )

    today = {"scheduling": {"max_running_requests": 3}}
    summary, _ = bench.tune(load, changes=asked(baseline="mine", mine=today))
    found = summary.baseline
    assert found is not None
    assert found.same_load is not None
    assert found.same_load.launches == 2
    for figure in found.same_load.figures:
        assert figure.recommended / figure.baseline == pytest.approx(figure.ratio, rel=0.002)
    assert "medians as measured: tok/s/GPU 258 -> 400" in found.same_load.note


def test_other_readers_show_the_same_figures_of_all_launches(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    own = by_launch({1: [100.0], 2: [200.0], 4: [400.0, 20.0, 404.0]})

    def load(slots: int, concurrency: int) -> Measurement:
        found = own(slots, concurrency)
        return found.model_copy(update={"client_bottleneck": found.tok_s == 20.0})

    summary, _ = bench.tune(load, changes=asked())
    chosen = summary.recommended
    assert chosen is not None
    compare(1, 1, home=bench.folder / "home", as_json=True)
    points = json.loads(capsys.readouterr().out)["points"]
    shown = {(one["candidate"], one["load"]["value"]): one["tok_s"]["first"] for one in points}
    assert shown[chosen.candidate, 4] == chosen.tok_s == 402.0
    rows = csv.DictReader(io.StringIO(points_csv(summary)))
    four = [
        row for row in rows if (row["candidate"], row["concurrency"]) == (chosen.candidate, "4")
    ]
    assert [(row["tok_s"], row["launch"], row["counts"]) for row in four] == [
        ("400.0", "1", "True"),
        ("20.0", "2", "False"),
        ("404.0", "3", "True"),
    ]
    (point,) = (p for p in measured_points(summary, "task").points if p.tok_s == 402.0)
    assert len(point.originals["levels"]) == 2


def test_a_further_launch_on_a_busy_machine_confirms_nothing(bench: Bench) -> None:
    own = by_launch({1: [100.0], 2: [200.0], 4: [400.0, 20.0, 404.0]})

    def load(slots: int, concurrency: int) -> Measurement:
        found = own(slots, concurrency)
        late = found.tok_s == 20.0
        return found.model_copy(update={"client_bottleneck": late})

    summary, _ = bench.tune(load, changes=asked())
    assert relaunched(summary) == [(4, 2), (4, 3)]
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 402.0
    assert summary.confirmation is not None
    assert summary.confirmation.status == "confirmed"


@pytest.mark.parametrize(("experiments", "most"), [(1, 0), (3, 0), (4, 1), (8, 2), (40, 3)])
def test_it_takes_a_quarter_of_the_budget_at_the_most(
    bench: Bench, experiments: int, most: int
) -> None:
    prepared = bench.prepared(asked(experiments))
    assert prepared.confirm_launches == most
    assert prepared.budget.experiments == experiments - most


def test_a_budget_that_leaves_no_room_is_named(bench: Bench) -> None:
    summary, _ = bench.tune(changes=asked(2))
    assert summary.confirmation is not None
    assert summary.confirmation.status == "none"
    assert "a budget of 2 experiments leaves no launch for it" in summary.confirmation.headline


def test_minutes_that_are_spent_leave_no_room(bench: Bench) -> None:
    """11.76 s, of which a quarter is kept: two launches of 4.5 s, and one of 2.5 s again."""
    optimization = {"strategy": "grid", "confirm": 3, "budget": {"minutes": 0.196}}
    summary, _ = bench.tune(changes={"optimization": optimization})
    spent_s = sum((e.startup_s or 0) + (e.measure_s or 0) for e in summary.experiments)
    again_s = sum(
        (one.startup_s or 0) + (one.measure_s or 0)
        for one in (summary.confirmation.launches if summary.confirmation else [])
    )
    assert (spent_s, again_s) == (9.0, 2.5)
    assert "minutes for the search is used up" in summary.task.stop_reason


def test_a_further_launch_that_fails_confirms_nothing_and_loses_no_figure(bench: Bench) -> None:
    launcher = MadeUpLauncher()

    def breaking(event: Event) -> None:
        if isinstance(event, RelaunchStarted):
            launcher.broken = (4,)

    load = by_launch({1: [100.0], 2: [200.0], 4: [400.0]})
    summary, _ = bench.tune(load, launcher, changes=asked(), listen=breaking)
    found = summary.confirmation
    assert found is not None
    assert found.status == "failed"
    assert "launch 2 of the recommended candidate failed: too large" in found.headline
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 400.0
    assert summary.task.status == "completed"


def test_a_level_that_fails_under_load_leaves_the_first_figures(bench: Bench) -> None:
    first = by_launch({1: [100.0], 2: [200.0], 4: [400.0]})
    again: list[int] = []

    def load(slots: int, concurrency: int) -> Measurement | None:
        return None if again else first(slots, concurrency)

    def breaking(event: Event) -> None:
        if isinstance(event, RelaunchStarted):
            again.append(event.launch)

    summary, _ = bench.tune(load, changes=asked(), listen=breaking)
    assert summary.confirmation is not None
    assert summary.confirmation.status == "failed"
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 400.0


class InterruptedHereError(Exception):
    """Ends a call of the loop."""


@pytest.mark.parametrize("kind", [RelaunchStarted, RelaunchEnded])
def test_an_interrupted_confirmation_goes_on_and_repeats_no_search(
    bench: Bench, kind: type[Event]
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, kind):
            raise InterruptedHereError

    figures = {1: [300.0], 2: [395.0], 4: [400.0]}
    with pytest.raises(InterruptedHereError):
        bench.tune(by_launch(figures), changes=asked(), listen=interrupt)
    summary, generator = bench.tune(by_launch(figures), changes=asked())
    assert len(relaunched(summary)) == 3
    assert len(summary.experiments) == 3
    levels = len(generator.plans)
    assert levels == (3 if kind is RelaunchStarted else 2)


def test_nothing_is_confirmed_twice(bench: Bench) -> None:
    figures = {1: [300.0], 2: [395.0], 4: [400.0]}
    bench.tune(by_launch(figures), changes=asked())
    summary, generator = bench.tune(by_launch(figures), changes=asked())
    assert not generator.plans
    assert len(relaunched(summary)) == 3


def test_every_launch_has_prompts_of_its_own(bench: Bench) -> None:
    _, generator = bench.tune(by_launch({1: [300.0], 2: [395.0], 4: [400.0]}), changes=asked())
    at_four = [plan.seed for plan in generator.plans if plan.load.value == 4]
    assert len(set(at_four)) > 1
    searched, again = set(at_four[:3]), set(at_four[3:])
    assert not searched & again


def test_none_is_wanted(bench: Bench) -> None:
    summary, _ = bench.tune(changes=asked(confirm=0))
    assert summary.confirmation is None
    assert not [event for event in bench.events if isinstance(event, RelaunchStarted)]


def test_a_reader_of_points_sees_what_further_launches_changed(bench: Bench) -> None:
    reader, seen = PointReader(), []

    def look(event: Event) -> None:
        if isinstance(event, RelaunchStarted | RelaunchEnded):
            task = bench.store.tasks.get(1)
            assert task is not None
            found = reader.read(bench.store, task).recommended
            assert found is not None
            assert found.point is not None
            seen.append(found.point.tok_s)

    bench.tune(by_launch({1: [100.0], 2: [100.0], 4: [400.0, 420.0]}), changes=asked(), listen=look)
    assert seen == [400.0, 410.0]


def test_how_sure_a_point_of_the_frontier_is_depends_on_what_comes_near(bench: Bench) -> None:
    def load(slots: int, concurrency: int) -> Measurement:
        near = {1: 100.0, 2: 101.0, 4: 300.0}[slots]
        return level(concurrency, near * concurrency, 10.0 if slots < 4 else 30.0)

    summary, _ = bench.tune(load, changes=asked(confirm=0))
    sure = {
        point.settings["scheduling.max_running_requests"]: point.probability_on_frontier
        for point in summary.frontier
        if point.load.value == 4
    }
    assert sure[4] == 1.0
    assert sure[2] is not None
    assert 0.5 < sure[2] < 0.9


def test_the_ledger_has_further_launches_and_counts_them(bench: Bench) -> None:
    summary, _ = bench.tune(by_launch({1: [300.0], 2: [395.0], 4: [400.0, 380.0]}), changes=asked())
    task = bench.store.tasks.get(summary.task.id)
    assert task is not None
    used = spent(bench.store, task, summary)
    found = ledger_document(summary, used)
    confirmation, further = found["confirmation"], found["confirmation"]["launches"]
    slots = {e.index: e.settings["scheduling.max_running_requests"] for e in summary.experiments}
    assert [(slots[one["launch"]], one["nth"]) for one in further] == relaunched(summary)
    assert {one["phase"] for one in further} == {"confirm"}
    assert all(one["reason"] for one in further)
    own = next(one for one in further if slots[one["launch"]] == 4)
    assert own["result"]["tok_s"] == 380.0, "its own, and not the median over launches"
    assert (confirmation["status"], confirmation["planned"]) == ("not_settled", 3)
    totals = found["totals"]
    assert totals["further_launches"] == {"completed": 3}
    assert totals["budget"]["spent"]["experiments"] == totals["launches"]["completed"] + 3 == 6
    alone = [(e.startup_s or 0) + (e.measure_s or 0) for e in summary.experiments]
    assert used.minutes * 60 > sum(alone)
    text = ledger_markdown(found)
    assert f"## Confirmation\n\n{confirmation['headline']}" in text
    assert sum("| 2. time |" in line for line in text.splitlines()) == 2
    assert "- Further launches: 3 completed" in text
