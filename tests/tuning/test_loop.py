"""The loop, with engines and loads made up in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_up_bench import Bench, MadeUpEngine, MadeUpLauncher, level, opened, smooth
from made_up_predictor import MadeUpPredictor

from autotuner.errors import ConfigError
from autotuner.measure import Measurement
from autotuner.search import (
    EndLaunch,
    NextLevel,
    Proposal,
    RunningLaunch,
    SearchState,
    Stop,
)
from autotuner.search.grid_and_random import GridStrategy
from autotuner.tuning.events import (
    ExperimentStarted,
    LaunchCutShort,
    Predicting,
    PredictionTrouble,
    StrategyChosen,
    TaskEnded,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


def test_every_candidate_is_measured_at_every_level(bench: Bench) -> None:
    summary, generator = bench.tune()
    assert [e.status for e in summary.experiments] == ["completed"] * 3
    assert [p.load.value for p in generator.plans] == [1, 4] * 3
    assert [(p.tok_s, p.tok_s_per_user) for p in summary.frontier] == [
        (100.0, 200.0),
        (200.0, 100.0),
        (400.0, 50.0),
    ]
    assert isinstance(bench.events[-1], TaskEnded)


def test_the_recommended_point_has_the_most_throughput_within_the_slo(bench: Bench) -> None:
    chosen = bench.tune()[0].recommended
    assert chosen is not None
    assert (chosen.tok_s, chosen.tpot_ms, chosen.meets_slo) == (200.0, 10.0, True)


def test_without_a_point_within_the_slo_the_nearest_one_is_named_as_such(bench: Bench) -> None:
    chosen = bench.tune(changes={"slo": {"tpot_ms": 4}})[0].recommended
    assert chosen is not None
    assert not chosen.meets_slo
    assert "no operating point meets the SLO" in chosen.reason


def test_a_failed_launch_is_kept_and_the_rest_goes_on(bench: Bench) -> None:
    summary, _ = bench.tune(launcher=MadeUpLauncher(broken=(2,)))
    assert [e.status for e in summary.experiments] == ["completed", "failed", "completed"]
    failure = summary.experiments[1].failure
    assert failure is not None
    assert (failure.kind, failure.log_tail) == ("out_of_memory", "alloc failed")
    assert summary.task.status == "completed"


def test_an_engine_that_dies_under_load_is_diagnosed_and_takes_no_part(bench: Bench) -> None:
    def mortal(slots: int, concurrency: int) -> Measurement | None:
        return None if (slots, concurrency) == (4, 4) else smooth(slots, concurrency)

    summary, _ = bench.tune(mortal)
    dead = summary.experiments[2]
    assert dead.failure is not None
    assert dead.failure.kind == "died_under_load"
    assert len(dead.measurements) == 2, "what was measured is kept"
    assert dead.id not in {point.experiment for point in summary.frontier}


def test_a_level_with_failed_requests_is_kept_off_the_frontier(bench: Bench) -> None:
    def flaky(slots: int, concurrency: int) -> Measurement | None:
        best = (slots, concurrency) == (4, 4)
        return level(4, 900.0, 1.0, failed=1) if best else smooth(slots, concurrency)

    summary, _ = bench.tune(flaky)
    assert summary.experiments[2].status == "completed"
    assert summary.experiments[2].measurements[1].errors == {"HTTP 503: busy": 1}
    assert max(point.tok_s for point in summary.frontier) == 200.0


def test_where_every_level_fails_the_errors_are_shown(bench: Bench) -> None:
    summary, _ = bench.tune(lambda slots, concurrency: level(concurrency, 1.0, 1.0, failed=3))
    assert {e.failure.kind for e in summary.experiments if e.failure} == {"load_errors"}
    assert summary.experiments[0].failure is not None
    assert "3 x HTTP 503: busy" in summary.experiments[0].failure.message
    assert (summary.task.status, summary.frontier, summary.recommended) == ("failed", [], None)


def test_a_budget_of_experiments_is_kept(bench: Bench) -> None:
    changes = {"optimization": {"strategy": "grid", "budget": {"experiments": 2}}}
    summary, _ = bench.tune(changes=changes)
    assert len(summary.experiments) == 2
    assert "budget" in summary.task.stop_reason


def test_what_the_strategy_says_of_itself_is_shown_and_kept(bench: Bench) -> None:
    summary, _ = bench.tune(changes={"optimization": {"strategy": "random", "seed": 7}})
    shown = [event for event in bench.events if isinstance(event, StrategyChosen)]
    assert [(event.name, event.reason) for event in shown] == [
        ("random", "3 of 3 candidates drawn without replacement, with seed 7")
    ]
    assert (summary.task.strategy, summary.task.strategy_reason) == (shown[0].name, shown[0].reason)
    assert "strategy" in {event.kind for event in bench.store.events(summary.task.id)}
    assert {experiment.phase for experiment in summary.experiments} == {"random"}
    started = [event for event in bench.events if isinstance(event, ExperimentStarted)]
    assert [(e.reason, e.phase) for e in started] == [
        (e.selection_reason, e.phase) for e in summary.experiments
    ]


class Listening(GridStrategy):
    """A grid that is told all that a search may know, and keeps it."""

    uses_knowledge = True

    def __init__(self) -> None:
        self.states: list[SearchState] = []
        self.thread = threading.main_thread()

    def propose(self, state: SearchState) -> Proposal | Stop:
        self.states.append(state)
        self.thread = threading.current_thread()
        return super().propose(state)


def test_a_strategy_is_shown_what_is_known_of_every_candidate(bench: Bench) -> None:
    strategy, predictor = Listening(), MadeUpPredictor(refused={2: "no data"}, too_large=[4])
    bench.tune(predictor=predictor, strategy=strategy)
    first, last = strategy.states[0], strategy.states[-1]
    one, two, four = first.candidates
    known = first.knowledge
    assert [point.load.value for point in known.predictions[one]] == [1, 4]
    assert {point.ttft_ms for point in known.predictions[one]} == {40.0}, "not corrected"
    assert set(known.predictions) == {one}
    assert known.refused == {two: "no data"}
    assert known.out_of_memory == {four: "too large"}
    assert {shown.gpus for shown in known.circumstances.values()} == {1}
    assert known.circumstances[two].engine == "llamacpp"
    assert (first.slo, first.threshold) == ({"ttft_ms": 50, "tpot_ms": 15}, 0.001)
    assert predictor.asked == list(first.candidates), "each once, before the first launch"
    asked = [event for event in bench.events if isinstance(event, Predicting)]
    assert [(event.asked, event.total) for event in asked] == [(3, 3)]
    assert last.knowledge.earlier == (), "its own launches are in the history"
    assert strategy.thread is not threading.main_thread(), "engines are measured meanwhile"


def test_each_candidate_is_predicted_once_whatever_the_strategy_needs(bench: Bench) -> None:
    predictor = MadeUpPredictor()
    changes = {"optimization": {"strategy": "grid", "budget": {"experiments": 1}}}
    bench.tune(predictor=predictor, changes=changes)
    assert len(predictor.asked) == len(set(predictor.asked)) == 3, "of the whole space"


def test_a_predictor_that_breaks_leaves_a_strategy_without_knowledge(bench: Bench) -> None:
    class Broken(MadeUpPredictor):
        def predict(self, *_: Any) -> Any:
            raise ZeroDivisionError("by nothing")

    strategy = Listening()
    summary, _ = bench.tune(predictor=Broken(), strategy=strategy)
    assert [e.status for e in summary.experiments] == ["completed"] * 3
    assert strategy.states[0].knowledge.predictions == {}
    assert set(strategy.states[0].knowledge.refused) == set(strategy.states[0].candidates)
    shown = [event.message for event in bench.events if isinstance(event, PredictionTrouble)]
    assert shown == ["the predictor failed: ZeroDivisionError: by nothing"]


def test_levels_that_failed_are_shown_to_the_strategy(bench: Bench) -> None:
    def flaky(slots: int, concurrency: int) -> Measurement | None:
        if slots == 4:
            return None
        failed = int((slots, concurrency) == (2, 4))
        return level(concurrency, 100.0, 5.0, failed=failed)

    strategy = Listening()
    bench.tune(flaky, strategy=strategy)
    outcomes = strategy.states[-1].history
    assert [tuple(x.value for x in outcome.failed_levels) for outcome in outcomes] == [
        (),
        (4,),
        (1,),
    ]
    assert [len(outcome.points) for outcome in outcomes] == [2, 1, 0]


FLAT = {"scheduling": {"max_running_requests": [4, 1, 2]}, "slo": {}}
"""The candidate that `ranked` makes the best comes first."""


def ranked(slots: int, concurrency: int) -> Measurement | None:
    """As predicted, but for the four slots, which are twenty times as fast."""
    running, speed = min(slots, concurrency), 20.0 if slots == 4 else 1.0
    return level(concurrency, 50.0 * running * speed, 10.0 * running / speed)


def test_levels_that_cannot_improve_the_frontier_are_left_out(bench: Bench) -> None:
    strategy = Listening()
    benchmark = {"concurrency": [1, 4, 8, 16], "repeats": 2}
    summary, _ = bench.tune(
        ranked,
        changes=FLAT | {"benchmark": benchmark},
        predictor=MadeUpPredictor(),
        strategy=strategy,
    )
    assert [len(e.measurements) for e in summary.experiments] == [8, 4, 4]
    assert summary.experiments[0].cut_short is None, "the first is never cut short"
    for experiment in summary.experiments[1:]:
        assert experiment.cut_short is not None
        assert experiment.cut_short.startswith("after 2 levels: 8, 16 concurrent cannot improve")
        assert experiment.status == "completed"
    shown = [event.reason for event in bench.events if isinstance(event, LaunchCutShort)]
    assert shown == [e.cut_short for e in summary.experiments[1:]]
    left_out = strategy.states[-1].history[1]
    assert [point.load.value for point in left_out.points] == [1, 4]
    assert left_out.failed_levels == ()


@pytest.mark.parametrize(
    ("benchmark", "predictor"),
    [({"cut_short": False}, MadeUpPredictor()), ({}, None)],
    ids=["off", "silent"],
)
def test_a_sweep_is_whole_where_cutting_is_off_or_nothing_is_predicted(
    benchmark: dict[str, Any], predictor: MadeUpPredictor | None, bench: Bench
) -> None:
    changes = FLAT | {"benchmark": {"concurrency": [1, 4, 8]} | benchmark}
    summary, _ = bench.tune(ranked, changes=changes, predictor=predictor)
    assert [len(e.measurements) for e in summary.experiments] == [3, 3, 3]
    assert [e.cut_short for e in summary.experiments] == [None] * 3


class FourFirst:
    """Launches in order; measures four at once first, and then only where it is told to."""

    name = "four_first"
    uses_knowledge = False

    def __init__(self, most: int = 1) -> None:
        self.most = most
        self.asked: list[tuple[SearchState, RunningLaunch]] = []

    def propose(self, state: SearchState) -> Proposal | Stop:
        return GridStrategy().propose(state)

    def next_level(self, state: SearchState, running: RunningLaunch) -> NextLevel | EndLaunch:
        self.asked.append((state, running))
        if len(running.measured.points) >= self.most:
            return EndLaunch("that is enough")
        four = [load for load in running.left if load.value == 4]
        return NextLevel((*four, *running.left)[0])


AS_NEEDED = {"optimization": {"strategy": "auto", "levels": "as_needed"}}


def test_levels_as_needed_are_those_that_the_strategy_asks_for(bench: Bench) -> None:
    strategy = FourFirst()
    benchmark = {"concurrency": [1, 4, 8], "repeats": 2}
    summary, generator = bench.tune(changes=AS_NEEDED | {"benchmark": benchmark}, strategy=strategy)
    assert [p.load.value for p in generator.plans] == [4, 4] * 3
    assert [e.cut_short for e in summary.experiments] == ["after 1 level: that is enough"] * 3
    assert all(e.status == "completed" for e in summary.experiments)
    shown = [event.reason for event in bench.events if isinstance(event, LaunchCutShort)]
    assert shown == ["after 1 level: that is enough"] * 3
    state, running = strategy.asked[3]
    assert state.level_by_level is not None
    assert state.level_by_level.startup * 60 == pytest.approx(MadeUpEngine.startup_s)
    assert (len(state.history), state.in_flight) == (1, ())
    assert ([x.value for x in running.left], running.has_begun) == ([1, 8], True)
    assert [point.load.value for point in running.measured.points] == [4]


def test_an_interrupted_launch_keeps_its_levels_and_the_strategy_is_asked_for_the_rest(
    bench: Bench,
) -> None:
    def stopped(slots: int, concurrency: int) -> Measurement | None:
        if (slots, concurrency) == (2, 1):
            raise asyncio.CancelledError
        return smooth(slots, concurrency)

    changes = AS_NEEDED | {"benchmark": {"concurrency": [1, 4, 8]}}
    with pytest.raises(asyncio.CancelledError):
        bench.tune(stopped, changes=changes, strategy=FourFirst(2))
    strategy = FourFirst(2)
    summary, generator = bench.tune(changes=changes, strategy=strategy)
    assert [p.load.value for p in generator.plans] == [1, 4, 1], "no level is measured again"
    _, first = strategy.asked[0]
    assert [point.load.value for point in first.measured.points] == [4]
    assert [[m.load.value for m in e.measurements] for e in summary.experiments] == [[4, 1]] * 3


@pytest.mark.parametrize("levels", ["all", None])
def test_every_level_is_measured_where_a_budget_counts_launches(
    levels: str | None, bench: Bench
) -> None:
    strategy = FourFirst()
    asked = {"strategy": "auto", "budget": {"experiments": 2}} | (
        {} if levels is None else {"levels": levels, "budget": {"minutes": 0.01}}
    )
    _, generator = bench.tune(changes={"optimization": asked}, strategy=strategy)
    assert {plan.load.value for plan in generator.plans} == {1, 4}
    assert strategy.asked == []


def test_with_one_objective_its_best_point_within_the_slo_is_what_is_found(bench: Bench) -> None:
    objectives = {"strategy": "grid", "objectives": ["tok_s_per_gpu"]}
    summary, _ = bench.tune(changes={"optimization": objectives})
    assert [(point.tok_s, point.tpot_ms) for point in summary.frontier] == [(200.0, 10.0)]
    assert summary.recommended is not None
    assert summary.recommended.tok_s == 200.0
    assert summary.task.hypervolume is None
    fast = {"strategy": "grid", "objectives": ["tpot_ms"]}
    best = bench.tune(changes={"optimization": fast, "slo": {}})[0].recommended
    assert best is not None
    assert best.tpot_ms == 5.0
    assert "the lowest time per output token, mean (5 ms) of 6 operating points" in best.reason


def test_the_cost_of_tokens_is_an_objective_where_a_price_is_known(bench: Bench) -> None:
    cost = {"strategy": "grid", "objectives": ["usd_per_million_tokens", "ttft_ms"]}
    with pytest.raises(ConfigError, match=r"needs a price(.|\n)*say system.price_per_gpu_hour"):
        bench.prepared({"optimization": cost})
    strategy = Listening()
    changes = {"optimization": cost, "system": {"price_per_gpu_hour": 3.6}}
    summary, _ = bench.tune(changes=changes, strategy=strategy)
    (best,) = summary.frontier
    assert best.tok_s == 400.0
    assert best.usd_per_million_tokens == pytest.approx(3.6 / (400 * 3600) * 1e6)
    # 64 tokens were read and 32 written: twice as many for the same money.
    assert best.usd_per_million_input_tokens == pytest.approx(best.usd_per_million_tokens / 2)
    assert best.usd_per_million_total_tokens == pytest.approx(best.usd_per_million_tokens / 3)
    last = strategy.states[-1]
    assert last.usd_per_gpu_hour == 3.6
    assert last.history[0].points[0].usd_per_million_tokens == pytest.approx(10.0)


def test_repeats_are_measured_with_requests_of_their_own(bench: Bench) -> None:
    changes = {"benchmark": {"concurrency": [1, 4], "repeats": 2}}
    summary, generator = bench.tune(changes=changes)
    assert [len(e.measurements) for e in summary.experiments] == [4, 4, 4]
    assert len({plan.seed for plan in generator.plans[:4]}) == 4
    assert [p.seed for p in generator.plans[:4]] == [p.seed for p in generator.plans[4:8]]


def test_a_run_that_is_cancelled_goes_on_with_the_experiment_under_way(bench: Bench) -> None:
    def stopped(slots: int, concurrency: int) -> Measurement | None:
        if (slots, concurrency) == (2, 4):
            raise asyncio.CancelledError
        return smooth(slots, concurrency)

    with pytest.raises(asyncio.CancelledError):
        bench.tune(stopped)
    (run,) = bench.store.tasks.all()
    assert run.status == "interrupted"
    summary, generator = bench.tune()
    assert [p.load.value for p in generator.plans] == [4, 1, 4], "no level is measured again"
    assert [e.status for e in summary.experiments] == ["completed"] * 3
    assert summary.task.id == run.id


def test_an_unexpected_error_marks_the_run_as_failed_and_is_raised(bench: Bench) -> None:
    def broken(slots: int, concurrency: int) -> Measurement | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.tune(broken)
    assert bench.store.tasks.all()[0].status == "failed"


def test_again_goes_on_where_a_raised_budget_leaves_something_to_launch(bench: Bench) -> None:
    assert len(
        bench.tune(changes={"optimization": {"strategy": "grid", "budget": {"experiments": 1}}})[
            0
        ].experiments
    )
    summary, _ = bench.tune(
        changes={"optimization": {"strategy": "grid", "budget": {"experiments": 2}}}, again=True
    )
    assert (summary.task.id, len(summary.experiments)) == (1, 2)
