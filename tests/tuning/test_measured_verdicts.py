"""From the intervals of a measurement to those of an operating point."""

from __future__ import annotations

from made_up_bench import level

from autotuner.measure import Measurement
from autotuner.measure.statistics import distribution
from autotuner.search.slo import verdict
from autotuner.tuning.points import operating_points


def test_a_mean_is_judged_by_its_interval_and_a_p90_by_that_of_the_quantile() -> None:
    values = [100.0 + n % 20 for n in range(100)]
    shown = level(4, 100.0, 20.0).model_copy(
        update={"ttft_ms": distribution(values), "e2e_ms": distribution(values)}
    )
    (point,) = operating_points("a", [shown], gpus=1)
    ends = {name: (low, high) for name, low, high in point.intervals95}
    assert ends["ttft_ms"][0] < 109.5 < ends["ttft_ms"][1]
    assert shown.e2e_ms is not None
    assert ends["e2e_p90_ms"] == shown.e2e_ms.p90_ci95
    assert verdict(point, {"ttft_ms": 109.6}) == "unclear"
    assert verdict(point, {"ttft_ms": 125.0, "e2e_p90_ms": 121.0}) == "meets"


def test_a_p90_of_few_requests_is_never_met_clearly() -> None:
    values = [100.0 + n for n in range(12)]
    shown = level(4, 100.0, 20.0).model_copy(
        update={"ttft_ms": distribution(values), "e2e_ms": distribution(values)}
    )
    (point,) = operating_points("a", [shown], gpus=1)
    assert verdict(point, {"e2e_p90_ms": 1e6}) == "unclear"
    assert verdict(point, {"e2e_p90_ms": 99.0}) == "misses"


def test_a_table_of_means_is_judged_by_its_values() -> None:
    (point,) = operating_points("a", [without_spreads(level(4, 100.0, 20.0))], gpus=1)
    assert point.intervals95 == ()
    assert verdict(point, {"ttft_ms": point.ttft_ms}) == "meets"
    assert verdict(point, {"ttft_ms": point.ttft_ms - 1}) == "misses"


def without_spreads(shown: Measurement) -> Measurement:
    names = ("ttft_ms", "tpot_ms", "e2e_ms")
    means = {name: getattr(shown, name).model_copy(update={"ci95": None}) for name in names}
    return shown.model_copy(update=means)
