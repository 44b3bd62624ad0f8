"""The predicted frontier, launched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
from synthetic import EXACT, LEVELS, SETTINGS, THREE, TRUTH, TWO, launches, share_found, sweep

from autotuner.predict import Prediction
from autotuner.search import (
    Budget,
    Knowledge,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    objective_vector,
    pareto_front,
    predicted,
    strategy_named,
)
from autotuner.search.slo import within

IDS = tuple(SETTINGS)
FRESH = SearchState(IDS, (), TWO, levels=LEVELS, settings=SETTINGS, knowledge=EXACT)


def front(candidates: Mapping[str, object], objectives: tuple[str, ...] = TWO) -> set[str]:
    """The candidates on the true frontier of some."""
    points = [point for candidate in candidates for point in TRUTH[candidate]]
    found = pareto_front(points, lambda point: objective_vector(point, objectives))
    return {point.candidate_id for point in found}


@pytest.mark.parametrize("objectives", [TWO, THREE])
def test_exact_predictions_lead_to_the_frontier_in_twelve_launches(
    objectives: tuple[str, ...],
) -> None:
    made = launches("two_stage", replace(FRESH, objectives=objectives))
    assert len(made) == 12
    assert share_found(made, objectives) > 0.99


def test_the_extremes_come_first_and_every_reason_names_the_prediction() -> None:
    made = launches("two_stage", replace(FRESH, objectives=THREE))
    for place, objective in enumerate(THREE):
        best = max(
            (p for points in TRUTH.values() for p in points),
            key=partial(objective_vector, names=(objective,)),
        )
        assert made[place].phase == "extremes"
        assert any(point == best for point in TRUTH[made[place].candidate_id])
    assert all("tok/s/GPU" in choice.reason for choice in made)


def test_the_rest_of_the_frontier_comes_by_what_each_adds() -> None:
    made = launches("two_stage", replace(FRESH, objectives=THREE))
    gains = [float(c.reason.split("add ")[1].split(" %")[0]) for c in made if c.phase == "frontier"]
    assert len(gains) >= 5
    assert gains == sorted(gains, reverse=True)


def test_where_the_frontier_is_too_small_the_next_layer_is_peeled() -> None:
    made = launches("two_stage", replace(FRESH, budget=Budget(experiments=30)))
    first = front(SETTINGS)
    second = front({c: None for c in SETTINGS if c not in first})
    order = [choice.candidate_id for choice in made]
    assert set(order[: len(first)]) == first
    assert set(order[len(first) : len(first) + len(second)]) == second
    assert "layer 2" in made[len(first)].reason


@pytest.mark.parametrize("experiments", [0, 1, 7, 25, 60])
def test_a_budget_says_how_many(experiments: int) -> None:
    few = dict(list(SETTINGS.items())[:40])
    state = replace(FRESH, candidates=tuple(few), budget=Budget(experiments=experiments))
    made = launches("two_stage", state)
    assert len(made) == min(experiments, len(few))
    longer = launches("two_stage", replace(state, budget=Budget(experiments=experiments + 3)))
    assert longer[: len(made)] == made


@pytest.mark.slow
def test_with_one_objective_the_best_within_the_slo_come_first_then_the_nearest() -> None:
    slo = {"tpot_ms": 12.0, "ttft_ms": 110.0}
    state = replace(
        FRESH, objectives=("tok_s_per_gpu",), slo=slo, budget=Budget(experiments=len(IDS))
    )
    made = [choice.candidate_id for choice in launches("two_stage", state)]
    best = {
        c: max((p.tok_s_per_gpu for p in points if within(p, slo)), default=None)
        for c, points in TRUTH.items()
    }
    excess = {
        c: min(max(p.tpot_ms / 12, p.ttft_ms / 110) for p in points) for c, points in TRUTH.items()
    }
    feasible = [value for c in made if (value := best[c]) is not None]
    assert 0 < len(feasible) < len(made)
    assert feasible == sorted(feasible, reverse=True)
    assert all(best[c] is not None for c in made[: len(feasible)])
    rest = [excess[c] for c in made[len(feasible) :]]
    assert rest == sorted(rest)


def test_with_several_objectives_the_frontier_within_the_slo_counts() -> None:
    slo = {"tpot_ms": 12.0}
    made = launches("two_stage", replace(FRESH, slo=slo))
    fitting = [p for points in TRUTH.values() for p in points if within(p, slo)]
    found = pareto_front(fitting, lambda point: objective_vector(point, TWO))
    wanted = {point.candidate_id for point in found}
    assert {choice.candidate_id for choice in made[: len(wanted)]} == wanted


def test_what_is_not_predicted_or_does_not_fit_is_left_out_and_counted() -> None:
    reported = IDS[:5]
    knowledge = Knowledge(
        {c: sweep(c) for c in reported},
        out_of_memory={IDS[5]: "needs 90 of 80 GiB", reported[0]: "some"},
    )
    state = replace(FRESH, knowledge=knowledge)
    made = launches("two_stage", state)
    assert {choice.candidate_id for choice in made} == set(reported), "levels that fit still count"
    history = tuple(Outcome(c, "completed", TRUTH[c]) for c in reported)
    choice = strategy_named("two_stage").propose(replace(state, history=history))
    assert isinstance(choice, Stop)
    assert f"{len(IDS) - 6} without predictions" in choice.reason
    assert "1 predicted to run out of memory" in choice.reason


def test_where_nothing_is_predicted_it_says_so_and_spreads_evenly() -> None:
    knowledge = Knowledge(out_of_memory={IDS[1]: "too large"})
    made = launches("two_stage", replace(FRESH, knowledge=knowledge))
    assert len(made) == 12
    assert all("nothing is predicted" in choice.reason for choice in made)
    places = [IDS.index(choice.candidate_id) for choice in made]
    assert (places[0], places[-1]) == (0, len(IDS) - 1)
    assert 1 not in places


def test_predictions_that_are_no_figures_are_left_out_and_counted() -> None:
    def broken(prediction: Prediction, **changes: float) -> Prediction:
        return replace(prediction, **changes)  # type: ignore[arg-type]

    good = sweep(IDS[0])
    bad = (
        broken(good[0], tok_s=math.nan),
        broken(good[1], ttft_ms=-1.0),
        broken(good[2], tpot_ms=math.inf),
        broken(good[3], tok_s_log_std=math.nan),
        good[4],
    )
    known = predicted(replace(FRESH, knowledge=Knowledge({IDS[0]: bad})))
    assert [point.load for point in known.points[IDS[0]]] == [good[4].load]
    assert known.dropped == 4
    assert "4 predicted levels are no figures" in known.describe_left_out()


def test_levels_that_no_launch_measures_do_not_count() -> None:
    known = predicted(replace(FRESH, levels=LEVELS[1:4:2]))
    assert {p.load.value for points in known.points.values() for p in points} == {4, 64}


def test_it_stops_where_the_rest_is_predicted_to_add_too_little() -> None:
    state = replace(FRESH, budget=Budget(experiments=60), threshold=0.02)
    made = launches("two_stage", state)
    assert len(made) < len(front(SETTINGS))
    history = tuple(Outcome(c.candidate_id, "completed", TRUTH[c.candidate_id]) for c in made)
    stop = strategy_named("two_stage").propose(replace(state, history=history))
    assert isinstance(stop, Stop)
    assert "less than the threshold of 2.0 %" in stop.reason


def test_measurements_do_not_change_the_order() -> None:
    failing = {c: Outcome(c, "failed", failure_kind="out_of_memory") for c in IDS}
    made = launches("two_stage", FRESH)
    assert launches("two_stage", FRESH, failing) == made
    flying = replace(FRESH, in_flight=(made[0].candidate_id, made[1].candidate_id))
    choice = strategy_named("two_stage").propose(flying)
    assert isinstance(choice, Proposal)
    assert choice == made[2]
