"""`python -m sglang.bench_serving --output-file`: one object a line, one line a task."""

from __future__ import annotations

from typing import Any

from autotuner.engines import engine_called, engine_measured_by
from autotuner.verify.points import Point
from autotuner.verify.tools.tool import Keys, Row, Tool, flat_point, part, settings_of

NAME = "sglang.bench_serving"
KEYS = Keys(e2e="mean_e2e_latency_ms")
_MARKS = ("mean_e2e_latency_ms", "median_e2e_latency_ms", "random_input_len", "total_throughput")


def recognises(row: Row) -> bool:
    """Whether it has the names that SGLang's benchmark does not share with vLLM's."""
    has_figures = "mean_ttft_ms" in row and "output_throughput" in row
    return has_figures and any(mark in row for mark in _MARKS)


def point(row: Row) -> Point:
    """The one point of a line."""
    engine = str(row.get("backend") or engine_measured_by(NAME)).lower()
    server = part(row, "server_info")
    fields: dict[str, Any] = {
        "engine": engine_called(engine) or engine,
        "model": part(server, "served_model_name") or part(server, "model_path"),
        "engine_version": part(server, "version"),
        "settings": settings_of(server) if isinstance(server, dict) else {},
    }
    ratio = row.get("random_range_ratio")
    if row.get("dataset_name") != "random" or ratio not in (1, 1.0):
        words = [row.get("dataset_name"), f"range ratio {ratio}" if ratio is not None else None]
        fields["lengths"] = ", ".join(str(word) for word in words if word) or None
    return flat_point(row, KEYS, NAME, **fields)


TOOL = Tool(
    "sglang-bench",
    "what `sglang.bench_serving` appends to its output file, one object a line",
    recognises,
    point=point,
    files=("*.jsonl", "*.json", "*.jsonl.gz", "*.json.gz"),
)
