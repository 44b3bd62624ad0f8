"""A sweep is cut short only where no level that is left can improve the frontier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.config import LoadLevel, closed_loops
from autotuner.predict import Prediction
from autotuner.search import OperatingPoint, objective_vector, why_cut
from autotuner.search.frontier import dominates
from autotuner.search.stopping import MARGIN

LEVELS = (1, 4, 16, 64)


def levels(values: Sequence[int]) -> tuple[LoadLevel, ...]:
    return closed_loops(*values)


TWO = ("tok_s_per_gpu", "tok_s_per_user")
OBJECTIVES = (("tok_s_per_gpu",), TWO, (*TWO, "ttft_ms"))


def predicted(level: int, ttft_ms: float, tpot_ms: float, tok_s: float) -> Prediction:
    stds = dict.fromkeys(("ttft_log_std", "tpot_log_std", "tok_s_log_std"), 0.3)
    return Prediction(
        "c",
        LoadLevel.concurrency(level),
        ttft_ms,
        tpot_ms,
        tok_s,
        devices=2,
        osl=8,
        source="p",
        **stds,
    )


def seen(stated: Prediction, *shifts: float) -> OperatingPoint:
    """What a level shows whose TTFT, TPOT and throughput are off by these, in logarithms."""
    ttft, tpot, tok_s = map(math.exp, shifts or (0, 0, 0))
    shown = replace(
        stated,
        ttft_ms=stated.ttft_ms * ttft,
        tpot_ms=stated.tpot_ms * tpot,
        tok_s=stated.tok_s * tok_s,
    )
    return OperatingPoint(
        candidate_id="c",
        load=stated.load,
        tok_s=shown.tok_s,
        tok_s_per_gpu=shown.tok_s_per_gpu,
        tok_s_per_user=shown.tok_s_per_user,
        ttft_ms=shown.ttft_ms,
        tpot_ms=shown.tpot_ms,
        e2e_p90_ms=shown.e2e_ms,
    )


SWEEP = tuple(predicted(n, 20.0 * n, 10.0 + n, 100.0 * math.sqrt(n)) for n in LEVELS)
FAR_BETTER = replace(seen(SWEEP[-1]), tok_s_per_gpu=9000.0, tok_s_per_user=900.0, ttft_ms=1.0)


def asked(**changes: Any) -> str | None:
    """Whether levels 16 and 64 are cut once 1 and 4 came as predicted."""
    reported = {
        "measured": [seen(point) for point in SWEEP[:2]],
        "predicted": SWEEP,
        "left": levels(LEVELS[2:]),
        "others": [FAR_BETTER],
        "objectives": TWO,
        "slo": {},
    }
    return why_cut(**reported | changes)


def test_levels_that_are_beaten_whatever_they_show_are_cut_with_the_figures() -> None:
    reported = asked()
    assert reported is not None
    assert reported.startswith("16, 64 concurrent cannot improve the frontier: at best ")
    assert "9,000 tok/s/GPU, 900 tok/s/user (concurrency 64) is measured already" in reported


@pytest.mark.parametrize(
    "changes",
    [
        {"others": []},
        {"measured": []},
        {"measured": [seen(SWEEP[0])], "left": levels(LEVELS[1:])},
        {"left": ()},
        {"predicted": ()},
        {"predicted": SWEEP[:3]},
        {"predicted": SWEEP[2:]},
    ],
    ids=[
        "first launch",
        "nothing measured",
        "one level",
        "nothing left",
        "silent",
        "a gap",
        "no anchor",
    ],
)
def test_what_is_unknown_is_not_cut(changes: dict[str, Any]) -> None:
    assert asked(**changes) is None


def test_one_level_that_may_improve_the_frontier_keeps_the_others() -> None:
    good = replace(SWEEP[3], tok_s=1e6)
    assert asked(predicted=(*SWEEP[:3], good)) is None


def test_what_this_launch_shows_corrects_what_is_expected_of_the_rest() -> None:
    rival = replace(FAR_BETTER, tok_s_per_gpu=300.0, tok_s_per_user=80.0)
    slower = [seen(point, 0.5, 0.5, -0.5) for point in SWEEP[:2]]
    faster = [seen(point, -0.5, -0.5, 0.5) for point in SWEEP[:2]]
    assert asked(others=[rival], measured=slower, left=levels([16]))
    assert asked(others=[rival], measured=faster, left=levels([16])) is None


def test_a_residual_that_improves_with_the_load_may_go_on_improving() -> None:
    rival = replace(FAR_BETTER, tok_s_per_gpu=450.0, tok_s_per_user=500.0)
    steady = [seen(SWEEP[0], 0, 0, 0.2), seen(SWEEP[1], 0, 0, 0.2)]
    rising = [seen(SWEEP[0], 0, 0, -0.2), seen(SWEEP[1], 0, 0, 0.2)]
    assert asked(others=[rival], measured=steady, left=levels([16]))
    assert asked(others=[rival], measured=rising, left=levels([16])) is None


def test_a_residual_that_improves_towards_low_loads_may_go_on_improving() -> None:
    """Highest levels first, as a search may choose them; each octave down TPOT gains 0.2."""
    loads = (1, 2, 4, 8, 16, 32, 64, 128)
    sweep = [predicted(n, 20.0 * n, 10.0 + n, 100.0 * math.sqrt(n)) for n in loads]
    real = [seen(point, 0, 0.2 * place, -0.2 * place) for place, point in enumerate(sweep)]
    others = [
        replace(p, tok_s_per_gpu=p.tok_s_per_gpu / 1.1, tok_s_per_user=p.tok_s_per_user / 1.1)
        for p in real
    ]
    for count in range(1, 7):
        changes = {"predicted": sweep, "others": others, "left": levels(loads[:count])}
        assert asked(measured=real[-2:], **changes) is None


def test_levels_beyond_the_slo_are_cut_once_a_point_meets_it() -> None:
    slo = {"ttft_ms": 100.0}
    unbeaten = replace(FAR_BETTER, tok_s_per_gpu=1.0, tok_s_per_user=1.0)
    assert asked(slo={}, others=[unbeaten]) is None
    reported = asked(slo=slo, others=[unbeaten])
    assert reported is not None
    assert "TTFT at 16 is " in reported
    assert "ms at best, the SLO is 100 ms" in reported
    broken = [seen(point, 5.0, 0.0, 0.0) for point in SWEEP[:2]]
    outside = replace(unbeaten, ttft_ms=1e6)
    assert asked(slo=slo, others=[outside], measured=broken) is None, "nothing meets it so far"


def test_a_point_that_breaks_the_slo_beats_nothing() -> None:
    slo = {"ttft_ms": 5000.0}
    broken = replace(FAR_BETTER, ttft_ms=6000.0)
    assert asked(others=[broken], slo={}) is not None
    assert asked(others=[broken], slo=slo) is None


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[Prediction], list[OperatingPoint]]:
    """A sweep's predictions, and what it really shows.

    Real levels are off by what the launch is off, by what that drifts with each level, and by less
    than the margin on top.
    """
    factor, within = st.floats(0.3, 3.0), st.sampled_from((-MARGIN / 2, 0.0, MARGIN / 2))
    offs, drifts = (draw(st.tuples(*[st.floats(-most, most)] * 3)) for most in (1, 0.6))
    stated = [
        replace(
            point,
            ttft_ms=point.ttft_ms * draw(factor),
            tpot_ms=point.tpot_ms * draw(factor),
            tok_s=point.tok_s * draw(factor),
        )
        for point in SWEEP
    ]
    real = [
        seen(p, *(a + b * place + draw(within) for a, b in zip(offs, drifts, strict=True)))
        for place, p in enumerate(stated)
    ]
    return stated, real


@settings(max_examples=400)
@given(sweeps(), st.integers(2, 3), st.sampled_from(OBJECTIVES), st.data())
def test_no_level_that_would_join_the_frontier_is_cut(
    drawn: tuple[list[Prediction], list[OperatingPoint]],
    done: int,
    objectives: tuple[str, ...],
    data: st.DataObject,
) -> None:
    """In whatever order levels are measured. The hardest rival is a point that a level left beats
    by little."""
    stated, real = drawn
    order = data.draw(st.permutations(real))
    measured, ahead = order[:done], order[done:]
    best = data.draw(st.sampled_from(ahead))
    worse = data.draw(st.floats(0.9, 0.999))
    rival = replace(
        best,
        tok_s_per_gpu=best.tok_s_per_gpu * worse,
        tok_s_per_user=best.tok_s_per_user * worse,
        ttft_ms=best.ttft_ms / worse,
    )
    left = sorted(point.load for point in ahead)
    cut = why_cut(measured, stated, left, others=[rival], objectives=objectives, slo={})
    wanted = objective_vector(best, objectives)
    reached = [objective_vector(point, objectives) for point in measured]
    if not any(one == wanted or dominates(one, wanted) for one in reached):
        assert cut is None
