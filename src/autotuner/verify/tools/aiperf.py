"""AIPerf: `profile_export_aiperf.json`, one object a task; or `profile_export.jsonl`, a record a
request. Each figure carries its unit. Its inter-token latency is TPOT without the first token.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from autotuner.config import LoadLevel
from autotuner.verify.points import Point, figure, whole
from autotuner.verify.tools.tool import Row, Rows, Tool, part, refuse_failures

NAME = "AIPerf"
_TO_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1000.0, "sec": 1000.0, "seconds": 1000.0}
_TTFT, _TPOT = "time_to_first_token", "inter_token_latency"
_TOK_S, _ISL, _OSL = "output_token_throughput", "input_sequence_length", "output_sequence_length"
_RATES = ("request_rate", "arrival_rate")


def recognises(row: Row) -> bool:
    """Whether it has AIPerf's metrics with their units."""
    named = any(isinstance(row.get(tag), dict) and "avg" in row[tag] for tag in (_TTFT, _TOK_S))
    return named and ("input_config" in row or "schema_version" in row or "aiperf_version" in row)


def point(row: Row) -> Point:
    """The one point of a task."""
    if row.get("is_complete") is False or row.get("was_cancelled"):
        raise ValueError(f"the task is not complete: {row.get('incomplete_reason') or 'cancelled'}")
    failed = part(row, "error_request_count", "avg")
    total = part(row, "request_count", "avg")
    refuse_failures(_count(failed), (_count(failed) or 0) + (_count(total) or 0))
    osl = _average(row, _OSL)
    config = row.get("input_config") or {}
    ttft = _latency_ms(row, _TTFT)
    tpot = None if osl is not None and osl <= 1 else _latency_ms(row, _TPOT)
    spread = [part(row, tag, "std") for tag in (_ISL, _OSL)]
    return Point(
        load=LoadLevel.concurrency(_concurrency(row, config)),
        ttft_ms=ttft,
        tpot_ms=tpot,
        tok_s=_average(row, _TOK_S),
        isl=_average(row, _ISL),
        osl=osl,
        lengths="spread around their means" if any(_is_wide(s) for s in spread) else None,
        model=_model(config),
        tool=NAME,
        originals={k: v for k, v in row.items() if isinstance(v, dict) and "avg" in v},
    )


def _concurrency(row: Row, config: Any) -> int:
    varied = part(row, "run_info", "variation_values")
    given = _found(varied, "concurrency") or _found(config, "concurrency")
    if given is not None:
        return whole("concurrency", given)
    rate = next((value for key in _RATES if (value := _found(config, key)) is not None), None)
    if rate is not None:
        raise ValueError(
            f"requests arrived at {rate}/s: points here are of so many requests in flight"
        )
    raise ValueError("nothing says how many requests were in flight (loadgen.concurrency)")


def _values(config: Any, key: str) -> Iterator[Any]:
    """The value under a key at any depth, the outermost first."""
    level: list[Any] = [config]
    while level:
        for one in level:
            if isinstance(one, Mapping) and one.get(key) is not None:
                yield one[key]
        inner = [list(one.values()) for one in level if isinstance(one, Mapping)]
        inner += [one for one in level if isinstance(one, list)]
        level = [value for values in inner for value in values]


def _found(config: Any, key: str) -> Any:
    for value in _values(config, key):
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(one, int | float | str) and not isinstance(one, bool):
            return one
    return None


def _model(config: Any) -> str | None:
    for key in ("model_names", "model_name", "model"):
        found = _found(config, key)
        if isinstance(found, str) and found:
            return found
    return None


def _average(row: Row, tag: str) -> float | None:
    value = part(row, tag, "avg")
    return None if value is None else figure(tag, value)


def _latency_ms(row: Row, tag: str) -> float | None:
    value = _average(row, tag)
    return None if value is None else value * _factor(tag, part(row, tag, "unit"))


def _factor(tag: str, unit: Any) -> float:
    factor = _TO_MS.get(str(unit).lower())
    if factor is None:
        raise ValueError(f"{tag} is in {unit!r:.40}, which is no unit of time that is read")
    return factor


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**53 else None


def _is_wide(deviation: Any) -> bool:
    return isinstance(deviation, int | float) and deviation > 1


def is_record(row: Row) -> bool:
    """Whether it is the record of one request."""
    return "request_start_ns" in (row.get("metadata") or {}) and isinstance(
        row.get("metrics"), dict
    )


def points_of_records(rows: Rows) -> Iterator[Point]:
    """The one point of all records; as many were in flight as overlap at the most."""
    measured = [row for _, row in rows if _phase(row) == "profiling"]
    failed = [row for row in measured if row.get("error")]
    cut = [row for row in measured if part(row, "metadata", "was_cancelled")]
    refuse_failures(len(failed) + len(cut), len(measured))
    if not measured:
        raise ValueError("it has no record of a measured request")
    spans = [_span(row) for row in measured]
    seconds = (max(end for _, end in spans) - min(start for start, _ in spans)) / 1e9
    isl, osl = _of_records(measured, _ISL), _of_records(measured, _OSL)
    wide = any(max(values) > min(values) for values in (isl, osl) if values)
    yield Point(
        load=LoadLevel.concurrency(_overlap(spans)),
        ttft_ms=_mean_ms(measured, _TTFT),
        tpot_ms=_mean_ms(measured, _TPOT),
        tok_s=figure(_TOK_S, sum(osl) / seconds) if osl and seconds > 0 else None,
        isl=statistics.fmean(isl) if isl else None,
        osl=statistics.fmean(osl) if osl else None,
        lengths="spread around their means" if wide else None,
        tool=NAME,
        originals={"requests": len(measured)},
    )


def _phase(row: Row) -> str:
    return str(part(row, "metadata", "benchmark_phase") or "profiling")


def _span(row: Row) -> tuple[int, int]:
    ends = (part(row, "metadata", key) for key in ("request_start_ns", "request_end_ns"))
    start, end = (whole("request_start_ns and request_end_ns", value) for value in ends)
    return start, end


def _overlap(spans: list[tuple[int, int]]) -> int:
    events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return max(most, 1)


def _of_records(rows: list[Row], tag: str) -> list[float]:
    values = [part(row, "metrics", tag, "value") for row in rows]
    return [figure(tag, value) for value in values if value is not None]


def _mean_ms(rows: list[Row], tag: str) -> float | None:
    values = [
        figure(tag, part(row, "metrics", tag, "value"))
        * _factor(tag, part(row, "metrics", tag, "unit"))
        for row in rows
        if part(row, "metrics", tag, "value")
    ]
    return statistics.fmean(values) if values else None


TOOL = Tool(
    "aiperf",
    "AIPerf's profile_export_aiperf.json",
    recognises,
    point=point,
    files=("profile_export_aiperf.json", "*.json", "*.json.gz"),
)
RECORDS = Tool(
    "aiperf-records",
    "AIPerf's profile_export.jsonl, a record a request",
    is_record,
    together=points_of_records,
    files=("profile_export.jsonl", "*.jsonl", "*.jsonl.gz"),
)
