"""Choice among predicted points: the best, others in kind, and what only measuring tells apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.predict import Prediction
from autotuner.search.predictions import as_point
from autotuner.tuning.predicted_choice import MOST_ALTERNATIVES, Kind, PointOfKind, choose

SLO = {"ttft_ms": 500.0}


def place(
    name: str,
    tok_s: float,
    ttft_ms: float = 100.0,
    *,
    engine: str = "vllm",
    tp: int = 1,
    fmt: str = "bfloat16",
    log_std: float = 0.1,
) -> PointOfKind:
    settings = {"parallel.tensor_parallel": tp, "quantization.gemm_mode": fmt}
    prediction = Prediction(
        candidate_id=name,
        load=LoadLevel.concurrency(8),
        ttft_ms=ttft_ms,
        tpot_ms=10.0,
        tok_s=tok_s,
        devices=1,
        osl=100,
        ttft_log_std=log_std,
        tpot_log_std=log_std,
        tok_s_log_std=log_std,
        source="test",
    )
    return PointOfKind(
        Kind.of(engine, settings, moe=False), settings, prediction, as_point(prediction)
    )


def test_the_best_meets_the_slo_and_the_others_differ_in_kind() -> None:
    best = place("a", 100)
    points = [
        best,
        place("same kind", 99),
        place("too slow", 900, ttft_ms=5000, tp=4),
        place("wide", 80, tp=2),
        place("narrow", 70, fmt="fp8"),
        place("other", 60, engine="sglang"),
    ]
    found = choose(points, SLO)
    assert found is not None
    assert (found.best, found.meets_slo, found.kinds) == (best, True, 5)
    names = [one.place.prediction.candidate_id for one in found.alternatives]
    assert names == ["wide", "narrow", "other"]
    assert [one.differs for one in found.alternatives] == [("layout",), ("formats",), ("engine",)]
    assert found.certain is None


def test_each_respect_has_its_alternative_before_the_next_best() -> None:
    points = [place("a", 100), *(place(f"tp{n}", 100 - n, tp=n) for n in range(2, 9))]
    points += [place("late", 10, engine="sglang")]
    found = choose(points, {})
    assert found is not None
    assert len(found.alternatives) == MOST_ALTERNATIVES
    assert found.alternatives[-1].place.engine == "sglang"


def test_a_limit_inside_the_interval_has_a_certain_choice_beside_it() -> None:
    points = [place("fast", 100, ttft_ms=490), place("safe", 50, ttft_ms=100)]
    found = choose(points, SLO)
    assert found is not None and found.certain is not None
    assert found.best.verdict(SLO) == "unclear"
    assert found.certain.prediction.candidate_id == "safe"
    assert found.certain.verdict(SLO) == "meets"


def test_rivals_are_those_whose_interval_reaches_the_best() -> None:
    points = [place("a", 100), place("near", 90, tp=2), place("far", 40, tp=4)]
    found = choose(points, SLO)
    assert found is not None
    assert [rival.prediction.candidate_id for rival in found.rivals] == ["near"]


def test_where_nothing_fits_rivals_may_meet_the_slo() -> None:
    points = [place("a", 100, ttft_ms=520), place("far", 100, ttft_ms=5000, tp=2)]
    points += [place("may", 90, ttft_ms=540, tp=4)]
    found = choose(points, SLO)
    assert found is not None
    assert not found.meets_slo
    assert found.best.prediction.candidate_id == "a"
    assert [rival.prediction.candidate_id for rival in found.rivals] == ["may"]


def test_nothing_is_chosen_among_nothing() -> None:
    assert choose([], SLO) is None


@pytest.mark.parametrize(
    ("settings", "moe", "layout"),
    [
        ({"parallel.data_parallel": 4}, False, {}),
        ({"parallel.data_parallel": 4}, True, {"parallel.data_parallel": 4}),
        ({"parallel.tensor_parallel": 1, "parallel.pipeline_parallel": None}, True, {}),
    ],
)
def test_replicas_that_share_nothing_are_no_layout(
    settings: dict[str, Any], moe: bool, layout: dict[str, Any]
) -> None:
    assert dict(Kind.of("vllm", settings, moe=moe).layout) == layout


POINTS = st.lists(
    st.builds(
        place,
        st.uuids().map(str),
        st.floats(1, 1000),
        st.floats(10, 2000),
        engine=st.sampled_from(["vllm", "sglang"]),
        tp=st.sampled_from([1, 2, 4]),
        fmt=st.sampled_from(["bfloat16", "fp8"]),
        log_std=st.floats(0.01, 0.8),
    ),
    min_size=1,
    max_size=20,
)


@given(POINTS, st.floats(50, 2000))
def test_any_points_have_a_sound_choice(points: list[PointOfKind], limit: float) -> None:
    slo = {"ttft_ms": limit}
    found = choose(points, slo)
    assert found is not None
    within = [p for p in points if p.prediction.ttft_ms <= limit]
    assert found.meets_slo == bool(within)
    if within:
        assert found.best.prediction.tok_s == max(p.prediction.tok_s for p in within)
        assert all(one.place in within for one in found.alternatives)
    kinds = [found.best.kind, *(one.place.kind for one in found.alternatives)]
    assert len(set(kinds)) == len(kinds)
    assert all(rival.kind != found.best.kind for rival in found.rivals)
    if found.certain is not None:
        assert found.certain.verdict(slo) == "meets"
