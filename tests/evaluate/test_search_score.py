"""How much of the truth a set of launches has found."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.evaluate.search_scores import Truth
from autotuner.search import OperatingPoint

Points = dict[str, tuple[OperatingPoint, ...]]


def point(key: str, per_gpu: float, per_user: float, ttft_ms: float = 100.0) -> OperatingPoint:
    figures = (per_gpu * 2, per_gpu, per_user, ttft_ms, 1000 / per_user, 1000.0)
    return OperatingPoint(key, LoadLevel.concurrency(1), *figures)


def truth(*curves: tuple[tuple[float, ...], ...]) -> Truth:
    """Launches a, b, c … with their (tokens/s per GPU, per user, TTFT)."""
    named = zip("abcdefghijklmnop", curves, strict=False)
    return Truth({key: tuple(point(key, *one) for one in curve) for key, curve in named})


CORNERS = truth(((200, 50),), ((100, 100),), ((150, 75),), ((120, 60),), ())


def test_the_hypervolume_ratio_is_as_by_hand() -> None:
    """Scaled, a is (1, 0), b (0, 1) and c (0.5, 0.5), above (-0.1, -0.1)."""
    staircase = 1.1 * 0.1 + 0.6 * 0.5 + 0.1 * 0.5
    assert CORNERS.hypervolume_ratio("abc", 2) == pytest.approx(1)
    assert CORNERS.hypervolume_ratio("c", 2) == pytest.approx(0.6 * 0.6 / staircase)
    assert CORNERS.hypervolume_ratio("ab", 2) == pytest.approx((1.1 * 0.1 + 0.1 * 1.0) / staircase)


def test_what_failed_or_is_dominated_adds_nothing() -> None:
    assert CORNERS.hypervolume_ratio("e", 2) == CORNERS.hypervolume_ratio("", 3) == 0
    assert CORNERS.hypervolume_ratio("cd", 2) == CORNERS.hypervolume_ratio("c", 2)


def test_the_third_dimension_is_the_logarithm_of_ttft() -> None:
    """Equal but for TTFT of 10, 100 and 1,000 ms: scaled 1, 0.5 and 0, so 1.1, 0.6 and 0.1."""
    solid = truth(((200, 50, 1000),), ((100, 100, 1000),), ((100, 50, 100),), ((100, 50, 10),))
    low, side = 0.1 * 0.1, 0.1 * 1.1 + 0.1 * 1.0
    whole = side * 0.1 + low * 1.0
    assert solid.hypervolume_ratio("abd", 3) == pytest.approx(1)
    assert solid.hypervolume_ratio("d", 3) == pytest.approx(low * 1.1 / whole)
    assert solid.hypervolume_ratio("c", 3) == pytest.approx(low * 0.6 / whole)


def test_of_launches_cut_short_only_what_was_measured_counts() -> None:
    """Two levels of one launch: the slow one alone, both, and none."""
    some = Truth(
        {
            "a": (
                point("a", 100, 100),
                replace(point("a", 200, 50), load=LoadLevel.concurrency(8)),
            ),
            "b": (point("b", 150, 75),),
        }
    )
    first, second = ("a", LoadLevel.concurrency(1)), ("a", LoadLevel.concurrency(8))
    everything = some.hypervolume_ratio("ab", 2, only={first, second, ("b", first[1])})
    assert everything == some.hypervolume_ratio("ab", 2) == pytest.approx(1)
    assert some.hypervolume_ratio("ab", 2, only=set()) == 0
    assert some.hypervolume_ratio("ab", 2, only={first}) < some.hypervolume_ratio("a", 2)
    limits = {"tpot_ms": 10.0}
    assert some.regret("ab", limits, only={first, second}) == 0
    assert some.regret("ab", limits, only={second}) == 1


def test_limits_are_medians_of_all_points() -> None:
    three = truth(((10, 100, 30), (20, 50, 90)), ((30, 20, 60),))
    assert three.limits == {"ttft_ms": 60, "tpot_ms": 20}


def test_regret_counts_points_at_the_limits_and_is_1_without_any() -> None:
    """Medians: TTFT 60 ms, TPOT 20 ms. b is the best feasible, c is faster and too late."""
    some = truth(((10, 100, 30),), ((30, 50, 60),), ((50, 40, 60),))
    assert some.regret("b") == 0
    assert some.regret("a") == pytest.approx(1 - 10 / 30)
    assert some.regret("c") == some.regret("") == 1


def test_regret_within_a_limit_of_e2e_latency_counts_what_meets_it() -> None:
    """Median of 1,000, 2,000 and 3,000 ms: 2,000. c has the most throughput, and is too slow."""
    some = Truth(
        {
            key: tuple(replace(p, e2e_p90_ms=e2e_ms) for p in points)
            for (key, points), e2e_ms in zip(
                truth(((10, 100),), ((30, 50),), ((50, 40),)).points.items(),
                (1000.0, 2000.0, 3000.0),
                strict=True,
            )
        }
    )
    assert some.e2e_limits == {"e2e_p90_ms": 2000.0}
    assert some.regret("b", some.e2e_limits) == 0
    assert some.regret("a", some.e2e_limits) == pytest.approx(1 - 10 / 30)
    assert some.regret("c", some.e2e_limits) == 1


def test_regret_is_nothing_where_no_point_is_feasible_at_all() -> None:
    late, slow = ((10, 100, 90),), ((30, 20, 30),)
    assert truth(late, slow, slow, late).regret("") == 0


def test_launches_in_vain_are_those_without_a_point_on_the_last_frontier() -> None:
    assert CORNERS.in_vain("abc") == 0
    assert CORNERS.in_vain("dc") == 1  # d was on the frontier until c came
    assert CORNERS.in_vain("ae") == 1
    assert CORNERS.in_vain("") == 0
    twins = truth(((10, 10),), ((10, 10),))
    assert twins.in_vain("ab") == 1


AMOUNTS = st.floats(1, 1e4).map(lambda drawn: round(drawn, 3))
"""As files have them: figures that differ in their last bit alone span no frontier."""
CURVES = st.lists(
    st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), max_size=4).map(tuple), min_size=1, max_size=8
).filter(lambda curves: any(curves))


@given(CURVES, st.sampled_from([2, 3]))
def test_all_launches_reach_all_of_it_and_more_never_reach_less(
    curves: list[tuple[tuple[float, ...], ...]], dimensions: int
) -> None:
    scored = truth(*curves)
    ratios = [
        scored.hypervolume_ratio(list(scored.points)[:count], dimensions)
        for count in range(len(curves) + 1)
    ]
    assert ratios[0] == 0
    assert ratios[-1] == pytest.approx(1)
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(ratios))
    assert scored.regret(scored.points) == 0
    assert 0 <= scored.in_vain(scored.points) <= len(curves)


@given(CURVES, st.floats(0.01, 100), st.floats(0.01, 100), st.integers(0, 8))
def test_units_do_not_matter(
    curves: list[tuple[tuple[float, ...], ...]], wide: float, fast: float, count: int
) -> None:
    """Where the frontier has an extent in both coordinates, only ratios count."""
    one = truth(*curves)
    other = truth(*(tuple((x * wide, y * fast, t) for x, y, t in curve) for curve in curves))
    launched = list(one.points)[:count]
    first, second = (scored.hypervolume_ratio(launched, 2) for scored in (one, other))
    assert math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-9)
