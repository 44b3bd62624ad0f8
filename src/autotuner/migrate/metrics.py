"""v1's `metrics` of an experiment, from what v2 measured. Pure.

Metrics are in seconds, and in tokens/s of the whole deployment, or of one GPU where the name says
so. v1 read one result file for each load level, and left out the levels that break a limit with
`hard_fail`, unless all do. Its means and percentiles are the plain means of the levels' own, every
level weighing the same; `min_…` and `max_…` are over the levels' means; counts are sums.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autotuner.config import LoadKind
from autotuner.measure import Distribution, Measurement
from autotuner.measure.genai_bench import TOOL as GENAI_BENCH
from autotuner.migrate.scores import keeps_hard_limits

_MS = 1000.0
_ALIKE = ("min", "max", "mean", "p50", "p90", "p95", "p99")
_STATS = ("min", "max", "mean", "stddev", "sum", "p25", "p50", "p75", "p90", "p95", "p99")
_OUTPUT = "mean_output_throughput_tokens_per_s"
_INPUT = "mean_input_throughput_tokens_per_s"
_TOTAL = "mean_total_tokens_throughput_tokens_per_s"


def v1_metrics(
    measurements: Sequence[Measurement],
    *,
    scenario: str,
    elapsed_s: float,
    benchmark_name: str,
    gpus: int = 0,
    slo: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The figures of one experiment, all of v1's keys; null where no request was completed.

    Args:
        measurements: its load levels, in the order of measuring.
        scenario: the request lengths, in genai-bench's notation.
        elapsed_s: of the measuring, without the engine's start.
        benchmark_name: the name that v1 gave the benchmark.
        gpus: those that the engine occupies; where they are known, there are figures per GPU.
        slo: v1's limits.
    """
    every = [(measured, _raw_result(measured, scenario)) for measured in measurements]
    used = [pair for pair in every if keeps_hard_limits(pair[1], slo)] or every
    levels, raw = [measured for measured, _ in used], [result for _, result in used]
    served = [result for result in raw if result["num_completed_requests"]]
    completed = sum(result["num_completed_requests"] for result in raw)
    failed = sum(result["num_error_requests"] for result in raw)
    figures: dict[str, Any] = {
        "num_result_files": len(raw),
        "concurrency_levels": [
            n for n in dict.fromkeys(map(_concurrency, levels)) if n is not None
        ],
        "raw_results": raw,
        **_latencies([m.e2e_ms for m in levels if m.e2e_ms is not None]),
        "mean_ttft": _mean(m.ttft_ms.mean / _MS for m in levels if m.ttft_ms),
        "mean_tpot": _mean(m.tpot_ms.mean / _MS for m in levels if m.tpot_ms),
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
    return figures | _per_gpu(figures, gpus)


def _per_gpu(figures: Mapping[str, Any], gpus: int) -> dict[str, float]:
    """The throughputs of one GPU; none where the GPUs are not known."""
    if not gpus:
        return {}
    names = (f"{kind}_{of}_throughput" for of in ("output", "total") for kind in ("mean", "max"))
    return {f"{n}_per_gpu": figures[n] / gpus for n in names if figures[n] is not None}


def _concurrency(measurement: Measurement) -> float | None:
    """Requests in flight; None of an open loop, which v1 does not know."""
    load = measurement.load
    return load.value if load.kind is LoadKind.CONCURRENCY else None


def _latencies(levels: Sequence[Distribution]) -> dict[str, float | None]:
    """Seconds from a request's start to its last token."""
    figures = {
        "mean": _mean(level.mean / _MS for level in levels),
        "min": min((level.mean / _MS for level in levels), default=None),
        "max": max((level.mean / _MS for level in levels), default=None),
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
