"""Load levels one by one: what hybrid and auto choose for a running launch, and the default."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import EXACT, LEVELS, SETTINGS, TRUTH, TWO, completed

from autotuner.config import LoadLevel
from autotuner.search import (
    Budget,
    ChoosesLevels,
    EndLaunch,
    LaunchMinutes,
    OperatingPoint,
    Outcome,
    Proposal,
    RunningLaunch,
    SearchState,
    next_level,
    strategy_named,
)
from autotuner.testing.search_states import states

IDS = tuple(SETTINGS)
FRESH = SearchState(
    IDS, (), TWO, levels=LEVELS, settings=SETTINGS, knowledge=EXACT, level_by_level=LaunchMinutes()
)
SLOW_START = LaunchMinutes(startup=1e6)
NO_START = LaunchMinutes(startup=0.0)


def measured(
    state: SearchState, candidate: str, points: Sequence[OperatingPoint], name: str = "hybrid"
) -> tuple[list[LoadLevel], EndLaunch | None]:
    """The levels of a launch in the order in which they are asked for, and why it ended."""
    strategy, order = strategy_named(name), list[LoadLevel]()
    every = tuple(point.load for point in points)
    while left := tuple(load for load in every if load not in order):
        shown = tuple(point for point in points if point.load in order)
        lost = tuple(load for load in order if load not in {point.load for point in shown})
        running = RunningLaunch(Outcome(candidate, "completed", shown, failed_levels=lost), left)
        choice = next_level(strategy, state, running)
        if isinstance(choice, EndLaunch):
            return order, choice
        assert choice.load in left
        order.append(choice.load)
    return order, None


@given(st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_launch_measures_no_level_twice_and_ends(data: st.DataObject) -> None:
    state = data.draw(states(begun=True))
    untried = state.untried()
    if not untried:
        return
    state = replace(
        state,
        budget=data.draw(
            st.sampled_from([Budget(), Budget(experiments=1), Budget(minutes=1), Budget(usd=1e-9)])
        ),
        level_by_level=data.draw(st.sampled_from([None, LaunchMinutes(), SLOW_START, NO_START])),
    )
    points = [
        replace(TRUTH[IDS[0]][0], candidate_id=untried[0], load=load, usd_per_gpu_hour=2.0)
        for load in state.levels
    ]
    name = data.draw(st.sampled_from(["hybrid", "auto"]))
    order, end = measured(state, untried[0], points, name)
    assert len(set(order)) == len(order) >= 1
    assert end is None or end.reason.strip()
    assert end is not None or len(order) == len(state.levels)
    assert measured(replace(state), untried[0], points, name) == (order, end)


@pytest.mark.parametrize("name", ["grid", "random", "progressive", "two_stage", "bayesian"])
def test_a_strategy_that_chooses_none_gets_every_level_rising(name: str) -> None:
    assert not isinstance(strategy_named(name), ChoosesLevels)
    assert measured(FRESH, IDS[0], TRUTH[IDS[0]], name) == (list(LEVELS), None)


def test_without_predictions_every_level_is_measured() -> None:
    silent = replace(FRESH, knowledge=replace(EXACT, predictions={}))
    for name in ("hybrid", "auto"):
        assert measured(silent, IDS[0], TRUTH[IDS[0]], name) == (list(LEVELS), None)


@functools.cache
def after(count: int) -> tuple[SearchState, str]:
    """A search after so many whole launches, and the candidate that it launches next."""
    state = FRESH
    for _ in range(count):
        choice = strategy_named("hybrid").propose(state)
        assert isinstance(choice, Proposal)
        history = (*state.history, completed(choice.candidate_id))
        state = replace(state, history=history, spent_experiments=len(history))
    choice = strategy_named("hybrid").propose(state)
    assert isinstance(choice, Proposal)
    return state, choice.candidate_id


def test_a_start_that_costs_nothing_ends_launches_sooner_than_one_that_costs_hours() -> None:
    state, candidate = after(3)
    counts = [
        len(measured(replace(state, level_by_level=minutes), candidate, TRUTH[candidate])[0])
        for minutes in (NO_START, SLOW_START)
    ]
    assert counts[0] < counts[1]


def test_why_a_launch_ends_names_what_is_left_and_the_other_launch() -> None:
    state, candidate = after(3)
    order, end = measured(replace(state, level_by_level=NO_START), candidate, TRUTH[candidate])
    assert end is not None
    assert "for each minute, another launch (c" in end.reason
    assert str(int(max(set(LEVELS) - set(order)).value)) in end.reason


def test_the_last_launch_of_a_budget_measures_every_level() -> None:
    state, candidate = after(3)
    last = replace(state, level_by_level=NO_START, budget=Budget(experiments=4))
    order, end = measured(last, candidate, TRUTH[candidate])
    assert (set(order), end) == (set(LEVELS), None)


def test_a_launch_ends_with_its_minutes_once_a_level_is_measured() -> None:
    state, candidate = after(3)
    late = replace(state, level_by_level=SLOW_START, budget=Budget(minutes=30), spent_minutes=30.0)
    order, end = measured(late, candidate, TRUTH[candidate])
    assert len(order) == 1
    assert end is not None
    assert "the budget of 30 minutes is used up" in end.reason


def test_a_level_that_costs_much_waits_for_one_that_adds_nearly_as_much() -> None:
    """Whatever is measured first costs a hundred times as much in the other search."""
    state, candidate = after(3)
    first = measured(state, candidate, TRUTH[candidate])[0][0]
    dear = LaunchMinutes(levels={candidate: {first: 1000.0}})
    assert measured(replace(state, level_by_level=dear), candidate, TRUTH[candidate])[0][0] != first


@pytest.mark.parametrize(
    ("objectives", "slo"),
    [
        (("tok_s_per_gpu",), {"ttft_ms": 400.0, "tpot_ms": 12.0}),
        (("ttft_ms",), {}),
        (("tok_s_per_gpu", "tok_s_per_user", "ttft_ms"), {"e2e_p90_ms": 4000.0}),
    ],
)
def test_any_goal_is_reached_within_less_time_than_by_whole_sweeps(
    objectives: tuple[str, ...], slo: dict[str, float]
) -> None:
    state = replace(FRESH, objectives=objectives, slo=slo)
    strategy, levels = strategy_named("hybrid"), 0
    for _ in range(3):
        choice = strategy.propose(state)
        assert isinstance(choice, Proposal)
        order, _ = measured(state, choice.candidate_id, TRUTH[choice.candidate_id])
        points = tuple(p for p in TRUTH[choice.candidate_id] if p.load in order)
        levels += len(points)
        done = Outcome(choice.candidate_id, "completed", points)
        state = replace(
            state, history=(*state.history, done), spent_experiments=state.spent_experiments + 1
        )
    assert 3 <= levels < 3 * len(LEVELS)


def test_where_nothing_is_expected_to_meet_the_slo_every_level_is_measured() -> None:
    state, candidate = after(3)
    lost = replace(state, slo={"ttft_ms": 1e-3})
    assert measured(lost, candidate, TRUTH[candidate])[1] is None


def test_minutes_of_a_level_that_is_not_known_are_those_of_any() -> None:
    minutes = LaunchMinutes(levels={"a": {LEVELS[0]: 3.0}}, level=5.0, pace=2.0)
    assert [minutes.of_level("a", LEVELS[0]), minutes.of_level("b", LEVELS[0])] == [6.0, 5.0]


UNDER_WAY = replace(FRESH, history=(completed(IDS[0]), completed(IDS[-1])))
WITH_PERCENTILE = replace(UNDER_WAY, slo={"tpot_p99_ms": 1.0})


@pytest.mark.parametrize("state", [UNDER_WAY, WITH_PERCENTILE], ids=["means", "a percentile"])
def test_a_proposal_does_not_depend_on_what_was_asked_before_of_the_same_knowledge(
    state: SearchState,
) -> None:
    strategy = strategy_named("hybrid")
    expected = strategy.propose(replace(state, knowledge=replace(EXACT)))
    assert isinstance(expected, Proposal)
    others = tuple(one for one in IDS if one != expected.candidate_id)
    for before in (
        replace(state, settings={}),
        replace(state, levels=LEVELS[:1]),
        replace(state, candidates=others),
        replace(state, objectives=TWO[:1], slo={}),
        replace(state, usd_per_gpu_hour=1e300),
        replace(state, history=()),
    ):
        shared = replace(EXACT)
        strategy.propose(replace(before, knowledge=shared))
        assert strategy.propose(replace(state, knowledge=shared)) == expected


def test_what_is_kept_of_knowledge_is_not_found_again_for_other_minutes() -> None:
    knowledge, found = replace(EXACT), list[str]()
    for known in (knowledge, knowledge.with_minutes({IDS[0]: 2.0})):
        known.once("asked", lambda: found.append("once"))
    assert found == ["once"]
    assert knowledge.with_minutes({IDS[0]: 2.0}).minutes == {IDS[0]: 2.0}
