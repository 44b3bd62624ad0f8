"""Limits on percentiles: judged by what was measured, by what is predicted, and said which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.config import LATENCIES, PERCENTILES, LoadLevel, Slo, parse_task
from autotuner.measure import Measurement
from autotuner.measure.statistics import distribution
from autotuner.predict import Prediction
from autotuner.predict.predictor import (
    SPREADS,
    describe_percentile,
    interval80,
    latency_ms,
    limit_interval80,
)
from autotuner.search import OBJECTIVES, OperatingPoint, as_point
from autotuner.search.slo import verdict
from autotuner.tuning.few_requests import measured_notes, planned_notes
from autotuner.tuning.operating_points import Criteria, PredictedLevel
from autotuner.tuning.points import operating_points

AT_8 = LoadLevel.concurrency(8)
PREDICTED = Prediction(
    *("a", AT_8, 100.0, 10.0, 700.0, 1, 101.0, 0.1, 0.1, 0.1), source="roofline-2: by hand"
)


def level(requests: int, *, slowest: float = 300.0, load: LoadLevel = AT_8) -> Measurement:
    """One request in fifty is slow."""
    ttft = [slowest if n % 50 == 7 else 100.0 for n in range(requests)]
    e2e = [1000.0 + ms for ms in ttft]
    return Measurement(
        load=load,
        duration_s=10.0,
        requests_completed=requests,
        requests_failed=0,
        requests_short=0,
        ended_by="requests",
        valid=True,
        tok_s=700.0,
        requests_s=7.0,
        input_tokens=requests * 10,
        output_tokens=requests * 101,
        ttft_ms=distribution(ttft),
        tpot_ms=distribution([10.0] * requests),
        e2e_ms=distribution(e2e),
    )


def measured(requests: int) -> OperatingPoint:
    (point,) = operating_points("a", [level(requests)], gpus=1)
    return point


def test_the_limits_of_a_task_are_the_latencies_that_points_have() -> None:
    assert set(Slo.model_fields) == set(LATENCIES)
    assert set(LATENCIES) <= set(OBJECTIVES)
    assert set(PERCENTILES) <= set(vars(PREDICTED))
    assert set(PERCENTILES) <= set(SPREADS)


def test_a_measured_percentile_is_judged_by_its_own_interval() -> None:
    """The mean is far within; two requests in a hundred take three times as long."""
    point = measured(1000)
    assert (point.ttft_ms, point.ttft_p90_ms, point.ttft_p99_ms) == (104.0, 100.0, 300.0)
    assert verdict(point, {"ttft_p90_ms": 200.0}) == "meets"
    assert verdict(point, {"ttft_p99_ms": 200.0}) == "misses"
    assert verdict(point, {"ttft_p99_ms": 310.0}) == "meets"


def test_a_p99_of_few_requests_meets_no_limit_clearly() -> None:
    """Under 368 requests, none need be beyond the 99th percentile: its interval has no end."""
    for requests, stands in ((40, "unclear"), (367, "unclear"), (400, "meets")):
        assert verdict(measured(requests), {"tpot_p99_ms": 11.0}) == stands


def test_levels_that_are_too_short_for_a_percentile_are_named() -> None:
    levels = [level(32), level(48, load=LoadLevel.concurrency(16)), level(200)]
    levels[2] = levels[2].model_copy(update={"load": LoadLevel.concurrency(32)})
    (note,) = measured_notes(levels, ["ttft_ms", "ttft_p90_ms", "ttft_p99_ms"])
    assert note == (
        "TTFT p99 is of 32 to 48 requests at 8, 16 concurrent: fewer than 100 say little of a p99"
    )
    assert measured_notes([level(100)], ["ttft_p99_ms"]) == []


def test_a_plan_says_that_its_levels_will_be_too_short() -> None:
    document = {"version": 2, "name": "n", "model": {"id": "smollm2-135m"}}
    short = parse_task(document | {"slo": {"e2e_p99_ms": 900, "e2e_p90_ms": 800}})
    (note,) = planned_notes(short)
    assert note.startswith("slo.e2e_p99_ms: 32 requests a level say little of a p99")
    assert "benchmark.requests_per_level 100" in note
    enough = document | {"slo": {"e2e_p99_ms": 900}, "benchmark": {"requests_per_level": 100}}
    assert planned_notes(parse_task(enough)) == []


@pytest.mark.parametrize("name", PERCENTILES)
def test_an_unknown_percentile_is_usual_and_wide(name: str) -> None:
    latency = LATENCIES[name]
    usual = getattr(PREDICTED, latency.mean) * latency.usual_ratio
    assert getattr(as_point(PREDICTED), name) == pytest.approx(usual)
    low, high = limit_interval80(PREDICTED, name)
    narrow = interval80(usual, 0.1)
    assert low < narrow[0] < narrow[1] < high
    assert "usual ratio" in describe_percentile(PREDICTED, name)


def test_a_predicted_percentile_is_judged_as_it_is_predicted_and_says_by_whom() -> None:
    given = replace(PREDICTED, ttft_p99_ms=150.0, percentiles_from="the requests of a test")
    assert latency_ms(given, "ttft_p99_ms") == 150.0
    criteria = Criteria(("tok_s_per_gpu",), {"ttft_p99_ms": 240.0, "e2e_p99_ms": 5000.0})
    views = [
        PredictedLevel(None, point, {}).view(criteria, on_frontier=False)
        for point in (PREDICTED, given)
    ]
    assert [view.verdicts["ttft_p99_ms"] for view in views] == ["unclear", "meets"]
    assert "TTFT p99: the requests of a test" in views[1].note
    assert "E2E p99: 1.5 times the mean" in views[1].note
    assert views[1].figures.ttft_p90_ms is None, "nobody asked, and nothing tells it"


def test_answers_of_one_token_have_no_limit_on_any_tpot() -> None:
    document = {"version": 2, "name": "n", "model": {"id": "smollm2-135m"}}
    one_token = document | {"runtime": {"osl": 1}, "slo": {"tpot_p99_ms": 20}}
    with pytest.raises(Exception, match=r"slo\.tpot_p99_ms.*there is no TPOT"):
        parse_task(one_token)
