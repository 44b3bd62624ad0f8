"""What hybrid takes a row for, beside what the rest of the product says of the same prediction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LATENCIES, LoadLevel
from autotuner.predict import Prediction, e2e_ms
from autotuner.search import (
    OBJECTIVES,
    Budget,
    Circumstances,
    Knowledge,
    OperatingPoint,
    Outcome,
    Proposal,
    SearchState,
    as_point,
    has,
    quantity,
    recommend,
    strategy_named,
)
from autotuner.search.hybrid.quantities import Quantities, measured_history
from autotuner.search.hybrid.rows import rows_of
from autotuner.search.slo import verdict, within, worst_excess
from autotuner.testing.made_up_search import made_up_search

PRICE = 2.5
FIGURE = st.floats(0.1, 1e5)
PREDICTIONS = st.builds(
    Prediction,
    candidate_id=st.just("one"),
    load=st.integers(1, 1024).map(LoadLevel.concurrency),
    ttft_ms=FIGURE,
    tpot_ms=FIGURE,
    tok_s=FIGURE,
    devices=st.integers(1, 64),
    osl=st.floats(1, 1e5) | st.just(1.0),
    ttft_log_std=st.just(0.3),
    tpot_log_std=st.just(0.3),
    tok_s_log_std=st.just(0.3),
    source=st.just("drawn"),
)


def searching(*predictions: Prediction, history: tuple[Outcome, ...] = ()) -> SearchState:
    """For what exists whatever the answers' length is."""
    sweeps = {p.candidate_id: (p,) for p in predictions}
    return SearchState(
        tuple(sweeps),
        history,
        ("tok_s_per_gpu", "ttft_ms"),
        usd_per_gpu_hour=PRICE,
        knowledge=Knowledge(predictions=sweeps),
    )


def believed(state: SearchState) -> Quantities:
    """Of every row, where no residual is known."""
    rows = rows_of(state)
    return Quantities.of(rows, np.arange(len(rows.of)), np.zeros_like(rows.base))


@given(PREDICTIONS)
def test_a_row_without_residual_is_what_the_product_says_of_its_prediction(
    prediction: Prediction,
) -> None:
    figures, point = believed(searching(prediction)), as_point(prediction, PRICE)
    for name, objective in OBJECTIVES.items():
        if has(point, (name,)):
            (value,) = figures.values((name,))[0]
            reported = value if objective.maximise else math.exp(-value)
            assert reported == pytest.approx(quantity(point, name), rel=1e-9), name
    stated = figures.point("one")
    for name, value in vars(point).items():
        exact = value is None or name in ("candidate_id", "load")
        known = value if exact else pytest.approx(value, rel=1e-9)
        assert getattr(stated, name) == known, name


@given(PREDICTIONS, st.dictionaries(st.sampled_from(list(LATENCIES)), FIGURE, min_size=1))
def test_a_row_without_residual_meets_the_limits_that_its_prediction_meets(
    prediction: Prediction, slo: dict[str, float]
) -> None:
    figures, point = believed(searching(prediction)), as_point(prediction, PRICE)
    if has(point, slo):
        (excess,) = figures.excess(slo)
        assert math.expm1(excess) == pytest.approx(worst_excess(point, slo)[0], rel=1e-6, abs=1e-9)
        if abs(excess) > 1e-9:
            assert figures.within(slo)[0] == within(point, slo)


def test_an_answer_of_two_hundred_tokens_takes_as_long_as_its_tokens() -> None:
    """500 ms to the first and 20 ms for each of 199 others; 22 ms is what a token of it takes.
    Of ten requests the slowest takes a quarter more, as usual."""
    stated = Prediction(
        "one", LoadLevel.concurrency(1), 500.0, 20.0, 44.6, 1, 200.0, 0.3, 0.3, 0.3, "by hand"
    )
    figures = believed(searching(stated))
    assert figures.point("one").e2e_p90_ms == pytest.approx(1.25 * 4480)
    assert not figures.within({"e2e_p90_ms": 5500.0})[0]
    assert figures.within({"e2e_p90_ms": 5700.0})[0]


@given(st.lists(PREDICTIONS, min_size=2, max_size=4))
def test_each_row_has_the_answers_length_of_its_own_prediction(
    predictions: list[Prediction],
) -> None:
    named = [replace(p, candidate_id=f"c{n}") for n, p in enumerate(predictions)]
    assert rows_of(searching(*named)).osl.tolist() == [p.osl for p in named]


def test_a_silent_candidate_has_the_answers_length_that_it_is_asked_for() -> None:
    """Lengths may differ between candidates; one that nothing is known of has the usual one."""
    stated = Prediction(
        "one", LoadLevel.concurrency(1), 500.0, 20.0, 44.6, 1, 200.0, 0.3, 0.3, 0.3, "by hand"
    )
    long = Circumstances("m", None, "vllm", "h100_sxm", isl=10.0, osl=1000.0, gpus=1)
    state = replace(
        searching(stated),
        candidates=("one", "long", "unknown"),
        knowledge=Knowledge(predictions={"one": (stated,)}, circumstances={"long": long}),
    )
    rows = rows_of(state)
    found = dict(zip((rows.candidates[at] for at in rows.of), rows.osl, strict=True))
    assert found == {"one": 200.0, "long": 1000.0, "unknown": 200.0}


@given(PREDICTIONS, st.floats(0.5, 5), st.sampled_from(["ttft_p99_ms", "e2e_p90_ms"]))
def test_a_measured_row_has_the_percentile_that_was_measured(
    prediction: Prediction, ratio: float, name: str
) -> None:
    """Whatever is believed of its other figures."""
    percentile_ms = ratio * getattr(prediction, LATENCIES[name].mean)
    point = replace(as_point(prediction, PRICE), **{name: percentile_ms})
    state = searching(prediction, history=(Outcome("one", "completed", (point,)),))
    state = replace(state, slo={name: 1.0})
    rows = rows_of(state)
    residuals = measured_history(state, rows).as_measured(rows, np.full_like(rows.base, 0.1))
    point = Quantities.of(rows, np.array([0]), residuals).point("one")
    assert point.ttft_ms == pytest.approx(prediction.ttft_ms * math.exp(0.1), rel=1e-6)
    assert getattr(point, name) == pytest.approx(percentile_ms, rel=1e-6)


@given(PREDICTIONS, st.sampled_from(["machine_lost", "load_errors"]))
def test_a_launch_that_failed_by_no_fault_of_its_own_says_nothing(
    prediction: Prediction, kind: str
) -> None:
    failed = Outcome("one", "failed", failure_kind=kind)
    state = searching(prediction, history=(failed,))
    assert len(measured_history(state, rows_of(state)).tried) == (kind == "load_errors")


@given(PREDICTIONS, st.floats(1.0, 5))
def test_a_row_has_the_percentile_of_its_prediction(prediction: Prediction, ratio: float) -> None:
    given = replace(prediction, ttft_p99_ms=ratio * prediction.ttft_ms, percentiles_from="a test")
    figures = believed(replace(searching(given), slo={"ttft_p99_ms": 1.0}))
    assert figures.point("one").ttft_p99_ms == pytest.approx(given.ttft_p99_ms, rel=1e-6)


def slow_tails(ratio: float) -> tuple[SearchState, dict[str, Outcome]]:
    """A search whose slowest tenth of requests takes `ratio` times the mean."""
    state, truth = made_up_search(200.0)
    return state, {
        candidate: replace(
            outcome,
            points=tuple(replace(p, e2e_p90_ms=ratio * p.e2e_p90_ms) for p in outcome.points),
        )
        for candidate, outcome in truth.items()
    }


def test_the_ratio_of_percentile_to_mean_is_learnt() -> None:
    """The limit lies between the mean and the percentile of what is predicted to be best."""
    state, truth = slow_tails(1.5)
    points = [point for outcome in truth.values() for point in outcome.points]
    limit = sorted(point.e2e_p90_ms for point in points)[len(points) // 4]
    slo = {"e2e_p90_ms": limit}
    state = replace(state, slo=slo, budget=Budget(experiments=6))
    launched = []
    while isinstance(choice := strategy_named("hybrid").propose(state), Proposal):
        launched.append(truth[choice.candidate_id])
        state = replace(state, history=tuple(launched), spent_experiments=len(launched))
    best = max(p.tok_s_per_gpu for p in points if within(p, slo))
    reached = [p.tok_s_per_gpu for o in launched for p in o.points if within(p, slo)]
    assert max(reached, default=0.0) > 0.97 * best
    first = launched[0].points
    assert all(not within(p, slo) for p in first if p.tok_s_per_gpu > best)


def test_a_reason_names_the_percentile_that_is_expected() -> None:
    state, truth = made_up_search(200.0)
    state = replace(state, objectives=("tok_s_per_gpu", "e2e_p90_ms"))
    choice = strategy_named("hybrid").propose(state)
    assert isinstance(choice, Proposal)
    expected = {f"{p.e2e_p90_ms:,.0f}" for p in truth[choice.candidate_id].points}
    reported = choice.reason.split("E2E p90 ")[1].split(" ms")[0]
    assert reported in expected, choice.reason


def test_a_prediction_of_one_token_is_its_first() -> None:
    stated = Prediction(
        "one", LoadLevel.concurrency(8), 40.0, None, 200.0, 2, 1.0, 0.3, 0.3, 0.3, "by hand"
    )
    point = believed(searching(stated)).point("one")
    assert (point.tpot_ms, point.tok_s_per_user) == (None, None)
    assert point.e2e_p90_ms == pytest.approx(1.25 * 40.0)
    assert point.requests_per_s == pytest.approx(200.0)
    assert e2e_ms(40.0, None, 1.0) == 40.0


@pytest.mark.parametrize("tpot_ms", [None, 0.0])
def test_a_point_that_lacks_what_is_asked_for_takes_no_part(tpot_ms: float | None) -> None:
    point = OperatingPoint("one", LoadLevel.concurrency(4), 9.0, 9.0, None, 3.0, tpot_ms, 30.0)
    whole = replace(point, load=LoadLevel.concurrency(8), tpot_ms=2.0)
    state = SearchState(("one",), (Outcome("one", "completed", (point, whole)),), ("tpot_ms",))
    assert state.history == (
        Outcome("one", "completed", (whole,), failed_levels=(LoadLevel.concurrency(4),)),
    )
    assert replace(state, objectives=("ttft_ms",)).history[0].points == (whole,)
    assert not within(point, {"tpot_ms": 5.0})
    assert verdict(point, {"tpot_ms": 5.0}) == "misses"
    assert recommend([point, whole], {"tpot_ms": 5.0}) == recommend([whole], {"tpot_ms": 5.0})
    assert recommend([point], {"tpot_ms": 5.0}) is None
    assert within(point, {"ttft_ms": 5.0})
