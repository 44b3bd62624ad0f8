"""The frontier, its hypervolume and the recommendation, against definitions by brute force."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LATENCIES, NEEDS_TPOT, PERCENTILES, LoadLevel
from autotuner.search import (
    OBJECTIVES,
    OperatingPoint,
    dominates,
    hypervolume,
    objective_vector,
    pareto_front,
    recommend,
    reference_point,
)
from autotuner.search.frontier import front_places, hypervolume_improvements, volumes

SIDE = 5
PLANE = st.tuples(*[st.integers(0, SIDE)] * 2)
SPACE = st.tuples(*[st.integers(0, SIDE)] * 3)
LINE = st.tuples(st.integers(0, SIDE))
SETS = st.one_of(*(st.lists(place, max_size=8) for place in (LINE, PLANE, SPACE)))
FULL_SETS = st.one_of(*(st.lists(place, min_size=1) for place in (LINE, PLANE, SPACE)))
AMOUNT = st.integers(1, 50).map(float)
POINTS = st.builds(
    OperatingPoint,
    candidate_id=st.sampled_from("abcd"),
    load=st.integers(1, 64).map(LoadLevel.concurrency),
    tok_s=AMOUNT,
    tok_s_per_gpu=AMOUNT,
    tok_s_per_user=AMOUNT,
    ttft_ms=AMOUNT,
    tpot_ms=AMOUNT,
    usd_per_gpu_hour=AMOUNT,
    requests_per_s=AMOUNT,
    **dict.fromkeys(PERCENTILES, AMOUNT),
)
ONE_TOKEN = POINTS.map(lambda point: replace(point, **dict.fromkeys(NEEDS_TPOT)))
SLO = st.dictionaries(st.sampled_from(list(LATENCIES)), st.integers(1, 60).map(float), min_size=1)


def cells(points: list[tuple[int, ...]], dimensions: int) -> int:
    """Unit cubes above the origin that some point dominates: the volume, for whole numbers."""
    cubes = itertools.product(range(SIDE), repeat=dimensions)
    return sum(
        any(all(x > c for x, c in zip(p, cube, strict=True)) for p in points) for cube in cubes
    )


def origin(points: list[tuple[int, ...]]) -> tuple[float, ...]:
    return (0.0,) * (len(points[0]) if points else 2)


@given(SETS)
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, ...]]) -> None:
    def beaten(point: tuple[int, ...]) -> bool:
        others = (o for o in points if o != point)
        return any(all(x >= y for x, y in zip(o, point, strict=True)) for o in others)

    expected = [p for p in dict.fromkeys(points) if not beaten(p)]
    assert pareto_front(points, key=lambda point: point) == expected


@given(SETS)
def test_of_equal_items_the_front_keeps_the_first(points: list[tuple[int, ...]]) -> None:
    numbered = list(enumerate(points))
    front = pareto_front(numbered, key=lambda item: item[1])
    assert [points.index(point) for _, point in front] == [index for index, _ in front]
    assert [index for index, _ in front] == sorted(index for index, _ in front)


@given(PLANE, PLANE, PLANE)
def test_dominance_is_a_strict_order(
    a: tuple[int, ...], b: tuple[int, ...], c: tuple[int, ...]
) -> None:
    assert not dominates(a, a)
    assert not (dominates(a, b) and dominates(b, a))
    assert dominates(a, c) or not (dominates(a, b) and dominates(b, c))


@given(SETS)
def test_hypervolume_is_the_number_of_dominated_cells(points: list[tuple[int, ...]]) -> None:
    zero = origin(points)
    assert hypervolume(points, zero) == cells(points, len(zero))


@given(FULL_SETS, st.integers(-20, 20), st.randoms(use_true_random=False))
def test_hypervolume_does_not_depend_on_place_or_order(
    points: list[tuple[int, ...]], shift: int, rng: object
) -> None:
    volume = hypervolume(points, origin(points))
    moved = [tuple(x + shift for x in point) for point in points]
    assert hypervolume(moved, tuple(float(shift) for _ in points[0])) == volume
    rng.shuffle(moved)  # type: ignore[attr-defined]
    turned = [tuple(reversed(point)) for point in moved]
    assert hypervolume(turned, tuple(float(shift) for _ in points[0])) == volume
    assert hypervolume(points * 2, origin(points)) == volume
    assert hypervolume(
        [tuple(3 * x for x in p) for p in points], origin(points)
    ) == volume * 3 ** len(points[0])


@given(FULL_SETS)
def test_only_the_front_has_volume(points: list[tuple[int, ...]]) -> None:
    front = pareto_front(points, key=lambda point: point)
    assert hypervolume(front, origin(points)) == hypervolume(points, origin(points))


@given(st.lists(SPACE, max_size=8), SPACE)
def test_a_further_point_never_takes_volume_away(
    points: list[tuple[int, ...]], new: tuple[int, ...]
) -> None:
    before = hypervolume(points, (0.0, 0.0, 0.0))
    after = hypervolume([*points, new], (0.0, 0.0, 0.0))
    adds = min(new) > 0 and not any(p == new or dominates(p, new) for p in points)
    assert after > before if adds else after == before


def by_inclusion_and_exclusion(points: list[tuple[float, ...]]) -> float:
    """Volume of a union of boxes at the origin: those of all subsets' intersections in turn."""
    boxes = [point for point in points if min(point) > 0]
    return sum(
        (-1) ** (size + 1) * math.prod(map(min, zip(*some, strict=True)))
        for size in range(1, len(boxes) + 1)
        for some in itertools.combinations(boxes, size)
    )


REAL = st.floats(-0.2, 1.2) | st.sampled_from([0.0, 0.3, 1.0])
SWEEPS = st.integers(1, 3).flatmap(
    lambda d: st.tuples(
        st.lists(st.tuples(*[REAL] * d), max_size=4),
        st.integers(1, 4).flatmap(
            lambda size: st.lists(
                st.lists(st.tuples(*[REAL] * d), min_size=size, max_size=size),
                min_size=1,
                max_size=4,
            )
        ),
        st.just(d),
    )
)


@given(SWEEPS)
def test_volumes_of_many_sets_at_once_are_those_by_brute_force(
    drawn: tuple[list[tuple[float, ...]], list[list[tuple[float, ...]]], int],
) -> None:
    _, sweeps, dimensions = drawn
    exact = [by_inclusion_and_exclusion(sweep) for sweep in sweeps]
    assert volumes(np.array(sweeps)) == pytest.approx(exact, abs=1e-9)
    for sweep, volume in zip(sweeps, exact, strict=True):
        assert hypervolume(sweep, (0.0,) * dimensions) == pytest.approx(volume, abs=1e-9)


@given(SWEEPS)
def test_the_improvement_of_a_sweep_is_the_volume_of_the_union_less_that_before(
    drawn: tuple[list[tuple[float, ...]], list[list[tuple[float, ...]]], int],
) -> None:
    front, sweeps, dimensions = drawn
    before = by_inclusion_and_exclusion(front)
    exact = [by_inclusion_and_exclusion([*front, *sweep]) - before for sweep in sweeps]
    gained = hypervolume_improvements(
        np.array(front).reshape(-1, dimensions), np.array(sweeps)[None]
    )
    assert gained.shape == (1, len(sweeps))
    assert gained[0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("share", [0.03, 0.06, 0.5])
def test_an_improvement_in_three_dimensions_grows_with_the_share_that_is_gained(
    share: float,
) -> None:
    """Slices of a tenth counted 3 % of the extent as nothing, and 6 % twice."""
    front, above = np.array([[1.0, 1.0, 0.5]]), np.array([[[1.0, 1.0, 0.5 + share]]])
    assert hypervolume_improvements(front, above)[0] == pytest.approx(share, abs=1e-9)


def test_many_long_sets_are_swept_alike() -> None:
    """More than are swept at once."""
    points = np.random.default_rng(0).random((60, 40, 3))
    at_once = volumes(np.repeat(points, 30, axis=0)).reshape(60, 30)
    one_by_one = [hypervolume(list(map(tuple, some)), (0.0, 0.0, 0.0)) for some in points]
    assert at_once == pytest.approx(np.repeat(one_by_one, 30).reshape(60, 30), abs=1e-9)


@given(st.integers(1, 3).flatmap(lambda d: st.lists(st.tuples(*[REAL] * d), max_size=12)))
def test_the_places_of_the_front_are_those_that_nothing_dominates(
    points: list[tuple[float, ...]],
) -> None:
    firsts = {point: place for place, point in reversed(list(enumerate(points)))}
    expected = [
        place
        for point, place in sorted(firsts.items(), key=lambda entry: entry[1])
        if not any(dominates(other, point) for other in points)
    ]
    if points:
        assert front_places(np.array(points)).tolist() == expected


@pytest.mark.parametrize(
    ("points", "reference", "word"),
    [
        ([(1.0,) * 4], (0.0,) * 4, "dimensions"),
        ([()], (), "dimensions"),
        ([(1.0, 2.0)], (0.0, 0.0, 0.0), "elements"),
        ([(1.0, math.nan)], (0.0, 0.0), "finite"),
        ([(1.0, 1.0)], (0.0, -math.inf), "finite"),
    ],
)
def test_hypervolume_refuses_what_has_none(
    points: list[tuple[float, ...]], reference: tuple[float, ...], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        hypervolume(points, reference)


@given(FULL_SETS)
def test_every_point_lies_above_the_reference_point(points: list[tuple[int, ...]]) -> None:
    reference = reference_point(points)
    assert all(x > r for point in points for x, r in zip(point, reference, strict=True))
    assert hypervolume(points, reference) > 0


def test_the_reference_point_is_a_tenth_of_the_extent_below_the_nadir() -> None:
    assert reference_point([(0.0, 20.0), (10.0, 10.0)]) == (-1.0, 9.0)
    with pytest.raises(ValueError, match="empty"):
        reference_point([])


@given(POINTS)
def test_every_objective_is_turned_so_that_more_is_better(point: OperatingPoint) -> None:
    vector = objective_vector(point, list(OBJECTIVES))
    for value, objective in zip(vector, OBJECTIVES.values(), strict=True):
        assert value == getattr(point, objective.name) * (1 if objective.maximise else -1)
    with pytest.raises(ValueError, match="did you mean 'ttft_ms'"):
        objective_vector(point, ["ttft"])


@given(POINTS)
def test_a_million_tokens_cost_the_hours_that_a_device_takes_for_them(
    point: OperatingPoint,
) -> None:
    hours = 1e6 / point.tok_s_per_gpu / 3600
    assert point.usd_per_million_tokens == pytest.approx(hours * (point.usd_per_gpu_hour or 0))
    unpriced = replace(point, usd_per_gpu_hour=None)
    assert unpriced.usd_per_million_tokens is None
    with pytest.raises(ValueError, match="no usd_per_gpu_hour is known"):
        objective_vector(unpriced, ["usd_per_million_tokens"])


@given(st.lists(POINTS, min_size=1, max_size=8), SLO)
def test_a_recommendation_obeys_the_slo(
    points: list[OperatingPoint], slo: dict[str, float]
) -> None:
    def excess(point: OperatingPoint) -> float:
        return max(getattr(point, name) / limit for name, limit in slo.items())

    answer = recommend(points, slo)
    assert answer is not None
    best, reason, meets = answer
    within = [point for point in points if excess(point) <= 1]
    assert best in points
    assert meets == bool(within)
    assert ("meet the SLO" if meets else "no operating point meets the SLO") in reason
    if within:
        assert best in within
        assert best.tok_s_per_gpu == max(point.tok_s_per_gpu for point in within)
    else:
        assert excess(best) == pytest.approx(min(map(excess, points)))


@given(st.lists(ONE_TOKEN, min_size=1, max_size=8), st.none() | st.integers(1, 60).map(float))
def test_points_without_tpot_are_recommended_by_what_they_have(
    points: list[OperatingPoint], ttft_ms: float | None
) -> None:
    answer = recommend(points, {} if ttft_ms is None else {"ttft_ms": ttft_ms})
    assert answer is not None
    best, reason, _ = answer
    assert best in points
    assert "user" not in reason
    assert "None" not in reason
    with pytest.raises(ValueError, match="TPOT does not exist"):
        objective_vector(best, ["tpot_ms"])


@given(st.lists(POINTS, min_size=1, max_size=8))
def test_without_an_slo_the_best_balance_is_recommended(points: list[OperatingPoint]) -> None:
    answer = recommend(points, {})
    assert answer is not None
    products = [point.tok_s_per_gpu * point.tok_s_per_user for point in points]
    assert answer[0].tok_s_per_gpu * answer[0].tok_s_per_user == max(products)
    assert answer[2]


@given(
    st.lists(POINTS, min_size=1, max_size=8),
    st.one_of(st.just({}), SLO),
    st.sampled_from([name for name in OBJECTIVES if name != "usd_per_million_tokens"]),
)
def test_a_single_objective_decides_within_the_slo(
    points: list[OperatingPoint], slo: dict[str, float], name: str
) -> None:
    answer = recommend(points, slo, [name])
    assert answer is not None
    best, reason, meets = answer
    within = [p for p in points if all(getattr(p, key) <= limit for key, limit in slo.items())]
    assert meets == bool(within)
    if within:
        (reached,) = objective_vector(best, [name])
        assert best in within
        assert reached == max(objective_vector(point, [name])[0] for point in within)
        assert f"of {len(within)} operating points" in reason
    assert recommend(points, slo, [name, "tok_s"]) == recommend(points, slo)


def test_nothing_is_recommended_from_nothing() -> None:
    assert recommend([], {}) is None
    assert recommend([], {"ttft_ms": 10.0}) is None
