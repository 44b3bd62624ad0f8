"""Memory of one GPU: its part of weights and KV cache, and what an engine leaves for them. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.catalog.facts import GIB, ModelFacts
from autotuner.config import EXPERT_WIDTHS, whole_replicas


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


_MIB = 2**20
_TP, _PP, _DP = (f"parallel.{name}_parallel" for name in ("tensor", "pipeline", "data"))
_STEP, _SLOTS = "scheduling.max_num_batched_tokens", "scheduling.max_running_requests"
_CHUNK, _CHUNKS = "attention.chunked_prefill_size", "attention.enable_chunked_prefill"
MEMORY_READS = (
    *(_TP, _PP, _DP, _STEP, _SLOTS, _CHUNK, _CHUNKS),
    *("quantization.gemm_mode", "quantization.moe_mode", "quantization.kvcache_mode"),
    *("memory.cpu_offload_gb", "memory.mem_fraction_static", "memory.max_model_len"),
    *("misc.context_length", "misc.cuda_graph"),
    *EXPERT_WIDTHS,
)
"""Fields that decide what `device_memory` finds."""


@dataclass(frozen=True)
class Working:
    """Memory that an engine keeps of each GPU beside weights and KV cache.

    Attributes:
        fixed_gib: context of the driver, workspaces of kernels.
        tensor_gib: buffers of collectives, where tensor parallelism is above 1.
        rank_gib: more of them for every GPU of a deployment.
        graphs_gib: captured graphs, where they are not switched off.
        graph_slot_mib: more of them for every request that graphs are captured for.
        replica_slot_mib: the same for every replica of attention beside it.
        token_mib: activations of one token of a step, for engines that count so.
        least_tokens: of a step, for that.
        activations: bytes of a step are computed from the model's widths, times this.
        logits: float32 copies of the logits of all slots.
        least_gib: of all together, on GPUs above `least_above_gib`.
    """

    fixed_gib: float = 0.0
    tensor_gib: float = 0.0
    rank_gib: float = 0.0
    graphs_gib: float = 0.0
    graph_slot_mib: float = 0.0
    replica_slot_mib: float = 0.0
    token_mib: float = 0.0
    least_tokens: int = 0
    activations: float = 0.0
    logits: float = 0.0
    least_gib: float = 0.0
    least_above_gib: float = 0.0


@dataclass(frozen=True)
class MemoryUse:
    """The use that an engine makes of a GPU's memory.

    Attributes:
        share: for weights and KV cache, where the task does not say; None: all that `working`
            leaves.
        of_free: the share is of what the weights and `working` leave, and for the KV cache only.
        within: the share has to hold `working` too; else that lies outside it.
        working: what is kept beside weights and KV cache; nothing where it is not known.
        step: the field whose tokens a step holds.
        step_tokens, slots, graph_slots: tokens of a step, requests at a time, and those that graphs
            are captured for, where the task does not say; of the GPU in question.
        wide_graph_slots: the last from a tensor parallelism of 4 on.
        whole_prompts: with chunks off a step holds a sequence of the served length.
        holds_longest: it does not start where the KV cache cannot hold one sequence of the served
            length.
        stretches_context: it serves sequences longer than the model knows.
        windows: layers with a sliding window keep no more than it, and one step.
        source: of these facts.
    """

    share: float | None = 1.0
    of_free: bool = False
    within: bool = False
    working: Working = Working()
    step: str = _STEP
    step_tokens: int = 0
    slots: int = 0
    graph_slots: int = 0
    wide_graph_slots: int = 0
    whole_prompts: bool = False
    holds_longest: bool = False
    stretches_context: bool = False
    windows: bool = False
    source: str = ""


@dataclass(frozen=True)
class DeviceMemory:
    """A GPU's share of weights and KV cache, in GiB.

    Attributes:
        weights_gib: without what is kept in host memory.
        kv_gib_per_token: of a token of a sequence that it serves; 0 where unknown.
        usable_gib: for both.
        working_gib: what the engine keeps beside them.
        window_tokens: of a sequence, that layers with a window keep.
        windowed: share of the cache that such layers have.
    """

    weights_gib: float
    kv_gib_per_token: float
    usable_gib: float
    working_gib: float = 0.0
    window_tokens: float = math.inf
    windowed: float = 0.0

    def cache_gib(self, tokens: float) -> float:
        """The KV cache of one sequence of so many tokens."""
        whole = tokens * (1 - self.windowed) + min(tokens, self.window_tokens) * self.windowed
        return self.kv_gib_per_token * whole

    def needed_gib(self, tokens: float) -> float:
        """Weights, and the KV cache of one sequence of so many tokens."""
        return self.weights_gib + self.cache_gib(tokens)

    @property
    def longest_sequence(self) -> float:
        """Tokens of the longest sequence that fits beside the weights; infinite where none is too
        long, negative where the weights do not fit."""
        if not self.kv_gib_per_token:
            return math.inf
        tokens = self.room_gib / self.kv_gib_per_token
        if tokens <= self.window_tokens:
            return tokens
        beyond = tokens - self.window_tokens * self.windowed
        return beyond / (1 - self.windowed) if self.windowed < 1 else math.inf

    @property
    def room_gib(self) -> float:
        """GiB that the weights leave for the KV cache; negative where they do not fit."""
        return self.usable_gib - self.weights_gib


def device_memory(
    facts: ModelFacts, use: MemoryUse, memory_gib: float, settings: Mapping[str, Any]
) -> DeviceMemory | None:
    """The memory that a GPU has to hold, and has; None where the weights' size is unknown.

    Args:
        settings: `group.field` -> value, at least those of `MEMORY_READS` that are set.
    """
    tensor, stages, data = (settings.get(path) or 1 for path in (_TP, _PP, _DP))
    widths = Widths(tensor, stages, 1 if whole_replicas(settings.get) else data)
    formats = (settings.get(f"quantization.{name}_mode") for name in ("gemm", "moe"))
    weights = weights_gib_per_gpu(facts, widths, *formats)
    if weights is None:
        return None
    weights = max(weights - (settings.get("memory.cpu_offload_gb") or 0.0), 0.0)
    working = working_gib(facts, use, memory_gib, settings)
    share = settings.get("memory.mem_fraction_static") or use.share
    if use.of_free:
        usable = weights + max(memory_gib - weights - working, 0.0) * (share or 1.0)
        usable = min(usable, memory_gib - working)
    elif share is None:
        usable = memory_gib - working
    else:
        usable = memory_gib * share - (working if use.within else 0.0)
    per_token = kv_gib_per_gpu(facts, widths, 1, settings.get("quantization.kvcache_mode"))
    windowed = facts.windowed_layers / (facts.attention_layers or facts.windowed_layers or 1)
    if not use.windows or not facts.window or not windowed:
        return DeviceMemory(weights, per_token or 0.0, usable, working)
    window = facts.window + _step_tokens(facts, use, settings)
    return DeviceMemory(weights, per_token or 0.0, usable, working, window, windowed)


def working_gib(
    facts: ModelFacts, use: MemoryUse, memory_gib: float, settings: Mapping[str, Any]
) -> float:
    """GiB that an engine keeps of a GPU beside weights and KV cache."""
    kept = use.working
    tensor, stages, replicas = (settings.get(path) or 1 for path in (_TP, _PP, _DP))
    replicas = replicas if facts.is_moe and not whole_replicas(settings.get) else 1
    slots = settings.get(_SLOTS) or use.slots
    tokens = _step_tokens(facts, use, settings)
    total = kept.fixed_gib + kept.rank_gib * tensor * stages * replicas
    total += kept.tensor_gib if tensor > 1 else 0.0
    total += max(tokens, kept.least_tokens) * kept.token_mib * _MIB / GIB
    forward = kept.activations * tokens * _bytes_per_token(facts, tensor, replicas)
    sampling = kept.logits * 4 * slots * (facts.vocabulary or 0)
    total += max(forward, sampling) / GIB
    if settings.get("misc.cuda_graph") is not False:
        captured = use.wide_graph_slots if tensor * replicas >= 4 else use.graph_slots
        captured = min(captured, settings.get(_SLOTS) or captured)
        per_slot = kept.graph_slot_mib
        per_slot += kept.replica_slot_mib * replicas if replicas > 1 else 0.0
        total += kept.graphs_gib + captured * per_slot * _MIB / GIB
    return max(total, kept.least_gib) if memory_gib > kept.least_above_gib else total


def _step_tokens(facts: ModelFacts, use: MemoryUse, settings: Mapping[str, Any]) -> int:
    """Tokens that go through the model at once."""
    limit = settings.get(use.step)
    if limit or settings.get(_CHUNKS) is not False or not use.whole_prompts:
        return int(limit or use.step_tokens)
    known = settings.get("misc.context_length") or facts.context_length or 0
    return max(use.step_tokens, settings.get("memory.max_model_len") or known)


def _bytes_per_token(facts: ModelFacts, tensor: int, replicas: int) -> float:
    """Bytes of one token's tensors that are there at once in a forward pass, in 16 bits.

    The residual stream with its copies, and the widest of: queries with keys and values; gate, up
    and their product of an MLP; the copies of a token for its experts with their inner tensors.
    """
    hidden, size = facts.hidden_size or 0, facts.head_size or 0
    attention = ((facts.heads or 0) * 2 + (facts.kv_heads or 0) * 2) * size / tensor
    dense = 0.0 if facts.is_moe else 3 * (facts.intermediate or 0) / tensor
    inner = (facts.moe_intermediate or 0) / (tensor * replicas)
    experts = (facts.experts_per_token or 0) * (max(2 * inner, hidden) + inner)
    return 2 * (4 * hidden + max(attention, dense, experts))
