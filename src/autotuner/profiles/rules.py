"""The fixed set of rules by which a profile derives a value from the context.

A rule reads the context and fields that are already settled, and returns a value, or None where
too little is known. Nothing a user writes is ever evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import MEMORY_READS, DeviceMemory, device_memory
from autotuner.profiles.context import TaskContext

KV_ROOM = 0.15
"""Share of a GPU's memory for weights and KV cache that is kept for the cache when a width is
chosen."""


@dataclass(frozen=True)
class ValueRule:
    """A named rule. `sets`: fields that may take its value; `reads`: fields settled before it."""

    name: str
    meaning: str
    sets: tuple[str, ...]
    reads: tuple[str, ...]
    apply: Callable[[TaskContext, Mapping[str, Any]], Any]
    unknown_why: str = "knows too little here"
    """The reason why it gives no value."""


def _widths(context: TaskContext, settings: Mapping[str, Any]) -> list[int]:
    """Powers of two that divide the attention heads, as wide as the GPUs of a stage.

    Where the heads are not known only 1 surely divides them.
    """
    stages = settings.get("parallel.pipeline_parallel", 1)
    heads = context.model_facts.heads or 1
    widest = int(math.log2(max(context.gpus // stages, 1)))
    return [2**n for n in range(widest + 1) if heads % 2**n == 0]


def _memory(context: TaskContext, settings: Mapping[str, Any]) -> DeviceMemory | None:
    memory_gib = context.gpu_memory_gib
    if memory_gib is None:
        return None
    return device_memory(context.model_facts, context.use, memory_gib, settings)


def width_that_fits(
    context: TaskContext, settings: Mapping[str, Any]
) -> tuple[int, DeviceMemory] | None:
    """The smallest tensor parallelism whose GPUs hold the weights and leave `KV_ROOM`, and what
    each of them then has to hold; None where none does, or too little is known."""
    for tensor in _widths(context, settings):
        memory = _memory(context, {**settings, "parallel.tensor_parallel": tensor})
        if memory is None:
            return None
        if memory.weights_gib <= memory.usable_gib * (1 - KV_ROOM):
            return tensor, memory
    return None


def _smallest_tp(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    found = width_that_fits(context, settings)
    if found is not None:
        return found[0]
    facts = context.model_facts
    is_known = facts.heads is not None and _memory(context, settings) is not None
    return _widths(context, settings)[-1] if is_known else None


def _largest_tp(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    return None if context.model_facts.heads is None else _widths(context, settings)[-1]


def _replicas(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    width = settings.get("parallel.tensor_parallel")
    if width is None and context.model_facts.weights_gib() is None:
        return None
    used = (width or 1) * settings.get("parallel.pipeline_parallel", 1)
    return int(max(context.gpus // used, 1))


def _all_ranks(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    experts = context.model_facts.experts
    widths = [settings[path] for path in _RANKS if path in settings]
    if not experts or not widths:
        return None
    ranks = math.prod(widths)
    return ranks if experts % ranks == 0 else None


def _context_for_workload(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    if context.isl is None or context.osl is None:
        return None
    needed = context.isl + context.osl
    rounded = math.ceil(needed * 1.1 / 256) * 256
    limit = context.model_facts.context_length
    return rounded if limit is None else max(min(rounded, limit), min(needed, limit))


def _context_where_needed(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    known = settings.get("misc.context_length", context.model_facts.context_length)
    memory, workload = _memory(context, settings), _context_for_workload(context, settings)
    if known is None or memory is None or workload is None or not memory.kv_gib_per_token:
        return None
    total = settings.get("memory.max_total_tokens", known)
    if known <= min(memory.longest_sequence, total):
        return None
    return int(min(workload, max(total, (context.isl or 0) + (context.osl or 0))))


def _requests_that_fit(context: TaskContext, settings: Mapping[str, Any]) -> int | None:
    if context.isl is None or context.osl is None:
        return None
    memory = _memory(context, settings)
    if memory is None or not memory.kv_gib_per_token:
        return None
    fitting = max(memory.room_gib / memory.cache_gib(context.isl + context.osl), 1)
    return int(min(max(2 ** int(math.log2(fitting)), 8), 1024))


_RANKS = ("parallel.tensor_parallel", "parallel.data_parallel")
_WIDTH = ("parallel.tensor_parallel", "parallel.pipeline_parallel")
_FORMATS = ("quantization.gemm_mode", "quantization.moe_mode", "memory.mem_fraction_static")
RULES: dict[str, ValueRule] = {
    rule.name: rule
    for rule in (
        ValueRule(
            "smallest_tp_that_fits",
            "the smallest power of two that divides the heads and holds the weights, with 15 % of "
            "the memory left for the KV cache",
            ("parallel.tensor_parallel",),
            ("parallel.pipeline_parallel", *_FORMATS),
            _smallest_tp,
        ),
        ValueRule(
            "largest_power_of_two_divisor",
            "the largest power of two that divides the heads and that the GPUs allow",
            ("parallel.tensor_parallel",),
            ("parallel.pipeline_parallel",),
            _largest_tp,
        ),
        ValueRule(
            "replicas_on_the_other_gpus",
            "how often tensor x pipeline parallel goes into the GPUs",
            ("parallel.data_parallel",),
            _WIDTH,
            _replicas,
        ),
        ValueRule(
            "all_ranks_for_experts",
            "tensor x data parallel, where it divides the experts",
            ("parallel.moe_expert_parallel", "parallel.expert_parallel"),
            _RANKS,
            _all_ranks,
        ),
        ValueRule(
            "context_for_workload",
            "isl + osl and 10 % more, in steps of 256, at most what the model knows",
            ("memory.max_model_len", "misc.context_length"),
            (),
            _context_for_workload,
        ),
        ValueRule(
            name="context_where_needed",
            meaning="as context_for_workload, where the KV cache beside the weights does not hold "
            "one sequence of all that the model knows",
            sets=("memory.max_model_len",),
            reads=(
                *(path for path in MEMORY_READS if path != "memory.max_model_len"),
                "memory.max_total_tokens",
            ),
            apply=_context_where_needed,
            unknown_why="finds room for all that the model knows, or knows too little",
        ),
        ValueRule(
            "requests_that_fit",
            "requests of isl + osl tokens that the memory beside the weights holds, as a power of "
            "two from 8 to 1024",
            ("scheduling.max_running_requests",),
            (*_WIDTH, *_FORMATS, "parallel.data_parallel", "quantization.kvcache_mode"),
            _requests_that_fit,
        ),
    )
}
"""Every rule by its name."""
