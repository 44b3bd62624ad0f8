"""The fixed set of rules by which a profile derives a value from the context.

A rule reads the context and fields that are already settled, and returns a value, or None where
too little is known. Nothing a user writes is ever evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import Widths, kv_gib_per_gpu, weights_gib_per_gpu
from autotuner.profiles.context import TaskContext

USABLE = 0.9
"""Share of a GPU's memory that weights and KV cache may take where nothing else is set."""
KV_ROOM = 0.15
"""Share of that which is kept for the KV cache when a width is chosen."""

ACTIVATIONS = 0.05
"""Share of that which activations and captured graphs take."""


@dataclass(frozen=True)
class Rule:
    """A named rule. `reads`: fields that have to be settled before it."""

    name: str
    meaning: str
    reads: tuple[str, ...]
    apply: Callable[[TaskContext, Mapping[str, Any]], Any]
    silence: str = "knows too little here"
    """What it means that it gives no value."""


def _widths(context: TaskContext) -> list[int]:
    """Powers of two up to the number of GPUs that divide the attention heads."""
    heads = context.model_facts.heads
    powers = [2**n for n in range(int(math.log2(max(context.gpus, 1))) + 1)]
    return [width for width in powers if heads is None or heads % width == 0]


def _smallest_tp(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    gemm, moe = settings.get("quantization.gemm_mode"), settings.get("quantization.moe_mode")
    weights = context.model_facts.weights_gib(gemm, moe)
    memory = context.gpu_memory_gib
    if weights is None or memory is None:
        return None
    usable = settings.get("memory.mem_fraction_static", USABLE) * memory * (1 - KV_ROOM)
    stages = settings.get("parallel.pipeline_parallel", 1)
    fitting = [w for w in _widths(context) if weights / (w * stages) <= usable]
    return fitting[0] if fitting else _widths(context)[-1]


def _largest_tp(context: TaskContext, settings: Mapping[str, Any]) -> int:
    stages = settings.get("parallel.pipeline_parallel", 1)
    return max(w for w in _widths(context) if w * stages <= max(context.gpus, 1))


def _replicas(context: TaskContext, settings: Mapping[str, Any]) -> int:
    used = settings.get("parallel.tensor_parallel", 1) * settings.get(
        "parallel.pipeline_parallel", 1
    )
    return int(max(context.gpus // used, 1))


def _all_ranks(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    experts = context.model_facts.experts
    ranks = settings.get("parallel.tensor_parallel", 1) * settings.get("parallel.data_parallel", 1)
    return int(ranks) if experts and experts % ranks == 0 else None


def _context_for_workload(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    if context.isl is None or context.osl is None:
        return None
    needed = context.isl + context.osl
    rounded = math.ceil(needed * 1.1 / 256) * 256
    limit = context.model_facts.context_length
    return rounded if limit is None else max(min(rounded, limit), min(needed, limit))


def _context_where_needed(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    facts, memory = context.model_facts, context.gpu_memory_gib
    known = settings.get("misc.context_length", facts.context_length)
    widths = Widths(
        settings.get("parallel.tensor_parallel", 1),
        settings.get("parallel.pipeline_parallel", 1),
        settings.get("parallel.data_parallel", 1),
    )
    gemm, moe = settings.get("quantization.gemm_mode"), settings.get("quantization.moe_mode")
    weights = weights_gib_per_gpu(facts, widths, gemm, moe)
    workload = _context_for_workload(context, settings)
    if known is None or memory is None or weights is None or workload is None:
        return None
    cache = kv_gib_per_gpu(facts, widths, known, settings.get("quantization.kvcache_mode"))
    share = settings.get("memory.mem_fraction_static", USABLE)
    total = settings.get("memory.max_total_tokens", known)
    offloaded = settings.get("memory.cpu_offload_gb", 0)
    room = share * (1 - ACTIVATIONS) * memory - max(weights - offloaded, 0)
    if cache is None or (cache <= room and known <= total):
        return None
    return int(min(workload, max(total, (context.isl or 0) + (context.osl or 0))))


def _requests_that_fit(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    facts, memory = context.model_facts, context.gpu_memory_gib
    gemm, moe = settings.get("quantization.gemm_mode"), settings.get("quantization.moe_mode")
    weights = facts.weights_gib(gemm, moe)
    per_token = facts.kv_bytes_per_token(settings.get("quantization.kvcache_mode"))
    if memory is None or weights is None or per_token is None:
        return None
    if context.isl is None or context.osl is None:
        return None
    width = settings.get("parallel.tensor_parallel", 1) * settings.get(
        "parallel.pipeline_parallel", 1
    )
    share = settings.get("memory.mem_fraction_static", USABLE)
    room_gib = share * memory * width - weights
    request_gib = per_token * (context.isl + context.osl) / 2**30
    fitting = max(room_gib / request_gib, 1)
    return int(min(max(2 ** int(math.log2(fitting)), 8), 1024))


_WIDTH = ("parallel.tensor_parallel", "parallel.pipeline_parallel")
_FORMATS = ("quantization.gemm_mode", "quantization.moe_mode", "memory.mem_fraction_static")
RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "smallest_tp_that_fits",
            "the smallest power of two that divides the heads and holds the weights, with 15 % of "
            "the memory left for the KV cache",
            ("parallel.pipeline_parallel", *_FORMATS),
            _smallest_tp,
        ),
        Rule(
            "largest_power_of_two_divisor",
            "the largest power of two that divides the heads and that the GPUs allow",
            ("parallel.pipeline_parallel",),
            _largest_tp,
        ),
        Rule(
            "replicas_on_the_other_gpus",
            "how often tensor x pipeline parallel goes into the GPUs",
            _WIDTH,
            _replicas,
        ),
        Rule(
            "all_ranks_for_experts",
            "tensor x data parallel, where it divides the experts",
            ("parallel.tensor_parallel", "parallel.data_parallel"),
            _all_ranks,
        ),
        Rule(
            "context_for_workload",
            "isl + osl and 10 % more, in steps of 256, at most what the model knows",
            (),
            _context_for_workload,
        ),
        Rule(
            name="context_where_needed",
            meaning="as context_for_workload, where the KV cache beside the weights does not hold "
            "one sequence of all that the model knows",
            reads=(
                *_WIDTH,
                *_FORMATS,
                "parallel.data_parallel",
                "quantization.kvcache_mode",
                "memory.cpu_offload_gb",
                "memory.max_total_tokens",
                "misc.context_length",
            ),
            apply=_context_where_needed,
            silence="finds room for all that the model knows, or knows too little",
        ),
        Rule(
            "requests_that_fit",
            "requests of isl + osl tokens that the memory beside the weights holds, as a power of "
            "two from 8 to 1024",
            (*_WIDTH, *_FORMATS, "quantization.kvcache_mode"),
            _requests_that_fit,
        ),
    )
}
"""Every rule by its name."""
