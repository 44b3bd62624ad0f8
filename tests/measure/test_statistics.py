"""Summaries of a sample, against the standard library and a printed table."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.measure.statistics import distribution, half_width95, percentile, student_t975

VALUES = st.floats(-1e6, 1e6)
SAMPLES = st.lists(VALUES, min_size=2, max_size=60)


@given(SAMPLES)
def test_percentiles_are_the_standard_librarys_inclusive_ones(values: list[float]) -> None:
    ordered = sorted(values)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    ours = [percentile(ordered, share / 100) for share in range(1, 100)]
    assert ours == pytest.approx(cuts, rel=1e-9, abs=1e-6)


@given(SAMPLES)
def test_the_ends_of_the_percentiles_are_those_of_the_sample(values: list[float]) -> None:
    ordered = sorted(values)
    assert percentile(ordered, 0.0) == ordered[0]
    assert percentile(ordered, 1.0) == ordered[-1]


@given(VALUES, st.floats(0, 1))
def test_a_single_value_is_every_percentile(value: float, share: float) -> None:
    assert percentile([value], share) == value


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [
        (1, 12.7062),
        (2, 4.3027),
        (3, 3.1824),
        (4, 2.7764),
        (5, 2.5706),
        (10, 2.2281),
        (20, 2.0860),
        (30, 2.0423),
        (100, 1.9840),
        (1_000_000, 1.9600),
    ],
)
def test_students_t_is_that_of_the_table(freedom: int, quantile: float) -> None:
    assert student_t975(freedom) == pytest.approx(quantile, rel=2e-4)


@given(st.integers(1, 500))
def test_students_t_falls_towards_the_normal_quantile(freedom: int) -> None:
    assert student_t975(freedom) > student_t975(freedom + 1) > 1.959963


@pytest.mark.parametrize("freedom", [0, -1])
def test_students_t_needs_a_degree_of_freedom(freedom: int) -> None:
    with pytest.raises(ValueError, match=f"got {freedom}"):
        student_t975(freedom)


def test_the_interval_of_a_small_sample_by_hand() -> None:
    # mean 3, standard deviation sqrt(2.5), 4 degrees of freedom
    half = half_width95([1.0, 2.0, 3.0, 4.0, 5.0])
    assert half == pytest.approx(2.7764451 * math.sqrt(2.5 / 5))


@given(SAMPLES, st.floats(-1000, 1000), st.floats(0.1, 10))
def test_the_interval_scales_with_the_sample_and_ignores_its_place(
    values: list[float], shift: float, scale: float
) -> None:
    half, moved = half_width95(values), half_width95([scale * value + shift for value in values])
    assert half is not None
    assert moved == pytest.approx(scale * half, rel=1e-6, abs=1e-5)


@given(SAMPLES)
def test_a_distribution_is_in_order_and_agrees_with_the_standard_library(
    values: list[float],
) -> None:
    shown = distribution(values)
    assert shown is not None
    assert shown.count == len(values)
    assert shown.mean == pytest.approx(statistics.fmean(values))
    assert shown.std == pytest.approx(statistics.stdev(values))
    assert shown.p50 == pytest.approx(statistics.median(values))
    quantiles = [shown.min, shown.p50, shown.p90, shown.p95, shown.p99, shown.max]
    slack = 1e-9 * max(map(abs, values))
    assert all(a <= b + slack for a, b in itertools.pairwise(quantiles))
    assert shown.ci95 == half_width95(values)


@given(SAMPLES)
def test_the_order_of_a_sample_matters_to_nothing_but_its_intervals(values: list[float]) -> None:
    one, other = distribution(values), distribution(values[::-1])
    assert one is not None
    assert other is not None
    for name in ("count", "min", "p50", "p90", "p95", "p99", "max"):
        assert getattr(one, name) == getattr(other, name)
    assert one.mean == pytest.approx(other.mean)


def test_samples_too_small_for_an_interval() -> None:
    assert distribution([]) is None
    one = distribution([7.0])
    assert one is not None
    assert (one.count, one.mean, one.std, one.p99, one.ci95) == (1, 7.0, 0.0, 7.0, None)
    assert half_width95([]) is None
