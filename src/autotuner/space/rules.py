"""Feasibility rules: each says why a candidate cannot work, or nothing.

A rule knows the candidate and the `Setting` it would run in; it is pure. The reason is short and
the same for equal causes, since exclusions are counted by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import (
    GIB,
    Gpu,
    ModelFacts,
    Widths,
    gpus_with_format,
    kv_gib_per_gpu,
    weights_gib_per_gpu,
)
from autotuner.config import Candidate
from autotuner.engines import MemoryUse
from autotuner.space.positions import POSITIONS, known_positions, rope_is_said_whole

ALL_MEMORY = MemoryUse(share=1.0)
Judge = Callable[[Candidate, "Setting"], str | None]


@dataclass(frozen=True)
class Rule:
    """A judge, and the fields it reads: where these are equal, so is what it says."""

    judge: Judge
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """What candidates are judged against.

    Attributes:
        largest_request_tokens: input + output of the longest request of the workload.
        defaults: the engine's values for fields that a candidate leaves out.
        memory_gib: of one device; None where unknown.
        slots_share_context: the context is cut into equal slots, as llama.cpp does; elsewhere any
            request may use all of it.
        gpu: the device; None where the task does not say.
        gpus: how many a deployment may occupy; None where the task does not say.
        use: what the engine makes of a GPU's memory.
    """

    largest_request_tokens: int
    defaults: dict[str, Any]
    facts: ModelFacts
    memory_gib: float | None
    slots_share_context: bool = True
    gpu: Gpu | None = None
    gpus: int | None = None
    use: MemoryUse = ALL_MEMORY


def tokens_per_slot(candidate: Candidate, setting: Setting) -> int | None:
    """Tokens that one sequence may hold; None where neither task nor model says."""
    limits = _limits(candidate, setting)
    return min(limits)[0] if limits else None


def kv_cache_gib(candidate: Candidate, setting: Setting) -> float | None:
    """GiB of the KV cache of all slots, in the candidate's KV-cache format (float16 where none)."""
    tokens = tokens_per_slot(candidate, setting)
    per_token = setting.facts.kv_bytes_per_token(candidate.quantization.kvcache_mode)
    if tokens is None or per_token is None:
        return None
    return per_token * tokens * _slots(candidate, setting) / GIB


def context_holds_workload(candidate: Candidate, setting: Setting) -> str | None:
    """A sequence has to hold isl + osl."""
    limits = _limits(candidate, setting)
    if not limits or min(limits)[0] >= setting.largest_request_tokens:
        return None
    tokens, said_by = min(limits)
    return f"{said_by} ({tokens}) is smaller than isl + osl ({setting.largest_request_tokens})"


def length_is_known(candidate: Candidate, setting: Setting) -> str | None:
    """No sequence is served that is longer than what the model knows."""
    longest, known = candidate.memory.max_model_len, _context(candidate, setting)
    if setting.use.stretches_context or longest is None or known is None or longest <= known:
        return None
    return (
        f"memory.max_model_len ({longest}) is more than the model's context ({known}), which "
        "scaled positions can stretch (misc.rope_scaling); further ones were never trained"
    )


def scaling_is_whole(candidate: Candidate, setting: Setting) -> str | None:
    """A scaling of positions needs its factor and the length that it starts from."""
    return rope_is_said_whole(candidate)


def totals_agree(candidate: Candidate, setting: Setting) -> str | None:
    """max_total_tokens has to hold a sequence of max_model_len, or of what is served without it."""
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    if longest is not None:
        said_by = "memory.max_model_len"
    else:
        longest = _context(candidate, setting) if setting.use.holds_longest else None
        said_by = "the model's context, which memory.max_model_len can lower"
    if total is None or longest is None or total >= longest:
        return None
    return f"memory.max_total_tokens ({total}) is smaller than {said_by} ({longest})"


def chunk_within_batch(candidate: Candidate, setting: Setting) -> str | None:
    """A prefill chunk cannot be larger than the step that holds it."""
    chunk = candidate.attention.chunked_prefill_size
    batch = candidate.scheduling.max_num_batched_tokens
    if chunk is None or batch is None or chunk <= batch:
        return None
    return (
        f"attention.chunked_prefill_size ({chunk}) is larger than "
        f"scheduling.max_num_batched_tokens ({batch})"
    )


def gpus_suffice(candidate: Candidate, setting: Setting) -> str | None:
    """A deployment occupies TP x PP x DP GPUs."""
    if setting.gpus is None or (setting.gpu is not None and setting.gpu.is_cpu):
        return None
    needed = _ranks(candidate) * _width(candidate.parallel.pipeline_parallel)
    if needed <= setting.gpus:
        return None
    return f"tensor x pipeline x data parallel ({needed}) is more than total_gpus ({setting.gpus})"


def heads_divide(candidate: Candidate, setting: Setting) -> str | None:
    """TP splits the attention heads evenly; KV heads are split or copied evenly."""
    width = _width(candidate.parallel.tensor_parallel)
    heads, kv_heads = setting.facts.heads, setting.facts.kv_heads
    if heads is not None and heads % width:
        return f"parallel.tensor_parallel ({width}) does not divide the {heads} attention heads"
    if kv_heads is not None and kv_heads % width and width % kv_heads:
        return f"parallel.tensor_parallel ({width}) does not fit the {kv_heads} KV heads"
    return None


def stages_have_layers(candidate: Candidate, setting: Setting) -> str | None:
    """Each pipeline stage holds a layer at least."""
    stages, layers = _width(candidate.parallel.pipeline_parallel), setting.facts.layers
    if layers is None or stages <= layers:
        return None
    return f"parallel.pipeline_parallel ({stages}) is more than the {layers} layers"


def experts_are_spread(candidate: Candidate, setting: Setting) -> str | None:
    """Expert widths need experts, divide them, and multiply to TP x DP."""
    parallel, facts = candidate.parallel, setting.facts
    moe_tp, moe_ep = parallel.moe_tensor_parallel, parallel.moe_expert_parallel
    ep = moe_ep or parallel.expert_parallel
    if facts.is_moe is False and max(_width(moe_tp), _width(ep)) > 1:
        return "expert widths above 1 on a dense model"
    if parallel.expert_parallel and moe_ep and parallel.expert_parallel != moe_ep:
        return "parallel.expert_parallel and moe_expert_parallel differ"
    if facts.experts and ep and facts.experts % ep:
        return f"moe_expert_parallel ({ep}) does not divide the {facts.experts} experts"
    ranks = _ranks(candidate)
    if facts.is_moe and moe_tp and ep and moe_tp * ep != ranks:
        return f"moe_tensor_parallel x moe_expert_parallel ({moe_tp * ep}) is not TP x DP ({ranks})"
    if facts.is_moe and ep and ranks % ep:
        return f"moe_expert_parallel ({ep}) does not divide TP x DP ({ranks})"
    return None


def blocks_stay_whole(candidate: Candidate, setting: Setting) -> str | None:
    """FP8 blocks are 128 x 128: a slice of an expert has to be a multiple of 128 wide."""
    facts, quantization = setting.facts, candidate.quantization
    inner = facts.moe_intermediate
    if (quantization.moe_mode or facts.moe_format) != "fp8_block" or not inner:
        return None
    ep = candidate.parallel.moe_expert_parallel or candidate.parallel.expert_parallel
    slices = candidate.parallel.moe_tensor_parallel or _ranks(candidate) // _width(ep) or 1
    if inner % slices == 0 and (inner // slices) % 128 == 0:
        return None
    return f"an expert's {inner} columns over {slices} ranks do not keep FP8 blocks of 128 whole"


def gpu_computes_format(candidate: Candidate, setting: Setting) -> str | None:
    """The GPU has to compute in the number formats asked for."""
    gpu, quantization = setting.gpu, candidate.quantization
    if gpu is None:
        return None
    wanted = {
        "quantization.gemm_mode": quantization.gemm_mode,
        "quantization.moe_mode": quantization.moe_mode,
        "quantization.fmha_mode": quantization.fmha_mode,
        "quantization.kvcache_mode": "fp8" if quantization.kvcache_mode == "fp8" else None,
    }
    for path, mode in wanted.items():
        if mode is not None and mode not in gpu.formats:
            able = ", ".join(gpus_with_format(mode)) or "none"
            return f"{path}: {gpu.name} does not compute in {mode!r}; these GPUs do: {able}"
    return None


def drafts_have_layers(candidate: Candidate, setting: Setting) -> str | None:
    """Multi-token prediction drafts with layers that the model brings along."""
    facts = setting.facts
    drafted = candidate.runtime.nextn or candidate.misc.speculative_algorithm == "mtp"
    # Layers of hybrid models are not counted, those for drafting neither.
    if not drafted or facts.mtp_layers != 0 or facts.attention == "hybrid":
        return None
    return "multi-token prediction (runtime.nextn) on a model without MTP layers"


@dataclass(frozen=True)
class DeviceMemory:
    """A GPU's share of weights and KV cache, in GiB.

    Attributes:
        weights_gib: without what is kept in host memory.
        kv_gib_per_token: of a token of a sequence that it serves; 0 where unknown.
        usable_gib: for both.
    """

    weights_gib: float
    kv_gib_per_token: float
    usable_gib: float

    def needed_gib(self, tokens: float) -> float:
        """Weights, and a KV cache of so many tokens."""
        return self.weights_gib + self.kv_gib_per_token * tokens


def device_memory(candidate: Candidate, setting: Setting) -> DeviceMemory | None:
    """What a GPU has to hold; None on a CPU, or where the weights' size is unknown."""
    if setting.memory_gib is None or setting.gpu is None or setting.gpu.is_cpu:
        return None
    quantization, parallel = candidate.quantization, candidate.parallel
    widths = Widths(
        _width(parallel.tensor_parallel),
        _width(parallel.pipeline_parallel),
        _width(parallel.data_parallel),
    )
    facts = setting.facts
    weights = weights_gib_per_gpu(facts, widths, quantization.gemm_mode, quantization.moe_mode)
    if weights is None:
        return None
    weights = max(weights - (candidate.memory.cpu_offload_gb or 0.0), 0.0)
    share = candidate.memory.mem_fraction_static or setting.use.share
    usable = setting.memory_gib * share
    if setting.use.of_free:
        usable = weights + (setting.memory_gib - weights) * share
    per_token = kv_gib_per_gpu(facts, widths, 1, quantization.kvcache_mode) or 0.0
    return DeviceMemory(weights, per_token, usable)


def memory_holds_model(candidate: Candidate, setting: Setting) -> str | None:
    """Weights and the KV cache asked for fit into a GPU's share of the memory.

    The cache has to hold one longest request, max_total_tokens, and with some engines one sequence
    of the served length.
    """
    memory = device_memory(candidate, setting)
    if memory is None:
        return None
    for tokens, what in _tokens_to_hold(candidate, setting):
        if (needed := memory.needed_gib(tokens)) > memory.usable_gib:
            return (
                f"weights and {what} need {needed:.0f} GiB per GPU, "
                f"mem_fraction_static leaves {memory.usable_gib:.0f} GiB"
            )
    return None


_WIDTHS = (
    "parallel.tensor_parallel",
    "parallel.pipeline_parallel",
    "parallel.data_parallel",
)
_LENGTHS = ("memory.max_total_tokens", "memory.max_model_len", *POSITIONS)
_EXPERTS = (
    "parallel.expert_parallel",
    "parallel.moe_tensor_parallel",
    "parallel.moe_expert_parallel",
)
_FORMATS = ("quantization.gemm_mode", "quantization.moe_mode", "quantization.kvcache_mode")
RULES: tuple[Rule, ...] = (
    Rule(
        context_holds_workload,
        (
            *_LENGTHS,
            "scheduling.max_running_requests",
        ),
    ),
    Rule(length_is_known, _LENGTHS),
    Rule(scaling_is_whole, POSITIONS),
    Rule(totals_agree, _LENGTHS),
    Rule(
        chunk_within_batch,
        (
            "attention.chunked_prefill_size",
            "scheduling.max_num_batched_tokens",
        ),
    ),
    Rule(gpus_suffice, _WIDTHS),
    Rule(heads_divide, ("parallel.tensor_parallel",)),
    Rule(stages_have_layers, ("parallel.pipeline_parallel",)),
    Rule(
        experts_are_spread,
        (
            *_WIDTHS,
            *_EXPERTS,
        ),
    ),
    Rule(
        blocks_stay_whole,
        (
            *_WIDTHS,
            *_EXPERTS,
            "quantization.moe_mode",
        ),
    ),
    Rule(
        gpu_computes_format,
        (
            *_FORMATS,
            "quantization.fmha_mode",
        ),
    ),
    Rule(drafts_have_layers, ("runtime.nextn", "misc.speculative_algorithm")),
    Rule(
        memory_holds_model,
        (
            *_WIDTHS,
            *_FORMATS,
            *_LENGTHS,
            "memory.cpu_offload_gb",
            "memory.mem_fraction_static",
        ),
    ),
)


def _width(value: int | None) -> int:
    return value or 1


def _ranks(candidate: Candidate) -> int:
    """TP x DP: the ranks over which experts are spread."""
    parallel = candidate.parallel
    return _width(parallel.tensor_parallel) * _width(parallel.data_parallel)


def _context(candidate: Candidate, setting: Setting) -> int | None:
    """Tokens that the model knows, or is said to know."""
    return known_positions(candidate, setting.facts)


def _limits(candidate: Candidate, setting: Setting) -> list[tuple[int, str]]:
    """Every limit on the tokens of one sequence, and what says it."""
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    known = _context(candidate, setting)
    served = [(longest, "memory.max_model_len")] if longest is not None else []
    if not setting.slots_share_context:
        served = served or ([(known, "the model's context")] if known is not None else [])
        return [*served, *([(total, "memory.max_total_tokens")] if total is not None else [])]
    # One context is cut into slots: what is said first of these is its size.
    over, slots = "over scheduling.max_running_requests", _slots(candidate, setting)
    if total is not None:
        return [(total // slots, f"memory.max_total_tokens {over}")]
    return served or ([(known // slots, f"the model's context {over}")] if known else [])


def _tokens_to_hold(candidate: Candidate, setting: Setting) -> list[tuple[int, str]]:
    """Tokens that the KV cache has to hold at once, and what asks for them, the fewest first."""
    asked = [(setting.largest_request_tokens, "one request")]
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    known = _context(candidate, setting)
    if total is not None:
        asked.append((total, f"memory.max_total_tokens ({total})"))
    if setting.use.holds_longest and longest is not None:
        asked.append((longest, f"one sequence of memory.max_model_len ({longest})"))
    elif setting.use.holds_longest and known is not None:
        asked.append(
            (
                known,
                f"one sequence of the model's context ({known}; memory.max_model_len lowers it)",
            )
        )
    return sorted(asked)


def _slots(candidate: Candidate, setting: Setting) -> int:
    if not setting.slots_share_context:
        return 1
    slots = candidate.scheduling.max_running_requests
    return slots or int(setting.defaults.get("scheduling.max_running_requests", 1))
