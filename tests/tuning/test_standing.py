"""Where experiments stand: one operating point of each, and the two frontiers. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, level, opened, smooth
from made_up_predictor import MadeUpPredictor

from autotuner.measure import Measurement
from autotuner.report.points import disturbed_note
from autotuner.store import Standing
from autotuner.store.listing import task_items
from autotuner.tuning.disturbance import disturbance_of
from autotuner.tuning.events import Event, ExperimentEnded, ExperimentStarted
from autotuner.tuning.representative import standings
from autotuner.tuning.search_state import SearchContext


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


OBJECTIVES = ("tok_s_per_gpu", "tok_s_per_user")


def worse_with_4(slots: int, concurrency: int) -> Measurement | None:
    """Two slots are the best at everything; four break down."""
    if slots == 4:
        return None
    return level(concurrency, 100.0 * slots, 20.0 / slots)


def test_standings_are_those_of_the_runs_end(bench: Bench) -> None:
    summary, _ = bench.tune(load=worse_with_4)
    experiments = bench.store.experiments(summary.task.id)
    assert {e.id: e.standing for e in experiments} == standings(
        experiments, objectives=OBJECTIVES, slo={}, usd_per_gpu_hour=None
    )
    by_slots = {e.settings["scheduling.max_running_requests"]: e.standing for e in experiments}
    assert by_slots[2].is_on_actual_frontier
    assert not by_slots[1].is_on_actual_frontier
    assert by_slots[1].actual_throughput_tok_s == 100.0
    assert by_slots[2].actual_tpot_ms == 10.0
    assert by_slots[4] == Standing(), "what failed and was not predicted stands nowhere"


def test_the_frontier_of_the_summary_is_the_one_that_is_flagged(bench: Bench) -> None:
    summary, _ = bench.tune()
    flagged = {
        e.candidate_id
        for e in bench.store.experiments(summary.task.id)
        if e.standing.is_on_actual_frontier
    }
    assert flagged == {point.experiment for point in summary.frontier}


def test_the_representative_point_is_on_the_frontier_where_one_of_its_points_is(
    bench: Bench,
) -> None:
    summary, _ = bench.tune()
    of_frontier = {(point.experiment, point.tok_s) for point in summary.frontier}
    for experiment in bench.store.experiments(summary.task.id):
        if experiment.standing.is_on_actual_frontier:
            shown = (experiment.candidate_id, experiment.standing.actual_throughput_tok_s)
            assert shown in of_frontier


def test_what_was_predicted_is_shown_at_the_level_that_is_shown(bench: Bench) -> None:
    summary, _ = bench.tune(predictor=MadeUpPredictor())
    for experiment in bench.store.experiments(summary.task.id):
        answer = experiment.standing
        levels = {m.tok_s: m.load.value for m in experiment.measurements}
        shown = levels[answer.actual_throughput_tok_s or 0.0]
        expected = experiment.calibrated or experiment.base
        (message,) = (p for p in expected if p.load.value == shown)
        assert answer.predicted_throughput_tok_s == message.tok_s
        assert answer.predicted_ttft_ms == message.ttft_ms
        after_the_first = message.tpot_ms * (message.osl - 1)
        mean_ms = message.ttft_ms + after_the_first
        assert answer.predicted_latency_p90_ms == pytest.approx(1.25 * mean_ms)


def test_with_one_objective_the_best_point_is_shown(bench: Bench) -> None:
    summary, _ = bench.tune()
    experiments = bench.store.experiments(summary.task.id)
    found = standings(experiments, objectives=("ttft_ms",), slo={}, usd_per_gpu_hour=None)
    assert sum(standing.is_on_actual_frontier for standing in found.values()) == 1


def test_frontier_points_are_counted_for_each_experiment(bench: Bench) -> None:
    summary, _ = bench.tune()
    counts = Counter(point.experiment for point in summary.frontier)
    for experiment in bench.store.experiments(summary.task.id):
        assert experiment.standing.frontier_points == counts[experiment.candidate_id]
    assert counts.total() == len(summary.frontier) > 0


def test_the_best_point_of_a_task_is_the_one_that_is_recommended(bench: Bench) -> None:
    summary, _ = bench.tune()
    chosen = summary.recommended
    assert chosen is not None
    best = shown(bench, summary.task.id)["best"]
    assert best["load"] == chosen.load.to_json()
    assert (best["candidate"], best["meets_slo"]) == (chosen.experiment, chosen.meets_slo)
    for name in ("tok_s", "tok_s_per_gpu", "ttft_ms", "tpot_ms", "e2e_p90_ms"):
        assert best[name] == getattr(chosen, name)
    (index,) = (e.index for e in summary.experiments if e.id == chosen.experiment)
    assert best["experiment_index"] == index


def test_levels_that_were_disturbed_are_counted_with_the_best_point_and_in_words(
    bench: Bench,
) -> None:
    def late_at_4(slots: int, concurrency: int) -> Measurement | None:
        found = smooth(slots, concurrency)
        assert found is not None
        return found.model_copy(update={"client_bottleneck": concurrency == 4})

    summary, _ = bench.tune(load=late_at_4)
    best = shown(bench, summary.task.id)["best"]
    assert (best["levels"], best["disturbed_levels"]) == (6, 3)
    note = disturbed_note(summary)
    assert note is not None
    assert note.startswith("3 of 6 levels were measured while other processes used the machine")


def test_levels_of_a_launch_that_failed_are_counted_nowhere(bench: Bench) -> None:
    def late_at_1(slots: int, concurrency: int) -> Measurement | None:
        found = None if (slots, concurrency) == (4, 4) else smooth(slots, concurrency)
        return found and found.model_copy(update={"client_bottleneck": concurrency == 1})

    summary, _ = bench.tune(load=late_at_1)
    assert sum(len(one.measurements) for one in summary.experiments) > 4
    best, found = shown(bench, summary.task.id)["best"], disturbance_of(summary.experiments)
    assert found is not None
    assert (best["levels"], best["disturbed_levels"]) == (found.levels, found.disturbed) == (4, 2)


def test_the_best_point_is_renewed_whenever_an_experiment_ends(bench: Bench) -> None:
    seen = []

    def listen(event: Event) -> None:
        if isinstance(event, ExperimentEnded):
            seen.append(shown(bench, 1)["best"])

    bench.tune(load=worse_with_4, changes={"slo": {}}, listen=listen)
    assert [best["experiment_index"] for best in seen] == [1, 2, 2]
    assert {best["meets_slo"] for best in seen} == {None}
    assert seen[-1] == shown(bench, 1)["best"]


def test_the_time_left_is_what_the_launches_before_took_on_average(bench: Bench) -> None:
    summary, _ = bench.tune()
    context = SearchContext(bench.prepared())
    done = bench.store.experiments(summary.task.id)
    assert context.left_s(()) is None, "nothing tells"
    assert [context.left_s(done[:count]) for count in (1, 2, 3)] == pytest.approx([9.0, 4.5, 0.0])
    limited = SearchContext(bench.prepared({"optimization": {"budget": {"minutes": 0.1}}}))
    assert limited.left_s(done[:1]) == pytest.approx(1.5), "the budget has 6 s, 4.5 s are spent"
    fewer = SearchContext(bench.prepared({"optimization": {"budget": {"experiments": 2}}}))
    assert fewer.left_s(done[:1]) == pytest.approx(4.5)


def test_the_time_left_is_kept_while_the_task_runs(bench: Bench) -> None:
    left = []

    def listen(event: Event) -> None:
        if isinstance(event, ExperimentStarted | ExperimentEnded):
            left.append(shown(bench, 1)["left_s"])

    bench.tune(listen=listen)
    assert left[0] is None
    assert None not in left[1:]
    assert shown(bench, 1)["left_s"] is None, "it has ended"


def shown(bench: Bench, task_id: int) -> dict[str, Any]:
    """The task as lists have it."""
    item: dict[str, Any] = json.loads(task_items(bench.store.sessions, [task_id])[task_id])
    return item


def test_nothing_finished_stands_nowhere() -> None:
    assert standings((), objectives=OBJECTIVES, slo={}, usd_per_gpu_hour=None) == {}
    assert not any(asdict(Standing()).values())
