"""Errors of the parts of the time, learnt from launches that are made up with known errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_time_parts import MODELS, predicted

from autotuner.predict.part_errors import ERROR_STD, MeasuredTime, learnt
from autotuner.predict.time_parts import TimeParts

LEVELS = (1, 4, 16, 64, 256)
WIDTHS = (1, 2, 4, 8)
NOISE = 0.02


def launches(
    errors: Mapping[str, float],
    model: str = MODELS[0],
    widths: Sequence[int] = WIDTHS,
    seed: int = 0,
) -> list[MeasuredTime]:
    """Launches of a model on a machine whose parts take e^error times as long as assumed."""
    random = np.random.default_rng(seed)
    found = []
    for width in widths:
        for point in predicted(model, levels=LEVELS, parallel__tensor_parallel=width):
            assert point.parts is not None
            noise = np.exp(NOISE * random.standard_normal(2))
            times = slower(point.parts.ttft_ms, errors), slower(point.parts.tpot_ms, errors)
            found.append(
                MeasuredTime(
                    point.parts,
                    times[0] * noise[0],
                    times[1] * noise[1],
                    f"width {width}",
                    point.load.value,
                )
            )
    return found


def slower(times_ms: Mapping[str, float], errors: Mapping[str, float]) -> float:
    return sum(ms * math.exp(errors.get(name, 0.0)) for name, ms in times_ms.items())


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(("dense_read", "dense_compute")),
    error=st.floats(-0.6, 0.9),
    seed=st.integers(0, 1000),
)
def test_an_error_is_found_again_within_its_interval(name: str, error: float, seed: int) -> None:
    known = learnt(launches({name: error}, seed=seed))
    mean, std = known.of(name)
    assert abs(mean - error) < 2.5 * std
    assert std < 0.9 * ERROR_STD
    assert name != "dense_read" or known.is_learnt(name)


@settings(max_examples=15, deadline=None)
@given(
    errors=st.dictionaries(
        st.sampled_from(("dense_read", "kernels", "all_reduce")), st.floats(-0.5, 0.7)
    )
)
def test_what_is_learnt_predicts_launches_of_another_width(errors: dict[str, float]) -> None:
    known = learnt(launches(errors, widths=(1, 2, 4)))
    for point in launches(errors, widths=(8,), seed=1):
        assumed_ms, times = sum(point.parts.tpot_ms.values()), point.parts.tpot_ms
        assert point.tpot_ms is not None
        after = math.log(sum(known.corrected(times).values()) / point.tpot_ms)
        before = math.log(assumed_ms / point.tpot_ms)
        assert abs(after) < max(0.5 * abs(before), 0.15)


def test_more_launches_of_one_machine_never_widen() -> None:
    all_of_them = launches({"dense_read": 0.3, "kernels": -0.2})
    names = tuple({name for one in all_of_them for name in one.parts.tpot_ms})
    before = learnt([], names)
    for count in range(1, len(all_of_them) + 1, 3):
        after = learnt(all_of_them[:count], names)
        stds = {name: (before.of(name)[1], after.of(name)[1]) for name in names}
        assert {n: s for n, s in stds.items() if s[1] > 1.03 * s[0]} == {}
        before = after


def test_nothing_measured_leaves_what_was_assumed() -> None:
    known = learnt([], ("dense_read:fp8", "host"))
    assert known.of("host") == (0.0, pytest.approx(ERROR_STD))
    assert known.of("dense_read:fp8")[1] > ERROR_STD
    assert (known.launches, known.points) == (0, 0)
    assert not any(map(known.is_learnt, known.names))
    assert not any(map(known.confused_with, known.names))


def test_one_point_of_one_launch_teaches_something() -> None:
    known = learnt(launches({"dense_read": 0.5}, widths=(1,))[:1])
    assert known.launches == known.points == 1
    assert known.of("dense_read")[0] > 0.2


def test_parts_that_are_always_alike_are_not_distinguished() -> None:
    """Two parts of half the time each, one of which takes longer: their sum is known."""
    points = [
        MeasuredTime(TimeParts({}, {"host": 5.0, "kernels": 5.0}), 1.0, 14.0, str(n), 1.0)
        for n in range(12)
    ]
    known = learnt(points)
    for name, other in (("host", "kernels"), ("kernels", "host")):
        assert not known.is_learnt(name)
        assert known.confused_with(name) == (other,)
    total_ms = sum(known.corrected({"host": 5.0, "kernels": 5.0}).values())
    assert total_ms == pytest.approx(14.0, rel=0.1)
    assert known.log_std({"host": 5.0, "kernels": 5.0}) < 0.6 * known.of("host")[1]


def test_formats_of_one_part_teach_each_other_in_part() -> None:
    points = [
        MeasuredTime(TimeParts({}, {"dense_read:fp8": 9.0, "host": 1.0}), 1.0, 16.0, str(n), 1.0)
        for n in range(4)
    ]
    known = learnt(points, ("dense_read:nvfp4", "kv_read:fp8"))
    (seen, std), (alike, wider) = known.of("dense_read:fp8"), known.of("dense_read:nvfp4")
    assert 0 < alike < seen
    assert std < wider < known.prior[known.names.index("dense_read:nvfp4")]
    assert known.of("kv_read:fp8")[0] == pytest.approx(0.0, abs=1e-9)


def test_a_launch_that_is_far_off_bends_little() -> None:
    points = launches({})
    odd = [one.launch == "width 8" and one.in_flight > 4 for one in points]
    bent = [
        MeasuredTime(p.parts, 8 * p.ttft_ms, 8 * (p.tpot_ms or 0.0), p.launch, p.in_flight)
        if is_odd
        else p
        for p, is_odd in zip(points, odd, strict=True)
    ]
    straight, found = learnt(points), learnt(bent)
    for name in ("dense_read", "dense_compute", "kv_read"):
        assert abs(found.of(name)[0] - straight.of(name)[0]) < 0.35


def test_a_ratio_of_equal_times_is_certain_and_of_others_is_not() -> None:
    known = learnt(launches({"dense_read": 0.4}))
    times = {"dense_read": 3.0, "host": 1.0}
    assert known.log_ratio(times, times) == (pytest.approx(0.0), pytest.approx(0.0, abs=1e-9))
    mean, std = known.log_ratio({"dense_read": 1.5, "host": 1.0}, times)
    assert mean < 0 < std


def test_learning_is_the_same_in_any_order() -> None:
    points = launches({"dense_read": 0.3})
    one, other = learnt(points), learnt(points[::-1])
    assert np.allclose(one.mean, other.mean) and np.allclose(one.covariance, other.covariance)


def test_answers_of_one_token_have_no_tpot() -> None:
    points = [
        MeasuredTime(TimeParts({"dense_compute": 10.0}, {}), 20.0, None, str(n), 1.0)
        for n in range(3)
    ]
    assert learnt(points).of("dense_compute")[0] > 0.05
