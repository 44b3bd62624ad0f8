"""How reasons call settings: short, and as the field does."""

from __future__ import annotations

from collections.abc import Mapping

LABELS = {
    "parallel.tensor_parallel": "TP",
    "parallel.pipeline_parallel": "PP",
    "parallel.data_parallel": "DP",
    "parallel.expert_parallel": "EP",
    "parallel.moe_tensor_parallel": "MoE TP",
    "parallel.moe_expert_parallel": "MoE EP",
    "scheduling.max_running_requests": "sequences",
    "scheduling.max_num_batched_tokens": "tokens a step",
    "attention.chunked_prefill_size": "tokens a chunk",
    "attention.backend": "attention",
    "quantization.gemm_mode": "weights",
    "quantization.moe_mode": "experts",
    "quantization.kvcache_mode": "KV cache",
    "system.backend": "engine",
}
"""Short names of fields; of others, the field's own name is told."""


def label(path: str) -> str:
    """How a reader calls a field: `TP`, `sequences`, `page size`."""
    return LABELS.get(path, path.partition(".")[2].replace("_", " "))


def told_value(value: object) -> str:
    """A value; None is one that is left to the engine."""
    if value is None:
        return "default"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def told_settings(settings: Mapping[str, object]) -> str:
    """`TP 4, sequences 64, weights fp8`."""
    return ", ".join(f"{label(path)} {told_value(value)}" for path, value in settings.items())


def percent(share: float) -> str:
    """`31 %`, `3.1 %`."""
    return f"{100 * share:.{0 if abs(share) >= 0.1 else 1}f} %"
