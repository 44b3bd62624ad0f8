"""AISimulate 0.13: what `aisimulate recommend` and `predict` leave in `--output-dir`.

`recommendation.json` and `recommendation.csv` hold every candidate with its configuration and the
metrics of its simulated requests. `prediction.json` holds the metrics alone: its load follows from
them by Little's law, and model and layout stand in the file that the user wrote.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autotuner.config import LoadLevel
from autotuner.verify.points import Point, whole
from autotuner.verify.tools.tool import (
    Row,
    Rows,
    Tool,
    count_of,
    part,
    positive,
    refuse_failures,
    scalars,
    text_of,
)

_CANDIDATES, _METRICS, _CONFIG = "candidates", "metrics", "prediction_config"
_WIDTHS = {
    "tensor": "parallel.tensor_parallel",
    "pipeline": "parallel.pipeline_parallel",
    "moe_tensor": "parallel.moe_tensor_parallel",
    "moe_expert": "parallel.moe_expert_parallel",
}
_SCHEDULER = {
    "max_sequences": "scheduling.max_running_requests",
    "max_batched_tokens": "scheduling.max_num_batched_tokens",
}


def recognises(row: Row) -> bool:
    """Whether it is a ledger of candidates, a row of one, or a report of one prediction."""
    if "mean_ttft_ms" in row and "prediction_provenance" in row:
        return True
    if isinstance(row.get(_CANDIDATES), list):
        return "candidate_retention" in row
    return all(f"{key}_json" in row or key in row for key in (_CONFIG, _METRICS))


def inner(row: Row) -> Rows:
    """Its candidates; a report, and a row of the CSV, is one by itself."""
    if not isinstance(row.get(_CANDIDATES), list):
        yield "", row
        return
    for index, one in enumerate(row[_CANDIDATES]):
        if isinstance(one, dict):
            yield f"candidates[{index}]", one


def point(row: Row) -> Point:
    """The point of a candidate, or of a report."""
    metrics, config = _document(row, _METRICS), _document(row, _CONFIG)
    if metrics is None:
        if "mean_ttft_ms" not in row:
            why = text_of(row, "reason") or text_of(row, "status") or "it has no metrics"
            raise ValueError(f"nothing was simulated: {why}")
        return _of_report(row)
    if config is None:
        raise ValueError("it has no configuration")
    engine, traffic = part(config, "engine") or {}, part(config, "traffic") or {}
    if (mode := text_of(engine, "mode")) not in (None, "aggregated"):
        raise ValueError(f"{mode} serving: points here are of aggregated serving")
    worker = part(engine, "workers", "aggregated") or {}
    widths = part(worker, "parallelism") or {}
    osl = positive(part(traffic, "source") or {}, "output_tokens")
    return Point(
        load=_load(part(traffic, "load") or {}),
        **_figures(metrics, osl),
        gpus=count_of(row, "used_gpus"),
        model=text_of(engine, "model"),
        engine=text_of(engine, "backend"),
        engine_version=text_of(engine, "backend_version"),
        system=text_of(engine, "hardware"),
        candidate=text_of(row, "candidate_id"),
        settings=_settings(widths, part(worker, "scheduler") or {}),
        isl=positive(part(traffic, "source") or {}, "input_tokens"),
        osl=osl,
        originals=scalars(metrics),
    )


def _of_report(row: Row) -> Point:
    done = count_of(row, "completed_requests")
    refuse_failures(max((count_of(row, "num_requests") or 0) - (done or 0), 0), done)
    e2e_ms, duration_ms = positive(row, "mean_e2e_latency_ms"), positive(row, "duration_ms")
    if not done or e2e_ms is None or duration_ms is None:
        raise ValueError("nothing says how many requests were in flight")
    in_flight = e2e_ms * done / duration_ms
    output = positive(row, "output_throughput_tok_s")
    return Point(
        load=LoadLevel.concurrency(max(round(in_flight), 1)),
        **_figures(row, None),
        gpus=count_of(row, "decode_gpus_per_worker"),
        osl=output * duration_ms / 1000 / done if output else None,
        originals=scalars(row),
        remarks=(f"by Little's law {in_flight:.1f} requests were in flight in the mean",),
    )


def _figures(metrics: Row, osl: float | None) -> dict[str, Any]:
    tpot_ms = None if osl is not None and osl <= 1 else positive(metrics, "mean_tpot_ms")
    return {
        "ttft_ms": positive(metrics, "mean_ttft_ms"),
        "tpot_ms": tpot_ms,
        "tok_s": positive(metrics, "output_throughput_tok_s"),
    }


def _load(load: Row) -> LoadLevel:
    if load.get("type") in ("constant_rate", "poisson"):
        rate = positive(load, "requests_per_second")
        if rate is not None:
            return LoadLevel.rate(rate)
    if load.get("concurrency") is None:
        kind = load.get("type") or "none"
        raise ValueError(f"its load ({kind}) is neither requests in flight nor a rate")
    return LoadLevel.concurrency(whole("concurrency", load["concurrency"]))


def _settings(widths: Row, scheduler: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        path: whole(name, given[name])
        for given, names in ((widths, _WIDTHS), (scheduler, _SCHEDULER))
        for name, path in names.items()
        if given.get(name) is not None
    }
    copies = [widths.get(name) or 1 for name in ("replicas", "attention_data")]
    found["parallel.data_parallel"] = whole("replicas", copies[0]) * whole("ranks", copies[1])
    found["system.serving_mode"] = "agg"
    return found


def _document(row: Row, key: str) -> Mapping[str, Any] | None:
    """An object, or the text of one in a cell of the CSV."""
    value = row.get(key, row.get(f"{key}_json"))
    if isinstance(value, str):
        value = json.loads(value) if value.strip() else None
    return value if isinstance(value, Mapping) else None


TOOL = Tool(
    "aisimulate",
    "what `aisimulate recommend` or `predict` leaves in `--output-dir` (0.13)",
    recognises,
    point=point,
    inner=inner,
    files=("recommendation.json", "prediction.json"),
    predicted=True,
    notes=("AISimulate simulates requests of one length that arrive together: TTFT is of waves",),
)
