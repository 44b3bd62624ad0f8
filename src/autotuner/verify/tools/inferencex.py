"""InferenceX (formerly InferenceMAX): `agg_*.json`, one object a task or a list of them.

Latencies are vLLM's in seconds, without the `_ms`; throughput is per GPU, and `tput_per_gpu` counts
input tokens too. GPUs are tp x pp x pcp.
"""

from __future__ import annotations

from typing import Any

from autotuner.verify.points import Point
from autotuner.verify.tools.tool import (
    Keys,
    Row,
    Tool,
    count_of,
    flat_point,
    positive,
    text_of,
)

NAME = "InferenceX"
KEYS = Keys(
    ttft="mean_ttft",
    tpot="mean_tpot",
    e2e="mean_e2el",
    concurrency=("conc",),
    ms=1000.0,
    names={"model": "model", "engine": "framework"},
)


def recognises(row: Row) -> bool:
    """Whether it has throughput per GPU and its names of hardware and concurrency."""
    return "conc" in row and ("tput_per_gpu" in row or "output_tput_per_gpu" in row)


def point(row: Row) -> Point:
    """The one point of an object."""
    disaggregated = bool(row.get("disagg"))
    gpus, decoding = _gpus(row)
    rate = positive(row, "output_tput_per_gpu")
    settings: dict[str, Any] = {}
    if disaggregated or row.get("is_multinode"):
        settings["system.serving_mode"] = "disagg" if disaggregated else "agg"
    remarks = []
    if text_of(row, "spec_decoding") not in (None, "none", "off", "False"):
        remarks.append(f"tokens were drafted ({row['spec_decoding']})")
    if row.get("dp_attention") in (True, "true", "True"):
        remarks.append("attention was data-parallel")
    if isinstance(row.get("request_metrics"), dict):
        raise ValueError("it is a result of agents, whose requests are not alike")
    return flat_point(
        {key: value for key, value in row.items() if key not in ("tp", "pp")}
        if disaggregated
        else row,
        KEYS,
        NAME,
        isl=positive(row, "isl"),
        osl=positive(row, "osl"),
        gpus=gpus,
        tok_s=rate * decoding if rate and decoding else None,
        system=_system(row),
        settings=settings,
        layout=_layout(row),
        remarks=tuple(remarks),
    )


def _gpus(row: Row) -> tuple[int | None, int | None]:
    """All GPUs, and those over which the output is counted."""
    prefill, decode = count_of(row, "num_prefill_gpu"), count_of(row, "num_decode_gpu")
    if prefill is not None or decode is not None:
        total = (prefill or 0) + (decode or 0)
        return total or None, (decode if row.get("disagg") else total) or None
    widths = [count_of(row, key) or 1 for key in ("tp", "pp", "pcp_size")]
    if count_of(row, "tp") is None:
        return None, None
    total = widths[0] * widths[1] * widths[2]
    return total, total


def _system(row: Row) -> str | None:
    word = text_of(row, "hw")
    return word.lower().split("-")[0] if word else None


def _layout(row: Row) -> str | None:
    if not row.get("disagg"):
        return None
    parts = []
    for role in ("prefill", "decode"):
        widths = [f"{w}{row[f'{role}_{w}']}" for w in ("tp", "ep") if row.get(f"{role}_{w}")]
        parts.append(" ".join([role, f"{row.get(f'{role}_num_workers') or 1}x", *widths]))
    return ", ".join(parts)


TOOL = Tool(
    "inferencex",
    "an `agg_*.json` of InferenceX, one object or a list of them",
    recognises,
    point=point,
    files=("agg_bmk.json", "agg_*.json", "*.json"),
    notes=("latencies in seconds, throughput per GPU: output_tput_per_gpu x GPUs",),
    origin="inferencex",
    licence="Apache-2.0",
)
