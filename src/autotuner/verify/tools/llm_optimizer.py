"""llm-optimizer: a list of `{config, results}`, or one such object a line; its results are those
of the benchmarks of vLLM and SGLang."""

from __future__ import annotations

from typing import Any

from autotuner.verify.points import Point
from autotuner.verify.tools.tool import Keys, Row, Tool, flat_point, part, settings_of, text_of

NAME = "llm-optimizer"
_KV = {"fp8": "fp8", "fp8_e4m3": "fp8", "fp8_e5m2": "fp8"}


def recognises(row: Row) -> bool:
    """Whether it has a configuration of client and server beside its results."""
    has_results = isinstance(row.get("results"), dict)
    return has_results and isinstance(part(row, "config", "server_args"), dict)


def point(row: Row) -> Point:
    """The one point of an object."""
    client, server = part(row, "config", "client_args") or {}, row["config"]["server_args"]
    results = {**row["results"]}
    for key in ("max_concurrency", "request_rate", "num_prompts"):
        if results.get(key) is None and client.get(key) is not None:
            results[key] = client[key]
    settings = settings_of(server)
    cache = _KV.get(str(server.get("kv_cache_dtype", server.get("kv-cache-dtype"))))
    if cache is not None:
        settings["quantization.kvcache_mode"] = cache
    fields: dict[str, Any] = {
        "isl": client.get("random_input_len"),
        "osl": client.get("random_output_len"),
        "model": text_of(server, "model") or text_of(server, "model_path"),
        "engine": (text_of(results, "backend") or "").lower() or None,
        "settings": settings,
    }
    for name in ("isl", "osl"):
        if not isinstance(fields[name], int | float) or fields[name] <= 0:
            fields[name] = None
    e2e = "mean_e2e_latency_ms" if "mean_e2e_latency_ms" in results else "mean_e2el_ms"
    return flat_point(results, Keys(e2e=e2e), NAME, **fields)


TOOL = Tool(
    "llm-optimizer",
    "results of llm-optimizer, in a list or one a line",
    recognises,
    point=point,
)
