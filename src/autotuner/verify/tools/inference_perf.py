"""inference-perf: `stage_N_lifecycle_metrics.json`, one object a stage; latencies in seconds."""

from __future__ import annotations

from typing import Any

from autotuner.config import LoadLevel
from autotuner.verify.points import Point, figure, whole
from autotuner.verify.tools.tool import Row, Tool, count_of, part, refuse_failures

NAME = "inference-perf"


def recognises(row: Row) -> bool:
    """Whether it has what succeeded, what failed, and the load."""
    return "load_summary" in row and isinstance(part(row, "successes", "latency"), dict)


def point(row: Row) -> Point:
    """The one point of a stage."""
    done, load = row["successes"], row["load_summary"]
    failed = part(row, "failures", "count")
    refuse_failures(int(failed) if isinstance(failed, int) else None, count_of(load, "count"))
    concurrency = part(load, "concurrency") or part(load, "concurrency_level")
    if concurrency is None:
        raise ValueError(
            "requests arrived at a rate: points here are of so many requests in flight"
        )
    osl = _mean(done, "output_len")
    tpot = None if osl is not None and osl <= 1 else _mean(done, "latency", "time_per_output_token")
    return Point(
        load=LoadLevel.concurrency(whole("concurrency", concurrency)),
        ttft_ms=_ms(_mean(done, "latency", "time_to_first_token")),
        tpot_ms=_ms(tpot),
        tok_s=_number(done, "throughput", "output_tokens_per_sec"),
        isl=_mean(done, "prompt_len"),
        osl=osl,
        tool=NAME,
        originals={"load_summary": load, "throughput": part(done, "throughput")},
    )


def _mean(row: Any, *path: str) -> float | None:
    return _number(row, *path, "mean")


def _number(row: Any, *path: str) -> float | None:
    value = part(row, *path)
    return None if value is None else figure(".".join(path), value)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


TOOL = Tool(
    "inference-perf",
    "inference-perf's stage_N_lifecycle_metrics.json",
    recognises,
    point=point,
    files=("stage_*_lifecycle_metrics.json", "summary_lifecycle_metrics.json"),
)
