"""Probability that a point is on the frontier."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.certainty import UncertainPoint, membership


def point(name: str, *figures: float, scatter: float = 0.03) -> UncertainPoint:
    return UncertainPoint(name, tuple(map(math.log, figures)), (0.005,) * len(figures), scatter)


def test_a_point_that_nothing_comes_near_is_on_it_for_sure() -> None:
    best, slow = point("a", 400.0, 50.0), point("b", 100.0, 20.0)
    assert membership([best], [best, slow]) == [1.0]


def test_of_two_that_are_equal_each_is_on_it_half_of_the_time() -> None:
    both = [point("a", 400.0, scatter=0.05), point("b", 400.0, scatter=0.05)]
    found = membership(both, both, samples=4_000)
    assert found == pytest.approx([0.5, 0.5], abs=0.03)


def test_more_launches_make_a_lead_surer() -> None:
    def sure(scatter: float) -> float:
        first, second = (point(n, f, scatter=scatter) for n, f in (("a", 103.0), ("b", 100.0)))
        return membership([first], [second])[0]

    assert sure(0.05) < sure(0.02) < sure(0.005)


def test_a_point_does_not_beat_another_one_of_its_own_launch() -> None:
    low, high = point("a", 100.0, 50.0), point("a", 101.0, 51.0)
    assert membership([low], [low, high]) == [1.0]


def test_a_compromise_is_beaten_by_none() -> None:
    fast, full = point("a", 400.0, 20.0), point("b", 200.0, 40.0)
    assert membership([fast, full], [fast, full]) == [1.0, 1.0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 100), st.floats(1, 100)), min_size=2, max_size=6))
def test_it_is_a_probability_and_the_same_again(figures: list[tuple[float, float]]) -> None:
    points = [point(str(place), *pair) for place, pair in enumerate(figures)]
    found = membership(points, points, samples=200)
    assert all(0 <= share <= 1 for share in found)
    assert found == membership(points, points, samples=200)
    assert max(found) > 0
