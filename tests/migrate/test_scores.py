"""v1's scores of what v2 measured."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_results import TWO_LEVELS, metrics

from autotuner.migrate import failure_score, v1_metrics, v1_score


@pytest.mark.parametrize(
    ("objective", "score"),
    [
        ("minimize_latency", 2.0),
        ("maximize_throughput", -250.0),
        ("minimize_ttft", 0.2),
        ("minimize_tpot", 0.02),
        ("something else", 2.0),
    ],
)
def test_lower_scores_are_better(objective: str, score: float) -> None:
    assert v1_score(metrics(), objective, None).value == pytest.approx(score)


def test_a_missed_limit_multiplies_the_score() -> None:
    # 25 % above: 2 * exp(0.25 / 0.1), and TPOT is met.
    slo = {"ttft": {"threshold": 0.16, "weight": 2.0}, "tpot": {"threshold": 0.04, "weight": 9.0}}
    expected = 0.2 * (1 + 2 * math.exp(2.5))
    assert v1_score(metrics(), "minimize_ttft", slo).value == pytest.approx(expected)


def test_a_missed_limit_makes_throughput_count_less() -> None:
    slo = {"latency": {"p90": {"threshold": 2.5, "weight": 3.0}}, "steepness": 0.2}
    expected = -250 + 250 * 3 * math.exp(0.2 / 0.2)
    assert v1_score(metrics(), "maximize_throughput", slo).value == pytest.approx(expected)


def test_throughput_is_judged_per_gpu_where_gpus_are_known() -> None:
    found = v1_metrics(TWO_LEVELS, scenario="D(1,1)", elapsed_s=1.0, benchmark_name="x", gpus=2)
    assert found["mean_total_throughput"] == pytest.approx(250)
    assert found["mean_total_throughput_per_gpu"] == pytest.approx(125)
    assert found["max_output_throughput_per_gpu"] == pytest.approx(150)
    assert v1_score(found, "maximize_throughput", None).value == pytest.approx(-125)


@pytest.mark.parametrize(
    ("left", "score"),
    [
        ({"mean_total_throughput": 7, "mean_output_throughput": 5}, -7.0),
        ({"mean_total_throughput": None, "mean_output_throughput": 5}, -5.0),
        ({"max_total_throughput": 9}, -9.0),
        ({"mean_total_throughput_per_gpu": 0.0}, None),
        ({}, None),
    ],
)
def test_without_figures_per_gpu_others_count(left: dict[str, Any], score: float | None) -> None:
    assert v1_score(left, "maximize_throughput", None).value == score


def limits(threshold: float, fail_ratio: float) -> dict[str, Any]:
    limit = {"threshold": threshold, "hard_fail": True, "fail_ratio": fail_ratio}
    return {"latency": {"p90": limit}}


def measured(slo: dict[str, Any]) -> dict[str, Any]:
    return v1_metrics(TWO_LEVELS, scenario="D(1,1)", elapsed_s=1.0, benchmark_name="x", slo=slo)


def test_a_level_that_breaks_a_hard_limit_takes_no_part() -> None:
    # p90 is 1.5 s at one request at a time, and 4.5 s at eight.
    found = measured(limits(2.0, 0.5))
    assert found["concurrency_levels"] == [1]
    assert [raw["num_concurrency"] for raw in found["raw_results"]] == [1]
    assert found["mean_e2e_latency"] == pytest.approx(1.0)
    assert v1_score(found, "minimize_latency", limits(2.0, 0.5)).value == pytest.approx(1.0)


def test_where_every_level_breaks_a_hard_limit_all_count_and_fail() -> None:
    slo = limits(0.5, 0.5)
    found = measured(slo)
    assert found["concurrency_levels"] == [1, 8]
    assert v1_score(found, "minimize_latency", slo).failed_by is not None


@pytest.mark.parametrize(
    ("error", "elapsed_s", "timeout_s", "score"),
    [
        ("it died", 10, 600, 1000),
        ("it died", 120, 600, 500),
        ("it died", 400, "600", 200),
        ("it died", 600, 600, 100),
        ("Failed to deploy", 10, 600, 1200),
        ("CUDA error", 10, 600, 1500),
        ("read timeout", 10, 600, 800),
        (None, None, None, 1000),
        ("it died", 900, None, 500),
        ("it died", 900, 0, 1000),
    ],
)
def test_what_has_failed_scores_the_worse_the_earlier(
    error: str | None, elapsed_s: float | None, timeout_s: Any, score: float
) -> None:
    assert failure_score(error, elapsed_s, timeout_s) == pytest.approx(score)


@pytest.mark.parametrize(
    ("threshold", "fail_ratio", "fails"),
    [(2.0, 0.4, True), (2.0, 0.6, False), (2.0, None, False), (1.9, None, True)],
)
def test_a_hard_limit_fails_an_experiment_beyond_its_ratio(
    threshold: float, fail_ratio: float | None, fails: bool
) -> None:
    limit = {"threshold": threshold, "weight": 1.0, "hard_fail": True}
    if fail_ratio is not None:
        limit["fail_ratio"] = fail_ratio
    score = v1_score(metrics(), "minimize_latency", {"latency": {"p90": limit}})
    assert (score.failed_by is not None) is fails
    assert (score.value is None) is fails


@given(
    st.floats(0.001, 100),
    st.sampled_from(["minimize_latency", "maximize_throughput", "minimize_ttft"]),
    st.floats(0, 1e6),
)
def test_a_missed_limit_never_improves_a_score(
    threshold: float, objective: str, weight: float
) -> None:
    slo = {"latency": {"p99": {"threshold": threshold, "weight": weight}}}
    free, held = v1_score(metrics(), objective, None), v1_score(metrics(), objective, slo)
    assert free.value is not None
    # Missed by more than a number can tell, it has failed.
    assert held.value >= free.value if held.value is not None else held.failed_by
