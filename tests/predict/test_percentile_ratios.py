"""Percentiles of predictions follow what was measured, near the load at which it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.catalog import gpu_named, known_model
from autotuner.config import LATENCIES, LoadLevel
from autotuner.predict import Observation, Prediction, Scenario
from autotuner.predict.percentile_ratios import PercentileRatios
from autotuner.predict.predictor import latency_ms

QWEN, H200 = known_model("Qwen/Qwen3-32B"), gpu_named("h200")
assert QWEN is not None
WHERE = Scenario(QWEN.id, QWEN.facts, "vllm", None, H200, H200.name, 1024, 256)
AT_64 = LoadLevel.concurrency(64)
POINT = Prediction(
    *("a", AT_64, 200.0, 20.0, 2400.0, 1, 256.0, 0.1, 0.1, 0.1), source="roofline-2: by hand"
)


def seen(ratio: float, *, model: str = WHERE.model, load: LoadLevel = AT_64) -> Observation:
    return Observation(
        *(model, None, "vllm", None, WHERE.device, 1, {}, 1024, 256, load, 100.0, 10.0, 900.0),
        *("roofline-2", 100.0, 10.0, "launch"),
        percentiles={"ttft_p99_ms": ratio * 100.0},
    )


def expected_ratio(*observations: Observation, point: Prediction = POINT) -> float:
    found = PercentileRatios(WHERE, observations).corrections(point)
    return float(found["ttft_p99_ms"] / point.ttft_ms)


def test_nothing_measured_corrects_nothing() -> None:
    assert PercentileRatios(WHERE, [replace(seen(5.0), percentiles={})]).corrections(POINT) == {}


def test_what_others_measured_teaches_no_percentile() -> None:
    foreign = replace(seen(50.0), origin="inferencex")
    assert PercentileRatios(WHERE, [foreign] * 30).corrections(POINT) == {}


def test_measured_ratios_take_the_place_of_the_usual_one() -> None:
    usual = LATENCIES["ttft_p99_ms"].usual_ratio
    one, many = expected_ratio(seen(5.0)), expected_ratio(*[seen(5.0)] * 20)
    assert usual < one < many == pytest.approx(5.0, rel=0.05)
    found = PercentileRatios(WHERE, [seen(5.0)] * 20).corrections(POINT)
    step = "TTFT p90 in step with the other percentile"
    assert found["percentiles_from"] == f"20 measured levels ({step})"
    assert set(found) == {"ttft_p90_ms", "ttft_p99_ms", "percentiles_from"}, "of TTFT alone"


def test_near_loads_and_the_own_model_count_more() -> None:
    far = seen(5.0, load=LoadLevel.concurrency(8))
    near = [expected_ratio(seen(3.0), far), expected_ratio(seen(3.0), seen(5.0))]
    assert near[0] < near[1]
    own, other = ([seen(5.0, model=model)] * 4 for model in (WHERE.model, "another"))
    assert expected_ratio(*other) < expected_ratio(*own)
    assert (
        PercentileRatios(WHERE, [seen(5.0, load=LoadLevel.concurrency(1))]).corrections(POINT) == {}
    )


def test_a_predicted_percentile_is_corrected_and_says_so() -> None:
    simulated = replace(POINT, ttft_p99_ms=800.0, percentiles_from="simulated requests")
    found = PercentileRatios(WHERE, [seen(2.0)] * 3).corrections(simulated)
    assert 400.0 < found["ttft_p99_ms"] < 800.0
    assert found["percentiles_from"].startswith("simulated requests, corrected by 3 measured level")


def test_a_p99_that_no_level_taught_follows_the_p90() -> None:
    """Levels of 10 to 99 requests tell a p90 and no p99."""
    observations = [replace(seen(1.0), percentiles={"ttft_p90_ms": 400.0})] * 20
    found = PercentileRatios(WHERE, observations).corrections(POINT)
    assert found["ttft_p90_ms"] == pytest.approx(4.0 * POINT.ttft_ms, rel=0.05)
    assert found["ttft_p99_ms"] > found["ttft_p90_ms"]


RATIOS = st.none() | st.floats(0.2, 30.0)


@given(
    st.lists(st.tuples(RATIOS, RATIOS, st.integers(1, 256)), min_size=1, max_size=6),
    st.none() | st.tuples(st.floats(0.5, 5.0), st.floats(1.0, 4.0)),
)
def test_no_p99_is_predicted_below_its_p90(
    levels: list[tuple[float | None, float | None, int]], given_by: tuple[float, float] | None
) -> None:
    observations = [
        replace(
            seen(1.0, load=LoadLevel.concurrency(load)),
            percentiles={
                f"{mean}_{percentile}_ms": ratio * mean_ms
                for percentile, ratio in (("p90", p90), ("p99", p99))
                if ratio is not None
                for mean, mean_ms in (("ttft", 100.0), ("tpot", 10.0))
            },
        )
        for p90, p99, load in levels
    ]
    point = POINT
    if given_by:
        p90_ms = given_by[0] * POINT.ttft_ms
        point = replace(POINT, ttft_p90_ms=p90_ms, ttft_p99_ms=p90_ms * given_by[1])
    found = replace(point, **PercentileRatios(WHERE, observations).corrections(point))
    for mean in ("ttft", "tpot"):
        p90, p99 = (latency_ms(found, f"{mean}_{name}_ms") for name in ("p90", "p99"))
        assert p90 is not None
        assert p99 is not None
        assert p90 <= p99
