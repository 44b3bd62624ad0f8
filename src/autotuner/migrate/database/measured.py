"""v1's raw results -> measurements, and its experiments -> ours. Pure.

v1 had a raw result for each load level of each scenario, as genai-bench wrote it: seconds, and
tokens per second of the whole deployment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from autotuner.config import LengthDistribution, LoadLevel
from autotuner.measure import Distribution, Measurement
from autotuner.measure.genai_bench import NOTE, TOOL
from autotuner.migrate.draft import Done, Note

_MS = 1000.0
_STATS = {"std": "stddev"} | {
    name: name for name in ("mean", "min", "p50", "p90", "p95", "p99", "max")
}
"""Ours -> genai-bench's word."""
_NUMBERS = frozenset({int, float})
"""Types of numbers of JSON; `bool` is none of them."""
_MOST_REQUESTS = 2**31


@dataclass(frozen=True)
class RawLevel:
    """A raw result as a measurement, the request lengths of its scenario, and its repeat.

    `repeat` counts the results of one load level in one experiment, from 0.
    """

    measurement: Measurement
    scenario: str
    repeat: int


def raw_levels(metrics: Any, path: str) -> tuple[tuple[RawLevel, ...], tuple[Note, ...]]:
    """The measurements of one experiment, and notes of raw results that are none.

    Args:
        metrics: v1's, as its column has them.
        path: of the metrics, for notes.
    """
    raw = metrics.get("raw_results") if isinstance(metrics, Mapping) else None
    if not isinstance(raw, list):
        if not metrics:
            return (), ()
        text = "it has no raw results: there is nothing of single load levels to convert"
        return (), (Note(path, Done.KEPT, text),)
    found: list[RawLevel] = []
    notes: list[Note] = []
    for place, result in enumerate(raw):
        try:
            measurement = _measurement(result)
        except (ValueError, OverflowError) as error:
            notes.append(Note(f"{path}.raw_results.{place}", Done.KEPT, _first_line(error)))
            continue
        repeat = sum(earlier.measurement.load == measurement.load for earlier in found)
        found.append(RawLevel(measurement, str(result.get("scenario", "")), repeat))
    return tuple(found), tuple(notes)


def workload_of(scenario: Any) -> str:
    """A traffic scenario as a task's workload is written; empty where it is none."""
    try:
        return str(LengthDistribution.parse(str(scenario)))
    except ValueError:
        return ""


def of_workload(
    levels: Sequence[RawLevel], workloads: Sequence[str], place: int
) -> tuple[RawLevel, ...]:
    """The levels of one of a task's workloads; of none of them are those of the first.

    Repeats are counted anew: an experiment had each level under each workload.
    """
    if len(workloads) == 1:
        return tuple(levels)
    found: list[RawLevel] = []
    for level in levels:
        own = workload_of(level.scenario)
        if (workloads.index(own) if own in workloads else 0) == place:
            repeat = sum(one.measurement.load == level.measurement.load for one in found)
            found.append(replace(level, repeat=repeat))
    return tuple(found)


def _first_line(error: Exception) -> str:
    return f"it is no measurement: {str(error).strip().partition(chr(10))[0]}"


def _measurement(result: Any) -> Measurement:
    """One raw result in our units.

    Raises:
        ValueError: it lacks its load, or a figure that every level has.
    """
    if not isinstance(result, dict):
        raise ValueError("it is no mapping")
    completed = _count(result, "num_completed_requests")
    failed = _count(result, "num_error_requests")
    seconds, tok_s = _figure(result, "run_duration"), _figure(result, _OUTPUT)
    stats = result.get("stats")
    spread = stats if isinstance(stats, dict) else {}
    scenario = result.get("scenario")
    return Measurement(
        tool=TOOL,
        original=result,
        load=LoadLevel.concurrency(_figure(result, "num_concurrency")),
        duration_s=seconds,
        requests_completed=completed,
        requests_failed=failed,
        requests_short=0,
        ended_by="requests",
        valid=failed == 0 and completed > 0,
        tok_s=tok_s,
        requests_s=_figure(result, "requests_per_second"),
        input_tokens=_tokens(spread, "num_input_tokens", _optional(result, _INPUT), seconds),
        output_tokens=_tokens(spread, "num_output_tokens", tok_s, seconds),
        ttft_ms=_distribution(spread.get("ttft"), completed),
        tpot_ms=_distribution(spread.get("tpot"), completed),
        e2e_ms=_distribution(spread.get("e2e_latency"), completed),
        errors={"failed requests, of which version 1 kept the number": failed} if failed else {},
        note=f"{NOTE}; {scenario}" if scenario else NOTE,
    )


_OUTPUT = "mean_output_throughput_tokens_per_s"
_INPUT = "mean_input_throughput_tokens_per_s"


def _tokens(stats: Mapping[str, Any], name: str, tok_s: float | None, seconds: float) -> int:
    """The sum over all requests; from the throughput where version 1 did not keep it."""
    spread = stats.get(name)
    total = _optional(spread, "sum") if isinstance(spread, Mapping) else None
    if total is None:
        total = (tok_s or 0.0) * seconds
    return round(min(max(total, 0.0), 2.0**53))


def _distribution(stats: Any, count: int) -> Distribution | None:
    """A distribution in ms; None where version 1 kept less than ours has."""
    if not isinstance(stats, dict) or not count:
        return None
    values: list[Any] = [stats.get(theirs) for theirs in _STATS.values()]
    if not all(type(value) in _NUMBERS and isfinite(value) for value in values):
        return None
    in_ms = {ours: value * _MS for ours, value in zip(_STATS, values, strict=True)}
    return Distribution(count=count, **in_ms)


def _figure(document: Mapping[str, Any], key: str) -> float:
    found = _optional(document, key)
    if found is None:
        raise ValueError(f"{key} is {document.get(key)!r}, and not a number")
    return found


def _optional(document: Mapping[str, Any], key: str) -> float | None:
    value = document.get(key)
    if type(value) not in _NUMBERS:
        return None
    number = float(value)  # type: ignore[arg-type]  # of what it is was just asked
    return number if isfinite(number) else None


def _count(document: Mapping[str, Any], key: str) -> int:
    found = _figure(document, key)
    if not found.is_integer() or not 0 <= found <= _MOST_REQUESTS:
        raise ValueError(f"{key} is {found:g}, and not a number of requests")
    return int(found)


def converted_leaves(result: Mapping[str, Any]) -> Iterable[tuple[str, str, float]]:
    """The figures of a raw result that a measurement has in its own units.

    Yields:
        The dotted place in the raw result, the place in the measurement, and the factor.
    """
    yield "num_concurrency", "load.value", 1.0
    for theirs, ours in (
        ("run_duration", "duration_s"),
        ("num_completed_requests", "requests_completed"),
        ("num_error_requests", "requests_failed"),
        (_OUTPUT, "tok_s"),
        ("requests_per_second", "requests_s"),
    ):
        yield theirs, ours, 1.0
    stats = result.get("stats")
    spread = stats if isinstance(stats, Mapping) else {}
    for theirs, ours in (("ttft", "ttft_ms"), ("tpot", "tpot_ms"), ("e2e_latency", "e2e_ms")):
        for name, word in _STATS.items():
            if isinstance(spread.get(theirs), Mapping) and word in spread[theirs]:
                yield f"stats.{theirs}.{word}", f"{ours}.{name}", _MS
