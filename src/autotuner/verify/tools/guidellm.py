"""GuideLLM: `benchmarks.json`, one benchmark a load level.

Each figure is a distribution of what succeeded, failed, or was cut off at the end; what succeeded
counts. Its `time_per_output_token_ms` includes the first token, `inter_token_latency_ms` does not.
"""

from __future__ import annotations

from typing import Any

from autotuner.config import LoadLevel
from autotuner.verify.points import Point, figure, tpot_without_first_ms, whole
from autotuner.verify.tools.tool import (
    Row,
    Rows,
    Tool,
    count_of,
    part,
    refuse_failures,
    scalars,
    text_of,
)

NAME = "GuideLLM"
_RATES = ("constant", "poisson", "async", "trace", "replay")


def recognises(row: Row) -> bool:
    """Whether it has a list of benchmarks with GuideLLM's metrics."""
    benchmarks = row.get("benchmarks")
    if not isinstance(benchmarks, list):
        return False
    return any(_is_benchmark(one) for one in benchmarks) or "guidellm_version" in row


def _is_benchmark(one: Any) -> bool:
    metrics = part(one, "metrics")
    return isinstance(metrics, dict) and "requests_per_second" in metrics


def inner(row: Row) -> Rows:
    """Its benchmarks, each with the model that the file names."""
    model = _model(row)
    for index, one in enumerate(row["benchmarks"]):
        if isinstance(one, dict):
            yield f"benchmarks[{index}]", {"model": model, **one}


def point(row: Row) -> Point:
    """The point of one benchmark."""
    metrics = row.get("metrics")
    if not isinstance(metrics, dict):
        raise ValueError("it has no metrics")
    totals = metrics.get("request_totals") or part(row, "run_stats", "requests_made") or {}
    failed = count_of(totals, "errored") if isinstance(totals, dict) else None
    refuse_failures(failed, count_of(totals, "total") if isinstance(totals, dict) else None)
    concurrency, remarks = _load(row, metrics)
    isl, osl = _mean(metrics, "prompt_token_count"), _mean(metrics, "output_token_count")
    ttft = _mean(metrics, "time_to_first_token_ms")
    tpot, tok_s = _tpot_ms(metrics, ttft, osl), _mean(metrics, "output_tokens_per_second")
    if ttft is None and tpot is None and tok_s is None:
        raise ValueError("no request succeeded")
    spread = _is_spread(metrics, "prompt_token_count") or _is_spread(metrics, "output_token_count")
    return Point(
        load=LoadLevel.concurrency(concurrency),
        ttft_ms=ttft,
        tpot_ms=tpot,
        tok_s=tok_s,
        model=text_of(row, "model") or _model(row),
        isl=isl,
        osl=osl,
        lengths="spread around their means" if spread else None,
        tool=NAME,
        originals=scalars(row),
        remarks=remarks,
    )


def _load(row: Row, metrics: Row) -> tuple[int, tuple[str, ...]]:
    strategy = part(row, "config", "strategy") or part(row, "args", "strategy") or {}
    kind = str(part(strategy, "type_") or part(strategy, "type") or "")
    if kind == "synchronous":
        return 1, ()
    if kind in _RATES:
        raise ValueError(
            f"requests arrived at a rate ({kind}): points here are of so many requests in flight"
        )
    for key in ("streams", "max_concurrency"):
        given = part(strategy, key)
        given = given[0] if isinstance(given, list) and len(given) == 1 else given
        if given is not None:
            return whole(key, given), ()
    seen = _mean(metrics, "request_concurrency")
    if seen is None:
        raise ValueError("nothing says how many requests were in flight")
    remark = f"{kind or 'the load'} had {seen:.1f} requests in flight in the mean"
    return max(round(seen), 1), (remark,)


def _mean(metrics: Row, name: str) -> float | None:
    value = part(metrics, name, "successful", "mean")
    return None if value is None else figure(name, value)


def _is_spread(metrics: Row, name: str) -> bool:
    deviation = part(metrics, name, "successful", "std_dev")
    mean = part(metrics, name, "successful", "mean")
    numbers = isinstance(deviation, int | float) and isinstance(mean, int | float)
    return bool(numbers and deviation > 0.01 * mean)


def _tpot_ms(metrics: Row, ttft: float | None, osl: float | None) -> float | None:
    if osl is not None and osl <= 1:
        return None
    if part(metrics, "inter_token_latency_ms", "successful", "mean"):
        return _mean(metrics, "inter_token_latency_ms")
    if not part(metrics, "time_per_output_token_ms", "successful", "mean"):
        return None
    with_first = _mean(metrics, "time_per_output_token_ms")
    if with_first is None or ttft is None or osl is None:
        return None
    return tpot_without_first_ms(with_first, ttft, osl)


def _model(row: Row) -> str | None:
    places = (("config", "backend", "model"), ("args", "model"), ("config", "model"))
    more = (("args", "backend_kwargs", "model"), ("config", "requests", "model"))
    found = (part(row, *path) for path in (*places, *more))
    return next((word for word in found if isinstance(word, str) and word), None)


TOOL = Tool(
    "guidellm",
    "GuideLLM's benchmarks.json",
    recognises,
    point=point,
    inner=inner,
    files=("benchmarks.json", "*.json", "*.json.gz"),
)
