"""Counts of limits add up, relaxing never excludes more, and what is listed is what is admitted."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.search import OperatingPoint, has, recommend
from autotuner.search.slo import within, worst_excess
from autotuner.search.why_not import MOST_STEPS, admitted, rounded_up, why_not, written_limit

_MS = st.floats(0.01, 20_000)
_NAMES = ("ttft_ms", "tpot_ms", "e2e_p90_ms")
_SLO = st.dictionaries(st.sampled_from(_NAMES), _MS, min_size=1)
_OBJECTIVES = st.sampled_from(
    [("tok_s_per_gpu",), ("ttft_ms",), ("tok_s_per_gpu", "tok_s_per_user"), ()]
)


def point(
    name: str, ttft_ms: float, tpot_ms: float | None, per_gpu: float, e2e_ms: float = 900.0
) -> OperatingPoint:
    return OperatingPoint(
        candidate_id=name,
        load=LoadLevel.concurrency(4),
        tok_s=2 * per_gpu,
        tok_s_per_gpu=per_gpu,
        tok_s_per_user=None if tpot_ms is None else 1000 / tpot_ms,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        e2e_p90_ms=e2e_ms,
    )


_POINT = st.builds(
    point,
    st.sampled_from(["a", "b", "c", "d"]),
    _MS,
    st.none() | _MS,
    st.floats(0.1, 9_000),
    _MS,
)
_POINTS = st.lists(_POINT, max_size=30)


@given(_POINTS, _SLO, _OBJECTIVES)
def test_counts_add_up(
    points: list[OperatingPoint], slo: dict[str, float], objectives: tuple[str, ...]
) -> None:
    found = why_not(points, slo, objectives)
    assert found.points == found.admitted.points + sum(found.missed_together.values())
    assert len(points) - found.points <= sum(found.lacking.values())
    for effect in found.limits:
        named = [n for names, n in found.missed_together.items() if effect.name in names]
        assert effect.missing == sum(named)
        assert effect.only_missing == found.missed_together.get((effect.name,), 0)
        assert effect.only_candidates <= effect.candidates or effect.only_missing
        others = {name: limit for name, limit in slo.items() if name != effect.name}
        known = [p for p in points if has(p, (*objectives, *slo))]
        dropped = admitted(known, others, found.objective)
        assert dropped.points == found.admitted.points + effect.only_missing
        assert dropped.candidates == found.admitted.candidates + effect.only_candidates


@given(_POINTS, _SLO, _OBJECTIVES)
def test_a_relaxed_limit_admits_what_it_says_and_never_less(
    points: list[OperatingPoint], slo: dict[str, float], objectives: tuple[str, ...]
) -> None:
    found = why_not(points, slo, objectives)
    for effect in found.limits:
        before = found.admitted
        assert len(effect.relaxed) <= MOST_STEPS
        for step in effect.relaxed:
            assert step.limits[effect.name] > slo[effect.name]
            assert {n: v for n, v in step.limits.items() if n != effect.name} == {
                n: v for n, v in slo.items() if n != effect.name
            }
            admits = [p for p in points if has(p, objectives) and within(p, step.limits)]
            assert step.points == len(admits) > before.points
            assert step.best in admits
            chosen = recommend(admits, step.limits, objectives)
            assert chosen is not None
            if len(objectives) != 1 or objectives[0] == "tok_s_per_gpu":
                assert step.best is not None
                assert step.best.tok_s_per_gpu == chosen[0].tok_s_per_gpu
            before = step
        # What only this limit keeps out is admitted by none, or by the first step already.
        if effect.only_missing and not found.admitted.points:
            assert effect.relaxed


@given(_POINTS, _SLO)
def test_the_nearest_point_misses_least_and_the_common_factor_admits_it(
    points: list[OperatingPoint], slo: dict[str, float]
) -> None:
    found = why_not(points, slo)
    if found.nearest is None:
        assert found.points == 0
        return
    known = [p for p in points if p.tpot_ms is not None or "tpot_ms" not in slo]
    worst = max(miss.excess for miss in found.misses)
    assert worst == min(worst_excess(p, slo)[0] for p in known)
    assert found.at_factor is not None
    assert found.factor is not None
    assert within(found.nearest, found.at_factor.limits)
    assert found.at_factor.points == sum(within(p, found.at_factor.limits) for p in known)
    assert found.factor <= (1 + worst) * 1.02
    below = {name: limit * (1 + worst) * 0.999 for name, limit in slo.items()}
    assert not any(within(p, below) for p in known)


@given(_POINTS, _SLO)
def test_the_tightest_limit_admits_something_and_a_lower_one_nothing(
    points: list[OperatingPoint], slo: dict[str, float]
) -> None:
    for effect in why_not(points, slo).limits:
        assert (effect.tightest is None) == (not any(within(p, slo) for p in points))
        if effect.tightest is None:
            continue
        assert effect.tightest.points > 0
        assert effect.tightest.limits[effect.name] <= effect.limit_ms
        lower = {**slo, effect.name: effect.tightest.limits[effect.name] * 0.98}
        assert not any(within(p, lower) for p in points)


@given(st.floats(1e-6, 1e9))
@example(617.3)
@example(0.29)
@example(1.1)
def test_a_limit_is_rounded_up_to_what_a_person_writes(value: float) -> None:
    for digits in (2, 3):
        assert value <= rounded_up(value, digits) <= value * (1 + 2.1 * 10 ** (1 - digits))
    assert value <= written_limit(value) <= value * 1.021


def test_a_stricter_limit_is_never_above_the_limit() -> None:
    (effect,) = why_not([point("a", 300.0, 20.0, 100)], {"ttft_ms": 200}).limits
    assert effect.tightest is None
    (effect,) = why_not([point("a", 123.41, 20.0, 100)], {"ttft_ms": 123.42}).limits
    assert effect.tightest is not None
    assert effect.tightest.limits == {"ttft_ms": 123.42}


def test_a_limit_that_brings_exactly_5_percent_is_listed() -> None:
    points = [point("a", 100.0, 20.0, 100), point("b", 300.0, 20.0, 105)]
    (effect,) = why_not(points, {"ttft_ms": 200}).limits
    assert [one.limits["ttft_ms"] for one in effect.relaxed] == [300]


def test_the_example_of_the_documents() -> None:
    points = [
        point("a", 617.3, 20.0, 3_900),
        point("b", 900.0, 20.0, 3_950),
        point("c", 1_500.0, 20.0, 5_000),
        point("d", 400.0, 90.0, 6_000),
    ]
    found = why_not(points, {"ttft_ms": 500, "tpot_ms": 30})
    ttft, tpot = found.limits
    assert found.admitted.points == 0
    assert (ttft.missing, ttft.only_missing, ttft.only_candidates) == (3, 3, 3)
    assert [(one.limits["ttft_ms"], one.points) for one in ttft.relaxed] == [(620, 1), (1500, 3)]
    assert [one.limits["tpot_ms"] for one in tpot.relaxed] == [90]
    assert found.nearest is points[0]
    assert found.factor is not None
    assert math.isclose(found.factor, 1.24)
    assert found.binding == "ttft_ms"


def test_what_binds_a_met_slo_is_the_limit_that_keeps_the_best_from_being_better() -> None:
    points = [point("a", 200.0, 20.0, 100), point("b", 400.0, 25.0, 300)]
    found = why_not(points, {"ttft_ms": 300, "tpot_ms": 30})
    assert found.admitted.points == 1
    assert found.binding == "ttft_ms"
    assert why_not(points, {"ttft_ms": 500, "tpot_ms": 30}).binding is None
