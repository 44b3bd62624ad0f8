"""v1's `metrics` and score of an experiment, from what v2 measured. Pure.

Metrics are in seconds, and in tokens/s of the whole deployment.

v1 read one result file for each load level. Its means and percentiles are the plain means of the
files' own, every level weighing the same; minima, maxima and counts are over all of them.

A lower score is better, and worse where limits are missed. The facts of v1 give the penalty's
formula; what they leave open is decided here:

- `minimize_latency` goes by the mean end-to-end latency, `minimize_ttft` and `minimize_tpot` by
  their means, in seconds: v1's `metrics` holds means of all three and no other figure of TTFT and
  TPOT, so that the three are alike.
- `maximize_throughput` goes by the mean output throughput, negated. Output tokens are what
  throughput means in the rest of the product.
- The penalty multiplies a score by 1 + sum. A negated score is divided by it instead:
  multiplied, it would be the better the more a limit is missed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import LoadKind
from autotuner.measure import Distribution, Measurement
from autotuner.measure.genai_bench import TOOL as GENAI_BENCH
from autotuner.migrate.values import as_bool

_MS = 1000.0
_ALIKE = ("min", "max", "mean", "p50", "p90", "p95", "p99")
_STATS = ("min", "max", "mean", "stddev", "sum", "p25", "p50", "p75", "p90", "p95", "p99")
_OUTPUT = "mean_output_throughput_tokens_per_s"
_INPUT = "mean_input_throughput_tokens_per_s"
_TOTAL = "mean_total_tokens_throughput_tokens_per_s"


def v1_metrics(
    measurements: Sequence[Measurement], *, scenario: str, elapsed_s: float, benchmark_name: str
) -> dict[str, Any]:
    """The figures of one experiment, all of v1's keys; null where no request was completed.

    Args:
        measurements: its load levels, in the order of measuring.
        scenario: the request lengths, in genai-bench's notation.
        elapsed_s: of the measuring, without the engine's start.
        benchmark_name: the name that v1 gave the benchmark.
    """
    raw = [_raw_result(measurement, scenario) for measurement in measurements]
    served = [result for result in raw if result["num_completed_requests"]]
    completed = sum(result["num_completed_requests"] for result in raw)
    failed = sum(result["num_error_requests"] for result in raw)
    figures: dict[str, Any] = {
        "num_result_files": len(raw),
        "concurrency_levels": [
            n for n in dict.fromkeys(map(_concurrency, measurements)) if n is not None
        ],
        "raw_results": raw,
        **_latencies([m.e2e_ms for m in measurements if m.e2e_ms is not None]),
        "mean_ttft": _mean(m.ttft_ms.mean / _MS for m in measurements if m.ttft_ms),
        "mean_tpot": _mean(m.tpot_ms.mean / _MS for m in measurements if m.tpot_ms),
        "total_requests": completed + failed,
        "total_completed_requests": completed,
        "total_error_requests": failed,
        "success_rate": completed / (completed + failed) if completed + failed else 0.0,
        "elapsed_time": elapsed_s,
        "benchmark_name": benchmark_name,
    }
    for name, key in (("output", _OUTPUT), ("total", _TOTAL)):
        rates = [result[key] for result in served]
        figures[f"mean_{name}_throughput"] = _mean(rates)
        figures[f"max_{name}_throughput"] = max(rates, default=None)
    return figures


def _concurrency(measurement: Measurement) -> float | None:
    """Requests in flight; None of an open loop, which v1 does not know."""
    load = measurement.load
    return load.value if load.kind is LoadKind.CONCURRENCY else None


def _latencies(levels: Sequence[Distribution]) -> dict[str, float | None]:
    """Seconds from a request's start to its last token."""
    figures = {
        "mean": _mean(level.mean / _MS for level in levels),
        "min": min((level.min / _MS for level in levels), default=None),
        "max": max((level.max / _MS for level in levels), default=None),
        "p50": _mean(level.p50 / _MS for level in levels),
        "p90": _mean(level.p90 / _MS for level in levels),
        "p99": _mean(level.p99 / _MS for level in levels),
    }
    return {f"{name}_e2e_latency": figure for name, figure in figures.items()}


def _raw_result(measurement: Measurement, scenario: str) -> dict[str, Any]:
    """One load level, as genai-bench writes it: its own words where it measured."""
    if measurement.tool == GENAI_BENCH and measurement.original is not None:
        return measurement.original
    requests = measurement.requests_completed + measurement.requests_failed
    seconds = measurement.duration_s
    input_tok_s = measurement.input_tokens / seconds if seconds else 0.0
    return {
        "scenario": scenario,
        "num_concurrency": _concurrency(measurement),
        "run_duration": seconds,
        _OUTPUT: measurement.tok_s,
        _INPUT: input_tok_s,
        _TOTAL: measurement.tok_s + input_tok_s,
        "requests_per_second": measurement.requests_s,
        "error_rate": measurement.requests_failed / requests if requests else 0.0,
        "num_error_requests": measurement.requests_failed,
        "num_completed_requests": measurement.requests_completed,
        "num_requests": requests,
        "stats": {
            "ttft": _stats(measurement.ttft_ms),
            "tpot": _stats(measurement.tpot_ms),
            "e2e_latency": _stats(measurement.e2e_ms),
            "output_latency": _output_latency(measurement),
        },
    }


def _stats(found: Distribution | None) -> dict[str, float | None]:
    """A distribution in seconds; null where v2 keeps nothing: it keeps no quartiles."""
    figures: dict[str, float | None] = dict.fromkeys(_STATS)
    if found is None:
        return figures
    seconds = {name: getattr(found, name) / _MS for name in _ALIKE}
    return figures | seconds | {"stddev": found.std / _MS, "sum": found.mean * found.count / _MS}


def _output_latency(measurement: Measurement) -> dict[str, float | None]:
    """From the first token to the last: of it v2 keeps no distribution, and its mean follows."""
    figures: dict[str, float | None] = dict.fromkeys(_STATS)
    if measurement.e2e_ms is None or measurement.ttft_ms is None:
        return figures
    mean = (measurement.e2e_ms.mean - measurement.ttft_ms.mean) / _MS
    return figures | {"mean": mean, "sum": mean * measurement.e2e_ms.count}


def _mean(figures: Iterable[float]) -> float | None:
    known = [figure for figure in figures if math.isfinite(figure)]
    return statistics.fmean(known) if known else None


DEFAULT_STEEPNESS = 0.1
DEFAULT_WEIGHT = 1.0
DEFAULT_FAIL_RATIO = 0.5
"""A metric with hard_fail fails the experiment from this excess on, where the task names none."""
OBJECTIVES = {
    "minimize_latency": ("mean_e2e_latency", 1.0),
    "maximize_throughput": ("mean_output_throughput", -1.0),
    "minimize_ttft": ("mean_ttft", 1.0),
    "minimize_tpot": ("mean_tpot", 1.0),
}
"""v1's objective -> key of its metrics, and the sign that makes lower better."""
DEFAULT_OBJECTIVE = "minimize_latency"
_PERCENTILES = ("p50", "p90", "p99")


@dataclass(frozen=True)
class Score:
    """The score of an experiment.

    Attributes:
        value: lower is better; None where its metric is missing, or a limit failed the experiment.
        failed_by: the limit that did, in words.
    """

    value: float | None
    failed_by: str | None = None


def v1_score(metrics: Mapping[str, Any], objective: str, slo: Mapping[str, Any] | None) -> Score:
    """The score of one experiment under v1's objective and SLO.

    An objective that v1 did not know counts as `minimize_latency`.
    """
    limits = {} if slo is None else slo
    key, sign = OBJECTIVES.get(objective, OBJECTIVES[DEFAULT_OBJECTIVE])
    figure = _number(metrics.get(key))
    given = _number(limits.get("steepness"))
    steepness = given if given is not None and given > 0 else DEFAULT_STEEPNESS
    penalty = 0.0
    for limit in _limits(limits):
        actual = _number(metrics.get(limit.metric))
        if actual is None:
            continue
        excess = (actual - limit.threshold) / limit.threshold
        if excess <= 0:
            continue
        if limit.hard_fail and excess > limit.fail_ratio:
            words = f"{limit.name} is {actual:g} s, {100 * excess:.0f} % above its limit of"
            return Score(None, f"SLO: {words} {limit.threshold:g} s")
        if limit.weight:
            penalty += limit.weight * _exp(excess / steepness)
    if figure is None:
        return Score(None)
    return Score(figure * (1 + penalty) if sign > 0 else -figure / (1 + penalty))


@dataclass(frozen=True)
class _Limit:
    name: str
    metric: str
    threshold: float
    weight: float
    hard_fail: bool
    fail_ratio: float


def _limits(slo: Mapping[str, Any]) -> Iterator[_Limit]:
    """The limits that say a threshold above 0."""
    latency = slo.get("latency")
    percentiles = latency if isinstance(latency, Mapping) else {}
    written = {
        f"latency {name}": (f"{name}_e2e_latency", percentiles.get(name)) for name in _PERCENTILES
    } | {name: (f"mean_{name}", slo.get(name)) for name in ("ttft", "tpot")}
    for name, (metric, limit) in written.items():
        options = limit if isinstance(limit, Mapping) else {}
        threshold = _number(options.get("threshold"))
        if threshold is None or threshold <= 0:
            continue
        weight, ratio = _number(options.get("weight")), _number(options.get("fail_ratio"))
        yield _Limit(
            name,
            metric,
            threshold,
            DEFAULT_WEIGHT if weight is None else max(weight, 0.0),
            as_bool(options.get("hard_fail")) is True,
            DEFAULT_FAIL_RATIO if ratio is None else ratio,
        )


def _number(value: Any) -> float | None:
    """A finite number, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf
