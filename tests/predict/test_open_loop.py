"""Rates out of a closed loop: consistent, monotone, and saturated above the highest."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadKind, LoadLevel
from autotuner.predict import Prediction, Predictions
from autotuner.predict.open_loop import LADDER, ClosedLoopCurve, at_rates, concurrencies

OSL = 8.0


@st.composite
def curves(draw: st.DrawFn, steepest: float = 3) -> ClosedLoopCurve:
    """Latencies that grow with the concurrency; above 2 TTFT may grow by more than it does."""
    ttft_ms, tpot_ms = draw(st.floats(1, 1e3)), draw(st.floats(0.1, 100))
    osl = draw(st.sampled_from([1.0, OSL]))
    points = []
    for load in LADDER[: draw(st.integers(1, len(LADDER)))]:
        points.append(_point(load, ttft_ms, tpot_ms, osl))
        ttft_ms *= draw(st.floats(1, steepest))
        tpot_ms *= draw(st.floats(1, 1.9))
    return ClosedLoopCurve(points)


def _point(load: LoadLevel, ttft_ms: float, tpot_ms: float, osl: float = OSL) -> Prediction:
    rate = load.value * 1000 / (ttft_ms + (osl - 1) * tpot_ms)
    stds = (0.3, 0.2, 0.1)
    return Prediction("c", load, ttft_ms, tpot_ms, rate * osl, 2, osl, *stds, "made up", 10.0)


@given(curves(), st.floats(0.01, 1))
def test_a_rate_has_the_latencies_of_the_concurrency_that_has_the_rate(
    curve: ClosedLoopCurve, share: float
) -> None:
    rate = share * curve.highest_rate
    found = curve.at_rate(rate)
    assert found is not None
    assert found.load == LoadLevel.rate(rate)
    assert found.requests_per_s == pytest.approx(rate)
    lone = curve.points[0]
    if found.in_flight > 1 + 1e-9:
        # Back again: a closed loop of as many requests has the rate.
        latency_ms = found.e2e_ms
        assert 1000 * found.in_flight / latency_ms == pytest.approx(rate)
        assert lone.ttft_ms <= found.ttft_ms * (1 + 1e-9)
        assert found.in_flight <= curve.points[-1].load.value * (1 + 1e-9)
    else:
        assert (found.ttft_ms, found.tpot_ms) == (lone.ttft_ms, lone.tpot_ms)


@given(curves(steepest=1.9))
def test_predicted_concurrencies_are_met(curve: ClosedLoopCurve) -> None:
    highest = 0.0
    for point in curve.points:
        rate = point.load.value * 1000 / point.e2e_ms
        if rate <= highest * (1 + 1e-6):
            continue
        highest = rate
        found = curve.at_rate(rate)
        assert found is not None
        assert found.in_flight == pytest.approx(point.load.value, rel=1e-6)
        assert found.ttft_ms == pytest.approx(point.ttft_ms, rel=1e-5)


@given(curves(), st.lists(st.floats(0.001, 1), min_size=2, max_size=6))
def test_more_load_is_never_faster(curve: ClosedLoopCurve, shares: list[float]) -> None:
    rates = [share * curve.highest_rate for share in sorted(shares)]
    found = [curve.at_rate(rate) for rate in rates]
    latencies = [point.e2e_ms for point in found if point is not None]
    assert len(latencies) == len(rates)
    for before, after in itertools.pairwise(latencies):
        assert before <= after * (1 + 1e-9)


@given(curves(), st.floats(1.001, 100))
def test_above_the_highest_rate_nothing_is_predicted(curve: ClosedLoopCurve, factor: float) -> None:
    rate = factor * curve.highest_rate
    assert curve.at_rate(rate) is None
    answer = Predictions("p", tuple(curve.points))
    alone = at_rates(answer, [LoadLevel.rate(rate)])
    assert alone.points == ()
    assert "saturated at" in alone.refused["c"]
    assert "requests/s at the most are predicted" in alone.refused["c"]
    both = at_rates(answer, [LoadLevel.rate(rate), LoadLevel.rate(curve.highest_rate / 2)])
    assert [point.load.value for point in both] == [curve.highest_rate / 2]
    assert "saturated at" in both.points[0].note
    assert both.refused == {}


def test_what_does_not_fit_and_is_refused_stays_so() -> None:
    answer = Predictions("p", (), {}, {"c": "unknown"})
    assert at_rates(answer, [LoadLevel.rate(1)]) == answer


def test_candidates_are_answered_each_for_itself() -> None:
    def sweep(name: str, slower: float) -> Sequence[Prediction]:
        return [
            replace(_point(load, slower * (10 + load.value), 1.0), candidate_id=name)
            for load in LADDER
        ]

    found = at_rates(
        Predictions("p", (*sweep("a", 1), *sweep("b", 10))), [LoadLevel.rate(9), LoadLevel.rate(1)]
    )
    assert [(p.candidate_id, p.load.value) for p in found] == [
        *(("a", 1), ("a", 9), ("b", 1), ("b", 9)),
    ]
    assert found.of("a")[1].ttft_ms < found.of("b")[1].ttft_ms


def test_a_predictor_of_closed_loops_is_asked_for_those_alone() -> None:
    eight = LoadLevel.concurrency(8)
    assert concurrencies([eight, LoadLevel.concurrency(1), eight]) == [1, 8]
    with pytest.raises(ValueError, match="rate 2 req/s is no closed loop"):
        concurrencies([LoadLevel.rate(2)])
    assert {load.kind for load in LADDER} == {LoadKind.CONCURRENCY}
