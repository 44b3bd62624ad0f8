"""Searches replayed on a landscape: budgets, failures, noise, memory, baselines and the oracle."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.evaluate.baseline_orders import Ordered
from autotuner.evaluate.baselines import BASELINES, contender, contenders
from autotuner.evaluate.search_replay import (
    FRONTIER,
    Case,
    Goal,
    Subject,
    by_model,
    replay,
    run_cases,
    scored,
    transferred_to,
)
from autotuner.evaluate.search_results import Quartiles, averages, results
from autotuner.evaluate.search_scores import Truth
from autotuner.evaluate.simulated_time import LaunchCosts
from autotuner.landscapes import (
    Landscape,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    knowledge,
    measured,
)
from autotuner.search import STRATEGIES, Proposal, SearchState, Stop, Strategy
from autotuner.testing.strategy_contract import StrategyContract

LEVELS = (1, 4, 16)
LOG = st.floats(math.log(1), math.log(1000)).map(lambda drawn: round(math.exp(drawn), 3))
"""As files have them: figures that differ in their last bit alone span no frontier."""


def figures(ttft_ms: float, tpot_ms: float, tok_s: float) -> PointMetrics:
    return PointMetrics(ttft_ms, tpot_ms, tok_s, ttft_ms + 100 * tpot_ms)


def launch(key: str, levels: Sequence[RecordedLevel], *, tp: int = 1) -> RecordedLaunch:
    return RecordedLaunch(key, "vllm", tp, {"parallel.tensor_parallel": tp}, tuple(levels))


def level(
    concurrency: int, true: PointMetrics | None, stated: PointMetrics | None
) -> RecordedLevel:
    status = "oom" if true is None else "ok"
    reported = "na" if stated is None else "ok"
    return RecordedLevel(
        LoadLevel.concurrency(concurrency), true, status, stated, reported, None, 0.03
    )


def landscape(size: int = 6, *, model: str = "llama-3.1-8b") -> Landscape:
    """Wider launches are faster for a user and worse for the GPUs; the last one fails."""
    launches = []
    for place in range(size):
        slower = 1 + 0.3 * (place % 3)
        true = [
            figures(50 * slower * c**0.5, 10 * slower * c**0.3 / (1 + place), 100 * c**0.6)
            for c in LEVELS
        ]
        kept: list[PointMetrics | None] = [None] * len(LEVELS) if place == size - 1 else [*true]
        stated = [figures(1.5 * t.ttft_ms, 0.7 * t.tpot_ms, 1.2 * t.tok_s) for t in true]
        rows = [level(*row) for row in zip(LEVELS, kept, stated, strict=True)]
        launches.append(launch(str(place), rows, tp=place + 1))
    return Landscape(f"made-up-{model}", model, "h100_sxm", 1024, 101, tuple(launches))


@st.composite
def landscapes(draw: st.DrawFn) -> Landscape:
    """Any launches, at least one of which succeeds somewhere."""
    drawn = st.none() | st.builds(figures, LOG, LOG, LOG)
    sizes = range(draw(st.integers(1, 6)))
    rows = [[level(c, draw(drawn), draw(drawn)) for c in LEVELS] for _ in sizes]
    rows[0][0] = level(1, figures(draw(LOG), draw(LOG), draw(LOG)), None)
    launches = [launch(str(place), some, tp=place + 1) for place, some in enumerate(rows)]
    return Landscape("drawn", "llama-3.1-8b", "h100_sxm", 1024, 101, tuple(launches))


class Watched:
    """Launches in order, and keeps what it was reported."""

    name = "watched"

    def __init__(self, *, again: bool = False) -> None:
        self.states: list[SearchState] = []
        self.again = again

    def propose(self, state: SearchState) -> Proposal | Stop:
        self.states.append(state)
        if state.spent_experiments == state.budget.experiments:
            return Stop("enough")
        left = state.candidates if self.again else state.untried()
        return Proposal(left[0], "the first", "only")


def test_a_search_sees_noisy_outcomes_and_a_failure_costs_as_much_as_a_success() -> None:
    scape, watched = landscape(3), Watched()
    found = replay(watched, scape, Goal(FRONTIER), launches=3, seed=7)
    assert found.launched == ("0", "1", "2")
    assert found.stopped == "enough"
    assert len(found.seconds) == 3
    last = watched.states[-1]
    assert last.history == tuple(measured(scape, one, 7) for one in scape.launches)
    assert [outcome.status for outcome in last.history] == ["completed", "completed", "failed"]
    assert last.history[0].points[0].ttft_ms != scape.launches[0].levels[0].true.ttft_ms  # type: ignore[union-attr]


def test_a_search_has_its_goal_its_budget_and_what_is_known() -> None:
    scape, watched = landscape(), Watched()
    goal = Goal(("tok_s_per_gpu",), {"ttft_ms": 50.0})
    known = knowledge(scape)
    replay(watched, scape, goal, launches=2, seed=3, knowledge=known)
    state = watched.states[0]
    assert (state.objectives, state.slo, state.seed) == (goal.objectives, goal.slo, 3)
    assert (state.budget.experiments, tuple(x.value for x in state.levels)) == (2, LEVELS)
    assert state.knowledge == known
    assert state.settings["2"] == {"parallel.tensor_parallel": 3}


def test_a_strategy_that_launches_something_twice_is_a_defect_and_is_named() -> None:
    with pytest.raises(ValueError, match="watched proposes '0'"):
        replay(Watched(again=True), landscape(), Goal(FRONTIER), launches=2)


def test_launches_take_their_start_and_their_levels() -> None:
    scape, costs = landscape(3), LaunchCosts(startup_minutes=4, level_minutes=1)
    found = replay(Watched(), scape, Goal(FRONTIER), launches=3, costs=costs)
    assert [x.at_minutes for x in found.levels] == [5, 6, 7, 12, 13, 14]  # the last one fails
    assert costs.of_launches(scape, 2) == 14


def test_recorded_durations_of_launches_are_used() -> None:
    timed = replace(landscape(1).launches[0], startup_s=120.0, measure_s=90.0)
    costs = LaunchCosts()
    assert (costs.startup(timed), costs.level(timed), costs.whole(timed)) == (2, 0.5, 3.5)


@given(landscapes(), st.integers(0, 3), st.sampled_from(["grid", "random", "progressive"]))
@settings(max_examples=15, deadline=None)
def test_all_levels_one_by_one_are_whole_launches(scape: Landscape, seed: int, name: str) -> None:
    """A strategy that chooses no levels is not changed by being asked for them."""
    whole, asked = (
        replay(
            contender(name, scape),
            scape,
            Goal(FRONTIER),
            launches=3,
            seed=seed,
            knowledge=knowledge(scape),
            level_by_level=one_by_one,
        )
        for one_by_one in (False, True)
    )
    assert (asked.launched, asked.levels, asked.stopped) == (
        *(whole.launched, whole.levels, whole.stopped),
    )


@given(landscapes(), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_hybrid_measures_no_level_twice_and_at_least_one_of_each_launch_that_runs(
    scape: Landscape, seed: int
) -> None:
    strategy = contender("hybrid", scape)
    found = replay(
        strategy, scape, Goal(FRONTIER), seed=seed, knowledge=knowledge(scape), level_by_level=True
    )
    pairs = [(x.candidate_id, x.load) for x in found.levels]
    assert len(set(pairs)) == len(pairs)
    ran = [one.id for one in scape.launches if any(at.true for at in one.levels)]
    assert {key for key, _ in pairs} == set(ran) & set(found.launched)


def test_a_search_within_minutes_ends_by_them_and_only_what_is_over_counts() -> None:
    scape, costs = landscape(6), LaunchCosts(startup_minutes=4, level_minutes=1)
    given_order = Ordered("given", lambda state: state.candidates)
    found = replay(given_order, scape, Goal(FRONTIER), minutes=15, costs=costs)
    assert "15 minutes is used up" in found.stopped
    assert max(x.at_minutes for x in found.levels) > 15
    within = found.measured_within(15)
    assert within == {(x.candidate_id, x.load) for x in found.levels if x.at_minutes <= 15}
    assert 0 < len(within) < len(found.levels)


def test_failures_cost_less_of_a_budget_of_minutes_than_of_launches() -> None:
    """The order meets the failing launch first: within launches it has cost one of two."""
    scape = landscape(3)
    failing = replace(scape, launches=scape.launches[::-1])
    subject = Subject(failing, knowledge(failing), LaunchCosts(1, 2))
    scores = scored(subject, Case(0, "oracle", 1, 0), contender("oracle", failing))
    assert scores.minutes == 7
    assert scores.hv2 == scores.hv2_minutes  # an oracle launches nothing in vain
    given_order = Ordered("given", lambda state: state.candidates)
    found = replay(given_order, failing, Goal(FRONTIER), minutes=7, costs=subject.costs)
    assert found.launched == ("2", "1")


@given(landscapes(), st.integers(0, 50))
@settings(max_examples=30)
def test_an_oracle_with_all_launches_finds_everything(scape: Landscape, seed: int) -> None:
    case = Case(0, "oracle", len(scape.launches), seed)
    scores = scored(Subject(scape, knowledge(scape)), case, contender("oracle", scape))
    assert scores.hv2 == pytest.approx(1)
    assert scores.hv3 == pytest.approx(1)
    assert scores.regret == 0
    assert scores.e2e_regret == 0


@given(landscapes())
@settings(max_examples=30)
def test_the_first_launch_of_the_oracle_is_the_best_single_one(scape: Landscape) -> None:
    truth = Truth.of(scape)
    for dimensions, objectives in ((2, FRONTIER), (3, (*FRONTIER, "ttft_ms"))):
        goal = Goal(objectives)
        (first,) = replay(contender("oracle", scape), scape, goal, launches=1).launched
        best = max(truth.hypervolume_ratio([one.id], dimensions) for one in scape.launches)
        assert truth.hypervolume_ratio([first], dimensions) == pytest.approx(best)


@pytest.mark.slow
@pytest.mark.parametrize("name", contenders())
def test_whoever_searches_to_the_end_finds_everything_and_stops(name: str) -> None:
    scape = landscape()
    subject, strategy = Subject(scape, knowledge(scape)), contender(name, scape)
    assert strategy.name == name
    scores = scored(subject, Case(0, name, 99, 0), strategy)
    if name != "two_stage":  # which leaves out what nothing is predicted of
        assert scores.hv2 == pytest.approx(1)
        assert scores.regret == 0
    assert scores.wasted >= 1  # a launch of the landscape fails


@pytest.mark.parametrize("name", sorted({*BASELINES} - {"oracle"}))
@given(landscapes(), st.integers(0, 5))
@settings(max_examples=5)
def test_baselines_live_with_any_predictions_and_failures(
    name: str, scape: Landscape, seed: int
) -> None:
    subject, strategy = Subject(scape, knowledge(scape)), contender(name, scape)
    first = scored(subject, Case(0, name, 4, seed), strategy)
    again = scored(subject, Case(0, name, 4, seed), contender(name, scape))
    assert (first.hv2, first.hv3, first.regret, first.e2e_regret) == (
        *(again.hv2, again.hv3, again.regret, again.e2e_regret),
    )


class TestPredicted(StrategyContract):
    def strategy(self) -> Strategy:
        return contender("predicted", landscape())


class TestGreedy(StrategyContract):
    def strategy(self) -> Strategy:
        return contender("greedy", landscape())


@pytest.mark.parametrize("name", contenders())
def test_answers_of_one_token_are_searched_and_scored(name: str) -> None:
    def one_token(reported: PointMetrics | None) -> PointMetrics | None:
        return reported and replace(reported, tpot_ms=None, latency_ms=reported.ttft_ms)

    several = landscape()
    launches = tuple(
        replace(
            one,
            levels=tuple(
                replace(at, true=one_token(at.true), predicted=one_token(at.predicted))
                for at in one.levels
            ),
        )
        for one in several.launches
    )
    scape = replace(several, osl=1.0, launches=launches)
    scores = scored(Subject(scape, knowledge(scape)), Case(0, name, 99, 0), contender(name, scape))
    assert scores.hv3 == pytest.approx(1)
    assert scores.regret == scores.e2e_regret == 0


def test_predictions_alone_take_the_extremes_first() -> None:
    scape = landscape()
    known = knowledge(scape)
    every = [point for sweep in known.predictions.values() for point in sweep]
    extremes = {
        max(every, key=lambda point: point.tok_s_per_gpu).candidate_id,
        min(every, key=lambda point: point.tpot_ms).candidate_id,
    }
    found = replay(
        contender("predicted", scape), scape, Goal(FRONTIER), launches=2, knowledge=known
    )
    assert set(found.launched) == extremes
    assert len(extremes) == 2


def test_the_names_of_strategies_and_baselines_are_apart() -> None:
    assert not set(STRATEGIES) & set(BASELINES)


def test_memory_leaves_out_the_replayed_model_under_any_name() -> None:
    one, same, other = (
        landscape(model=name)
        for name in ("llama70b", "meta-llama/Llama-3.1-70B-Instruct", "qwen3-32b")
    )
    found = transferred_to(one, by_model([one, same, other]))
    assert {observation.model for observation in found.used} == {"qwen3-32b"}
    assert len(found.used) == 5 * len(LEVELS)  # one of six launches fails
    assert found.left_out == 2 * 5 * len(LEVELS)


def test_a_landscape_without_a_model_is_taught_nothing_and_teaches_no_one() -> None:
    unnamed, other = landscape(model=""), landscape(model="qwen3-32b")
    assert transferred_to(unnamed, by_model([other])).used == ()
    assert transferred_to(other, by_model([unnamed])).used == ()


def test_processes_find_what_one_process_finds() -> None:
    subjects = [Subject(scape, knowledge(scape)) for scape in (landscape(), landscape(4))]
    cases = [
        Case(subject, name, 3, seed)
        for subject, name, seed in itertools.product((0, 1), ("random", "greedy"), (0, 1))
    ]
    alone, together = (
        [(case, one.hv2, one.hv3, one.regret) for case, one in run_cases(subjects, cases, jobs=n)]
        for n in (1, 2)
    )
    assert alone == together


def test_results_are_quartiles_over_seeds_and_means_over_landscapes() -> None:
    subjects = [Subject(scape, knowledge(scape)) for scape in (landscape(), landscape(4))]
    cases = [Case(subject, "random", 2, seed) for subject in (0, 1) for seed in range(5)]
    found = dict(run_cases(subjects, cases))
    reported = results(subjects, found)
    assert [(one.landscape, one.seeds) for one in reported] == [("made-up-llama-3.1-8b", 5)] * 2
    own = sorted(found[case].hv2 for case in cases[:5])
    assert reported[0].hv2 == Quartiles(median=own[2], q25=own[1], q75=own[3])
    (mean,) = averages(reported)
    assert mean.landscapes == 2
    assert mean.hv2 == pytest.approx((reported[0].hv2.median + reported[1].hv2.median) / 2)
