"""What is learnt from measurements about each setting, and what it promises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import SETTINGS, TRUTH, completed

from autotuner.config import LoadLevel
from autotuner.search import OperatingPoint, Outcome
from autotuner.search.axes import axes_of, gower_distance
from autotuner.search.frontier import Incumbent
from autotuner.search.progressive.trends import METRICS, Trend, Trends, learn_trends

TP, SLOTS, GEMM = "parallel.tensor_parallel", "scheduling.max_running_requests", "gemm_mode"
LATENCY_OF_WIDTH = {1: 1.0, 2: 0.7, 4: 0.6, 8: 0.59}


def made_up(settings: Mapping[str, Mapping[str, object]]) -> list[Outcome]:
    """Launches whose latency is a product of effects: of the width, the format and the load."""
    outcomes = []
    for candidate, own in settings.items():
        points = []
        for concurrency in (1, 8, 64):
            factor = LATENCY_OF_WIDTH[int(str(own[TP]))] * (0.5 if own[GEMM] == "fp8" else 1.0)
            tpot_ms = 20 * factor * (1 + concurrency / 64)
            tok_s = concurrency * 1000 / tpot_ms
            points.append(
                OperatingPoint(
                    *(
                        candidate,
                        LoadLevel.concurrency(concurrency),
                        tok_s,
                        tok_s / int(str(own[TP])),
                        1000 / tpot_ms,
                    ),
                    *(10 * tpot_ms, tpot_ms, 100 * tpot_ms),
                )
            )
        outcomes.append(Outcome(candidate, "completed", tuple(points)))
    return outcomes


FULL = {f"{tp}-{gemm}": {TP: tp, GEMM: gemm} for tp in (1, 2, 4, 8) for gemm in ("bfloat16", "fp8")}


def learnt(outcomes: list[Outcome], settings: Mapping[str, Mapping[str, object]]) -> Trends:
    trends = learn_trends(outcomes, settings)
    assert trends is not None
    return trends


def test_effects_that_multiply_are_found_whatever_the_load() -> None:
    trends = learnt(made_up(FULL), FULL)
    for before, after, factor in ((1, 2, 0.7), (2, 4, 0.6 / 0.7), (1, 8, 0.59)):
        found = trends.of(TP, before, after, "e2e_p90_ms")
        assert 1 + found.change == pytest.approx(factor, rel=0.08)
    assert 1 + trends.of(GEMM, "bfloat16", "fp8", "tpot_ms").change == pytest.approx(0.5, rel=0.1)
    assert trends.launches == 8


def test_trends_are_reported_in_words_with_their_strength() -> None:
    assert Trend(TP, 4, 8, "e2e_p90_ms", -0.31).describe() == "TP 4 -> 8 cuts p90 latency by 31 %"
    assert (
        Trend(SLOTS, 128, 512, "tok_s_per_gpu", 0.02).describe()
        == "beyond 128 sequences throughput per GPU gains 2.0 %"
    )
    assert (
        Trend(SLOTS, 8, 16, "ttft_ms", -0.01).describe() == "beyond 8 sequences TTFT falls by 1.0 %"
    )
    assert (
        Trend(SLOTS, 16, 8, "ttft_ms", 0.01).describe() == "sequences 16 -> 8 raises TTFT by 1.0 %"
    )
    assert (
        Trend("memory.page_size", None, 16, "tpot_ms", 0.1).describe()
        == "page size default -> 16 raises TPOT by 10 %"
    )


def test_the_strongest_trend_is_reported_first_and_a_levelling_one_last() -> None:
    ranked = learnt(made_up(FULL), FULL).ranked(["e2e_p90_ms"])
    assert ranked[0].path == GEMM
    assert (ranked[-1].before, ranked[-1].after) == (4, 8)
    assert [t.describe() for t in ranked][-1].startswith("beyond 4 TP p90 latency falls by")


def test_a_width_between_measured_ones_has_its_share_and_one_beyond_nothing_more() -> None:
    settings = {c: own for c, own in FULL.items() if own[TP] in (1, 4)}
    trends = learnt(made_up(settings), settings)
    whole = trends.of(TP, 1, 4, "tpot_ms").change
    half = trends.of(TP, 1, 2, "tpot_ms").change
    assert math.log1p(half) == pytest.approx(math.log1p(whole) / 2)
    assert trends.of(TP, 4, 8, "tpot_ms").change == 0
    assert trends.of("misc.threads", 1, 2, "tpot_ms").change == 0


def test_a_limit_on_sequences_changes_nothing_below_it() -> None:
    tried = [c for c, own in SETTINGS.items() if own["attention.chunked_prefill_size"] == 2048]
    trends = learnt([completed(candidate) for candidate in tried], SETTINGS)
    own, other = dict(SETTINGS[tried[0]], **{SLOTS: 128}), dict(SETTINGS[tried[0]], **{SLOTS: 512})
    low, high = TRUTH[tried[0]][0], TRUTH[tried[0]][-1]
    assert trends.changed(low, own, "x", other) == replace(low, candidate_id="x")
    assert trends.changed(high, own, "x", other).ttft_ms < high.ttft_ms


@given(st.integers(0, 2))
def test_nothing_is_learnt_from_fewer_than_two_launches(count: int) -> None:
    outcomes = made_up(FULL)[:count]
    failed = Outcome("8-fp8", "failed", failure_kind="out_of_memory")
    assert (learn_trends([*outcomes, failed], FULL) is None) == (count < 2)


def test_launches_with_equal_settings_show_no_trend() -> None:
    same = {"a": FULL["1-fp8"], "b": FULL["1-fp8"]}
    trends = learnt(made_up(same), same)
    assert trends.ranked() == ()
    assert set(METRICS) >= {"tok_s_per_gpu", "e2e_p90_ms", "ttft_ms", "tpot_ms"}


VALUES = st.sampled_from([1, 2, 64, 0.5, None, "fp8", True])
SPACE = st.dictionaries(
    st.sampled_from("abcd"), st.dictionaries(st.sampled_from(["g.x", "g.y"]), VALUES), min_size=2
)


@given(SPACE, st.data())
def test_unlikeness_is_a_distance_between_0_and_1(
    space: dict[str, dict[str, object]], data: st.DataObject
) -> None:
    axes = axes_of(space)
    one, other, third = (space[data.draw(st.sampled_from(sorted(space)))] for _ in range(3))
    assert gower_distance(one, one, axes) == 0
    assert gower_distance(one, other, axes) == gower_distance(other, one, axes)
    assert 0 <= gower_distance(one, other, axes) <= 1
    straight = gower_distance(one, third, axes)
    assert straight <= gower_distance(one, other, axes) + gower_distance(other, third, axes) + 1e-9


def test_doublings_are_equally_far_apart_and_what_all_share_is_no_axis() -> None:
    space = {str(tp): {TP: tp, "system.backend": "vllm"} for tp in (1, 2, 4, 8)}
    (axis,) = axes_of(space)
    assert axis.distance(1, 2) == pytest.approx(axis.distance(4, 8)) == pytest.approx(1 / 3)
    assert axis.between(2, 8) == (4.0,)
    assert (axis.ratio(8, 2), axis.ratio(None, 2)) == (4.0, 1.0)


def test_improvement_is_the_share_of_hypervolume_that_is_added() -> None:
    def point(throughput: float, speed: float, ttft_ms: float = 1.0) -> OperatingPoint:
        return OperatingPoint(
            "a", 1, throughput, throughput, speed, ttft_ms, 1000 / speed, ttft_ms + 1000 / speed
        )

    pair = (point(100, 10), point(10, 100))
    frontier = Incumbent(pair, ("tok_s_per_gpu", "tok_s_per_user"), {})
    assert frontier.improvement([point(90, 9), point(10, 100)]) == 0
    # The two corners of 1.1 x 0.1 overlap in 0.1 x 0.1; the new one fills up to 1.1 x 1.1.
    assert frontier.improvement([point(100, 100)]) == pytest.approx((1.21 - 0.21) / 0.21)

    best = Incumbent(pair, ("tok_s_per_gpu",), {"tpot_ms": 50.0})
    assert best.improvement([point(12, 40)]) == pytest.approx(0.2)
    assert best.improvement([point(500, 10)]) == 0, "outside the SLO"
    nothing = Incumbent(pair, ("tok_s_per_gpu",), {"ttft_ms": 0.5})
    assert nothing.improvement([point(1, 1, ttft_ms=0.75)]) == pytest.approx(0.5)
    assert nothing.improvement([point(1, 1, ttft_ms=0.4)]) == 1
    cheap = Incumbent(
        tuple(replace(p, usd_per_gpu_hour=2.0) for p in pair), ("usd_per_million_tokens",), {}
    )
    assert cheap.improvement([replace(point(125, 1), usd_per_gpu_hour=2.0)]) == pytest.approx(0.25)
