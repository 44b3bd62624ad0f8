"""`vllm bench serve --save-result` (one object, or one a line) and `vllm bench sweep` (a folder).

End-to-end latency stands there only where `--percentile-metrics` asks for it.
"""

from __future__ import annotations

from autotuner.verify.points import Point
from autotuner.verify.tools.tool import Keys, Row, Tool, flat_point

NAME = "vllm bench serve"
KEYS = Keys(
    concurrency=("max_concurrency", "concurrency"),
    names={"model": "model_id"},
)


def recognises(row: Row) -> bool:
    """Whether it has the latencies and the throughput under vLLM's names."""
    has_figures = "mean_ttft_ms" in row or "median_ttft_ms" in row
    return has_figures and ("output_throughput" in row or "total_token_throughput" in row)


def point(row: Row) -> Point:
    """The one point of a result."""
    if "mean_ttft_ms" not in row and "mean_tpot_ms" not in row:
        raise ValueError("it has medians and no means")
    # With other servers `backend` names the API that they speak.
    engine = str(row.get("backend") or "").lower()
    name = None if not engine or engine.startswith("openai") else engine
    return flat_point(row, KEYS, NAME, engine=name)


TOOL = Tool(
    "vllm-bench",
    "what `vllm bench serve --save-result` writes, or a folder of `vllm bench sweep`",
    recognises,
    point=point,
    files=("run=*.json", "*.json", "*.jsonl", "*.json.gz", "*.jsonl.gz"),
)
