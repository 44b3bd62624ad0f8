"""Rates of recorded traffic: counted by windows, a quantile of which replicas have to hold."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.sizing import TracedTraffic, TrafficError, traced_traffic


def minutes(*counts: int) -> list[float]:
    """So many requests in each minute, with one more that ends the last."""
    times = [60 * n + 60 * k / count for n, count in enumerate(counts) for k in range(count)]
    return [*times, 60.0 * len(counts)]


def test_the_rate_is_one_that_a_window_had() -> None:
    found = traced_traffic(minutes(60, 120, 600, 60), window_s=60, quantile=0.75)
    assert found == TracedTraffic(
        requests=841,
        span_s=240.0,
        window_s=60,
        windows=4,
        quantile=0.75,
        requests_per_s=2.0,
        mean_per_s=3.5,
        most_per_s=10.0,
    )


def test_a_window_without_a_request_counts_too() -> None:
    found = traced_traffic(minutes(60, 0, 0, 60), window_s=60, quantile=1)
    assert (found.windows, found.mean_per_s, found.most_per_s) == (4, 0.5, 1.0)


def test_the_order_of_a_trace_and_its_origin_are_of_no_account() -> None:
    times = minutes(60, 120)
    later = [1_700_000_000 + time_s for time_s in reversed(times)]
    one, other = (traced_traffic(x, window_s=30, quantile=0.5) for x in (times, later))
    assert one.requests_per_s == other.requests_per_s


@pytest.mark.parametrize(
    ("times_s", "window_s", "quantile", "field"),
    [
        ([], 60, 0.9, ""),
        ([5.0], 60, 0.9, ""),
        (minutes(60), 90, 0.9, "window_s"),
        (minutes(60), 0, 0.9, "window_s"),
        (minutes(60), 1e-9, 0.9, "window_s"),
        (minutes(60), 60, 0, "quantile"),
        (minutes(60), 60, 1.5, "quantile"),
        (minutes(60, 0, 0, 0), 60, 0.5, "window_s"),
        ([3.0, 3.0], 60, 0.5, "window_s"),
    ],
)
def test_what_has_no_rate_is_named(
    times_s: list[float], window_s: float, quantile: float, field: str
) -> None:
    with pytest.raises(TrafficError) as error:
        traced_traffic(times_s, window_s=window_s, quantile=quantile)
    assert error.value.field == field


@given(st.lists(st.floats(0, 1000), min_size=20, max_size=200), st.floats(1, 100))
def test_a_higher_quantile_is_never_less_traffic(times_s: list[float], window_s: float) -> None:
    times_s = [0.0, *times_s, 1000.0]
    rates = []
    for quantile in (0.5, 0.9, 0.99, 1.0):
        try:
            rates.append(traced_traffic(times_s, window_s=window_s, quantile=quantile))
        except TrafficError:
            continue
    assert all(a.requests_per_s <= b.requests_per_s for a, b in pairwise(rates))
    assert rates[-1].requests_per_s == rates[-1].most_per_s
