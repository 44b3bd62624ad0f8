"""Grid and random: the contract of strategies, and what is particular to each."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.errors import AutotunerError
from autotuner.search import (
    STRATEGIES,
    Budget,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    Strategy,
    budget_exhausted,
    description,
    strategy_named,
    too_little,
    uses_knowledge,
)
from autotuner.testing.strategy_contract import StrategyContract


class TestGrid(StrategyContract):
    finds_within = None

    def strategy(self) -> Strategy:
        return strategy_named("grid")


class TestRandom(StrategyContract):
    finds_within = None

    def strategy(self) -> Strategy:
        return strategy_named("random")


class TestTwoStage(StrategyContract):
    exhaustive = False
    finds_within = 3

    def strategy(self) -> Strategy:
        return strategy_named("two_stage")


class TestProgressive(StrategyContract):
    exhaustive = False

    def strategy(self) -> Strategy:
        return strategy_named("progressive")


@pytest.mark.slow
class TestBayesian(StrategyContract):
    examples = 10
    falls_short = 0.25

    def strategy(self) -> Strategy:
        return strategy_named("bayesian")


@pytest.mark.slow
class TestHybrid(StrategyContract):
    exhaustive = False
    examples = 15
    finds_within = 3

    def strategy(self) -> Strategy:
        return strategy_named("hybrid")


@pytest.mark.slow
class TestAuto(StrategyContract):
    exhaustive = False
    examples = 15
    finds_within = 3

    def strategy(self) -> Strategy:
        return strategy_named("auto")


def fresh(size: int, *, experiments: int | None = None, seed: int = 0) -> SearchState:
    names = tuple(f"c{number}" for number in range(size))
    return SearchState(names, (), ("tok_s",), Budget(experiments=experiments), seed=seed)


def replay(name: str, state: SearchState) -> list[str]:
    """The candidates launched from `state` on, each completed before the next."""
    visited: list[str] = []
    while isinstance(choice := strategy_named(name).propose(state), Proposal):
        visited.append(choice.candidate_id)
        history = (*state.history, Outcome(choice.candidate_id, "completed"))
        state = replace(state, history=history, spent_experiments=len(history))
    return visited


@given(st.integers(1, 40))
def test_the_grid_goes_in_the_order_of_the_space(size: int) -> None:
    assert replay("grid", fresh(size)) == list(fresh(size).candidates)


@given(st.integers(2, 60), st.data())
def test_a_grid_within_a_budget_is_spread_evenly(size: int, data: st.DataObject) -> None:
    budget = data.draw(st.integers(2, size))
    visited = [int(name[1:]) for name in replay("grid", fresh(size, experiments=budget))]
    gaps = [after - before for before, after in itertools.pairwise(visited)]
    assert (visited[0], visited[-1], len(visited)) == (0, size - 1, budget)
    assert min(gaps) >= 1
    assert max(gaps) - min(gaps) <= 1


@given(st.integers(3, 30), st.data())
def test_a_raised_budget_fills_the_gaps_of_the_grid(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    visited = replay("grid", fresh(size, experiments=first))
    history = tuple(Outcome(name, "completed") for name in visited)
    resumed = replace(fresh(size, experiments=size), history=history, spent_experiments=first)
    assert sorted(visited + replay("grid", resumed)) == sorted(resumed.candidates)


@given(st.integers(0, 2**32), st.integers(1, 20), st.data())
def test_random_goes_on_where_it_stopped(seed: int, size: int, data: st.DataObject) -> None:
    done = data.draw(st.integers(0, size))
    whole = replay("random", fresh(size, seed=seed))
    history = tuple(Outcome(name, "completed") for name in whole[:done])
    resumed = replace(fresh(size, seed=seed), history=history, spent_experiments=done)
    assert replay("random", resumed) == whole[done:]


def test_the_seed_decides_the_order_of_random() -> None:
    orders = {tuple(replay("random", fresh(8, seed=seed))) for seed in range(20)}
    assert len(orders) > 15


def test_random_reaches_every_place_alike() -> None:
    firsts = [replay("random", fresh(4, experiments=1, seed=seed))[0] for seed in range(400)]
    assert all(70 < firsts.count(name) < 130 for name in fresh(4).candidates)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"candidates": ("a", "b", "a")}, "candidate 'a' is listed twice"),
        ({"objectives": ()}, "expected 1, 2 or 3 objectives, got 0"),
        ({"objectives": ("tok_s", "tok_s_per_gpu", "ttft_ms", "tpot_ms")}, "got 4"),
        ({"objectives": ("tok_s", "tok_s")}, "named twice"),
        ({"objectives": ("ttft",)}, "did you mean 'ttft_ms'"),
        ({"objectives": ("usd_per_million_tokens",)}, "without usd_per_gpu_hour"),
        ({"objectives": ("usd_per_million_tokens",), "usd_per_gpu_hour": 0.0}, "without"),
        ({"slo": {"tok_s": 3.0}}, "'tok_s' has no limit"),
        ({"slo": {"ttft_ms": 0.0}}, "above 0"),
    ],
)
def test_a_state_that_cannot_be_searched_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(fresh(3), **changes)


@given(st.floats(0, 1), st.floats(0, 1))
def test_too_little_is_what_lies_under_the_threshold(gain: float, threshold: float) -> None:
    state = replace(fresh(5), threshold=threshold)
    reason = too_little(state, gain)
    assert (reason is not None) == (gain < threshold)
    if reason is not None:
        assert "5 candidates left" in reason
    assert too_little(replace(state, threshold=None), gain) is None


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (replace(fresh(3, experiments=2), in_flight=("c0", "c1")), "2 experiments"),
        (replace(fresh(3), budget=Budget(minutes=1.5), spent_minutes=1.5), "1.5 minutes"),
        (replace(fresh(3), budget=Budget(usd=2.0), spent_usd=2.25), "2 USD"),
    ],
)
def test_the_limit_that_is_reached_is_named(state: SearchState, words: str) -> None:
    reason = budget_exhausted(state)
    assert reason is not None
    assert words in reason
    assert budget_exhausted(replace(state, budget=Budget())) is None
    for name in STRATEGIES:
        assert strategy_named(name).propose(state) == Stop(reason)


@pytest.mark.parametrize(
    ("name", "experiments", "words"),
    [
        ("grid", None, "all 9 candidates in the order of the space"),
        ("grid", 20, "all 9 candidates in the order of the space"),
        ("grid", 4, "4 of 9 candidates, spread evenly over the space"),
        ("random", 4, "4 of 9 candidates drawn without replacement, with seed 5"),
        ("random", None, "9 of 9 candidates drawn without replacement, with seed 5"),
        ("two_stage", 4, "nothing is predicted to be followed: 4 launches spread evenly"),
        ("progressive", 12, "7 in its gaps, 5 by the trends of what was measured, at the most"),
        ("bayesian", None, "4 launches drawn with seed 5, then what Optuna's TPE sampler asks for"),
    ],
)
def test_strategies_say_what_they_launch(name: str, experiments: int | None, words: str) -> None:
    strategy = strategy_named(name)
    assert words in description(strategy, fresh(9, experiments=experiments, seed=5))
    assert uses_knowledge(strategy) == (name not in ("grid", "random"))


def test_a_strategy_that_says_nothing_of_itself_has_what_is_known() -> None:
    class Bare:
        name = "bare"

        def propose(self, state: SearchState) -> Proposal | Stop:
            return Stop("at once")

    assert description(Bare(), fresh(3)) == ""
    assert uses_knowledge(Bare())


def test_strategies_carry_their_names() -> None:
    assert {name: strategy_named(name).name for name in STRATEGIES} == {
        name: name for name in STRATEGIES
    }
    with pytest.raises(AutotunerError, match="did you mean 'grid'"):
        strategy_named("gird")
