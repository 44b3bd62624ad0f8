"""Errors of predictions, against figures worked out by hand and properties that have to hold."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.verify import METRICS, Pair, Point, pair_of
from autotuner.verify.analysis import by_dimension, errors, ranks, spearman, worst

TTFT = METRICS["ttft"]
FIGURE = st.floats(0.1, 1e5)
FIGURES = st.lists(st.tuples(FIGURE, FIGURE), min_size=2, max_size=30)


def pair(predicted: float | None, actual: float | None, **shown: object) -> Pair:
    level = LoadLevel.concurrency(shown.pop("concurrency", 1))  # type: ignore[arg-type]  # a test says an int
    return pair_of(
        Point(level, ttft_ms=predicted),
        Point(level, ttft_ms=actual, **shown),  # type: ignore[arg-type]  # a test says what fits
    )


def pairs(figures: list[tuple[float, float]]) -> list[Pair]:
    return [pair(predicted, actual) for predicted, actual in figures]


def test_a_small_example_worked_out_by_hand() -> None:
    found = errors(TTFT, pairs([(110, 100), (170, 200), (50, 40), (400, 400)]), (10, 15, 20, 30))
    # APE: 10, 15, 25 and 0 %.
    assert found.mape == pytest.approx(12.5)
    assert found.median_ape == pytest.approx(12.5)
    assert found.bias == pytest.approx((1.1 * 0.85 * 1.25 * 1.0) ** 0.25)
    assert found.spearman == pytest.approx(1.0)
    assert found.within == pytest.approx({10: 50, 15: 75, 20: 75, 30: 100})
    assert (found.pairs, found.missing) == (4, 0)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert ranks([10, 20, 20, 5, 20]) == [2, 4, 4, 1, 4]
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: Pearson by hand is 4.5 / sqrt(4.5 x 5).
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))


@pytest.mark.parametrize("one", [[], [1.0], [2.0, 2.0]])
def test_without_order_there_is_no_rank_correlation(one: list[float]) -> None:
    assert spearman(one, list(range(len(one)))) is None


def test_a_figure_that_is_not_stated_is_counted_and_not_averaged() -> None:
    found = errors(TTFT, [pair(110, 100), pair(None, 100), pair(50, None)])
    assert (found.pairs, found.missing) == (1, 2)
    assert found.mape == pytest.approx(10)
    nothing = errors(TTFT, [pair(None, 1)])
    assert (nothing.mape, nothing.bias, nothing.spearman) == (None, None, None)
    assert nothing.within == {}


@given(FIGURES, st.floats(1e-3, 1e3))
def test_the_unit_changes_no_error(figures: list[tuple[float, float]], unit: float) -> None:
    one = errors(TTFT, pairs(figures))
    two = errors(TTFT, pairs([(p * unit, a * unit) for p, a in figures]))
    assert two.mape == pytest.approx(one.mape, rel=1e-6, abs=1e-6)
    assert two.bias == pytest.approx(one.bias)


@given(FIGURES, st.floats(0.1, 10))
def test_a_factor_on_all_predictions_is_the_bias_and_no_change_of_rank(
    figures: list[tuple[float, float]], factor: float
) -> None:
    one = errors(TTFT, pairs(figures))
    two = errors(TTFT, pairs([(p * factor, a) for p, a in figures]))
    assert one.bias is not None
    assert two.bias == pytest.approx(one.bias * factor)
    scaled = {p * factor for p, _ in figures}
    assume(len(scaled) == len({p for p, _ in figures}))
    assert two.spearman == (None if one.spearman is None else pytest.approx(one.spearman))


@given(FIGURES)
def test_what_was_foretold_exactly_has_no_error(figures: list[tuple[float, float]]) -> None:
    found = errors(TTFT, pairs([(actual, actual) for _, actual in figures]))
    assert (found.mape, found.bias) == (0, 1)
    assert set(found.within.values()) == {100}
    distinct = len({actual for _, actual in figures}) > 1
    assert found.spearman == (pytest.approx(1) if distinct else None)


@given(FIGURES)
def test_more_is_within_a_wider_limit(figures: list[tuple[float, float]]) -> None:
    shares = list(errors(TTFT, pairs(figures), (5, 10, 20, 50)).within.values())
    assert shares == sorted(shares)


@given(FIGURES)
def test_rank_correlation_lies_between_its_ends_and_turns_with_the_order(
    figures: list[tuple[float, float]],
) -> None:
    one, two = [p for p, _ in figures], [a for _, a in figures]
    found = spearman(one, two)
    if found is not None:
        assert -1.000001 <= found <= 1.000001
        assert spearman(two, one) == pytest.approx(found)
        assert spearman([-p for p in one], two) == pytest.approx(-found)


def test_the_worst_is_furthest_off_as_a_factor() -> None:
    low, high, near = pair(10, 100), pair(500, 100), pair(101, 100)
    assert [miss.pair for miss in worst(TTFT, [near, high, low], 2)] == [low, high]


def test_dimensions_divide_the_pairs_and_numbers_rise() -> None:
    found = by_dimension("load", [pair(2, 1, concurrency=c) for c in (64, 8, 8, 512)], (10,))
    assert list(found) == ["8", "64", "512"]
    assert [shown["ttft"].pairs for shown in found.values()] == [2, 1, 1]
    layouts = by_dimension(
        "layout",
        [pair(1, 1, settings={"parallel.tensor_parallel": tp}) for tp in (1, 2, 2)],
    )
    assert {label: shown["ttft"].pairs for label, shown in layouts.items()} == {"tp1": 1, "tp2": 2}
    assert by_dimension("model", [pair(1, 1)]) == {}


@given(FIGURES)
def test_the_mean_of_apes_is_what_it_says(figures: list[tuple[float, float]]) -> None:
    found = errors(TTFT, pairs(figures))
    by_hand = statistics.fmean(100 * abs(p - a) / a for p, a in figures)
    assert found.mape == pytest.approx(by_hand, rel=1e-6, abs=1e-9)
