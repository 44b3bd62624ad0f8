"""What one GPU of a deployment holds: its part of the weights and of the KV cache. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.catalog.facts import GIB, ModelFacts


@dataclass(frozen=True)
class Widths:
    """How many GPUs share the matrices, the layers, and the requests."""

    tensor: int = 1
    pipeline: int = 1
    data: int = 1


def weights_gib_per_gpu(
    facts: ModelFacts, widths: Widths, gemm: str | None = None, moe: str | None = None
) -> float | None:
    """GiB of weights on one GPU, in formats as `ModelFacts.weights_gib` takes them.

    Tensor and pipeline parallelism split everything. Data parallelism splits experts only: they
    are spread over all ranks, all else is there once for each replica.
    """
    total = facts.weights_gib(gemm, moe)
    if total is None:
        return None
    experts = 0.0
    if facts.is_moe:
        kept = moe or (gemm if facts.moe_format is None else None)
        counted, width = facts.expert_parameters, facts.stored_bytes(kept, of_experts=True)
        # Where the parts are unknown, the least that it can be: as if all were experts.
        experts = total if counted is None or width is None else counted * width / GIB
    experts = min(experts, total)
    return (total - experts + experts / widths.data) / (widths.tensor * widths.pipeline)


def kv_gib_per_gpu(
    facts: ModelFacts, widths: Widths, tokens: int, mode: str | None = None
) -> float | None:
    """GiB that so many tokens of one replica's KV cache take on one GPU."""
    per_token = facts.kv_bytes_per_token(mode)
    if per_token is None:
        return None
    return per_token * tokens / (facts.kv_ranks(widths.tensor) * widths.pipeline) / GIB
