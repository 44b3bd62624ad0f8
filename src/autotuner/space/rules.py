"""Feasibility rules: each says why a candidate cannot work, or nothing.

A rule knows the candidate and the `SpaceContext` it would run in; it is pure. The reason is short
and the same for equal causes, since exclusions are counted by it.
"""

from __future__ import annotations

from autotuner.catalog import GIB, MEMORY_READS, gpus_with_format
from autotuner.config import EXPERT_WIDTHS, Candidate, whole_replicas
from autotuner.space.blocks import blocks_reason, cut_matrix
from autotuner.space.context import (
    WIDTHS,
    FeasibilityRule,
    SpaceContext,
    expert_ranks,
    known_length,
    ranks,
    width,
)
from autotuner.space.memory import memory_reason, shortfall
from autotuner.space.positions import POSITIONS, partial_rope_scaling
from autotuner.space.requirements import requirement_rules

_TP = WIDTHS[0]
_WIDEST = 64
"""Tensor parallelism that is looked at for one that works."""
STORED = "fp8_e5m2"
"""FP8 of a KV cache that every GPU can store: it is turned into 16 bits when it is read."""


def tokens_per_slot(candidate: Candidate, context: SpaceContext) -> int | None:
    """Tokens that one sequence may hold; None where neither task nor model says."""
    limits = _limits(candidate, context)
    return min(limits)[0] if limits else None


def kv_cache_gib(candidate: Candidate, context: SpaceContext) -> float | None:
    """GiB of the KV cache of all slots, in the candidate's KV-cache format (float16 where none)."""
    tokens = tokens_per_slot(candidate, context)
    per_token = context.facts.kv_bytes_per_token(candidate.quantization.kvcache_mode)
    if tokens is None or per_token is None:
        return None
    return per_token * tokens * _slots(candidate, context) / GIB


def context_holds_workload(candidate: Candidate, context: SpaceContext) -> str | None:
    """A sequence has to hold isl + osl."""
    limits = _limits(candidate, context)
    if not limits or min(limits)[0] >= context.largest_request_tokens:
        return None
    tokens, source = min(limits)
    return f"{source} ({tokens}) is smaller than isl + osl ({context.largest_request_tokens})"


def length_is_known(candidate: Candidate, context: SpaceContext) -> str | None:
    """No sequence is served that is longer than what the model knows."""
    longest, known = candidate.memory.max_model_len, known_length(candidate, context)
    if context.use.stretches_context or longest is None or known is None or longest <= known:
        return None
    return (
        f"memory.max_model_len ({longest}) is more than the model's context ({known}), which "
        "scaled positions can stretch (misc.rope_scaling); further ones were never trained"
    )


def scaling_is_whole(candidate: Candidate, context: SpaceContext) -> str | None:
    """A scaling of positions needs its factor and the length that it starts from."""
    return partial_rope_scaling(candidate)


def totals_agree(candidate: Candidate, context: SpaceContext) -> str | None:
    """max_total_tokens has to hold a sequence of max_model_len, or of what is served without it."""
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    if longest is not None:
        source = "memory.max_model_len"
    else:
        longest = known_length(candidate, context) if context.use.holds_longest else None
        source = "the model's context, which memory.max_model_len can lower"
    if total is None or longest is None or total >= longest:
        return None
    return f"memory.max_total_tokens ({total}) is smaller than {source} ({longest})"


def chunk_within_batch(candidate: Candidate, context: SpaceContext) -> str | None:
    """A prefill chunk cannot be larger than the step that holds it."""
    chunk = candidate.attention.chunked_prefill_size
    batch = candidate.scheduling.max_num_batched_tokens
    if chunk is None or batch is None or chunk <= batch:
        return None
    return (
        f"attention.chunked_prefill_size ({chunk}) is larger than "
        f"scheduling.max_num_batched_tokens ({batch})"
    )


def gpus_suffice(candidate: Candidate, context: SpaceContext) -> str | None:
    """A deployment occupies TP x PP x DP GPUs."""
    if context.gpus is None or (context.gpu is not None and context.gpu.is_cpu):
        return None
    needed = ranks(candidate) * width(candidate.parallel.pipeline_parallel)
    if needed <= context.gpus:
        return None
    return f"tensor x pipeline x data parallel ({needed}) is more than total_gpus ({context.gpus})"


def heads_divide(candidate: Candidate, context: SpaceContext) -> str | None:
    """TP splits the attention heads evenly; KV heads are split or copied evenly."""
    wrong = heads_are_uneven(candidate, context)
    if wrong is None:
        return None
    settings, most = candidate.settings(), min(context.gpus or 1, _WIDEST)
    works = [
        str(tensor)
        for tensor in range(1, most + 1)
        if feasible(Candidate.from_settings({**settings, _TP: tensor}), context)
    ]
    return f"{wrong}; these work: {', '.join(works)}" if works else wrong


def heads_are_uneven(candidate: Candidate, context: SpaceContext) -> str | None:
    """The same, without the widths that work."""
    tensor = width(candidate.parallel.tensor_parallel)
    heads, kv_heads = context.facts.heads, context.facts.kv_heads
    if heads is not None and heads % tensor:
        return f"{_TP} ({tensor}) does not divide the {heads} attention heads"
    if kv_heads is not None and kv_heads % tensor and tensor % kv_heads:
        return f"{_TP} ({tensor}) does not fit the {kv_heads} KV heads"
    return None


def stages_have_layers(candidate: Candidate, context: SpaceContext) -> str | None:
    """Each pipeline stage holds a layer at least."""
    stages, layers = width(candidate.parallel.pipeline_parallel), context.facts.layers
    if layers is None or stages <= layers:
        return None
    return f"parallel.pipeline_parallel ({stages}) is more than the {layers} layers"


def experts_are_spread(candidate: Candidate, context: SpaceContext) -> str | None:
    """Expert widths need experts, divide them, and multiply to TP x DP, or to TP of replicas."""
    parallel, facts = candidate.parallel, context.facts
    moe_tp, moe_ep = parallel.moe_tensor_parallel, parallel.moe_expert_parallel
    ep = moe_ep or parallel.expert_parallel
    replicas = whole_replicas(candidate.get) and context.split.whole_replicas
    if facts.is_moe is False and max(width(moe_tp), width(ep)) > 1 and not replicas:
        return "expert widths above 1 on a dense model"
    if parallel.expert_parallel and moe_ep and parallel.expert_parallel != moe_ep:
        return "parallel.expert_parallel and moe_expert_parallel differ"
    if facts.experts and ep and facts.experts % ep:
        return f"moe_expert_parallel ({ep}) does not divide the {facts.experts} experts"
    every = expert_ranks(candidate) if replicas else ranks(candidate)
    if facts.is_moe and moe_tp and ep and moe_tp * ep != every:
        return f"moe_tensor_parallel x moe_expert_parallel ({moe_tp * ep}) is not TP x DP ({every})"
    if facts.is_moe and ep and every % ep:
        return f"moe_expert_parallel ({ep}) does not divide TP x DP ({every})"
    return None


def gpu_computes_format(candidate: Candidate, context: SpaceContext) -> str | None:
    """The GPU has to compute in the number formats asked for."""
    gpu, quantization = context.gpu, candidate.quantization
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
            reason = f"{path}: {gpu.name} does not compute in {mode!r}"
            if path == "quantization.kvcache_mode" and STORED in context.cache_modes:
                reason += f", but can store {STORED}"
            return f"{reason}; these GPUs do: {able}"
    return None


def drafts_have_layers(candidate: Candidate, context: SpaceContext) -> str | None:
    """Multi-token prediction drafts with layers that the model brings along."""
    facts = context.facts
    drafted = candidate.runtime.nextn or candidate.misc.speculative_algorithm == "mtp"
    # Layers of hybrid models are not counted, those for drafting neither.
    if not drafted or facts.mtp_layers != 0 or facts.attention == "hybrid":
        return None
    return "multi-token prediction (runtime.nextn) on a model without MTP layers"


def memory_holds_model(candidate: Candidate, context: SpaceContext) -> str | None:
    """Weights and the KV cache asked for fit into a GPU's share of the memory."""
    return memory_reason(candidate, context, feasible)


def _does_not_fit(candidate: Candidate, context: SpaceContext) -> str | None:
    return None if shortfall(candidate, context) is None else "it does not fit"


def matrices_split(candidate: Candidate, context: SpaceContext) -> str | None:
    """Ranks share a matrix in equal parts, and in whole blocks of FP8 and groups of integers."""
    return blocks_reason(candidate, context, feasible)


_LENGTHS = ("memory.max_total_tokens", "memory.max_model_len", *POSITIONS)
_FORMATS = ("quantization.gemm_mode", "quantization.moe_mode", "quantization.kvcache_mode")
RULES: tuple[FeasibilityRule, ...] = (
    FeasibilityRule(
        context_holds_workload,
        (
            *_LENGTHS,
            "scheduling.max_running_requests",
        ),
        name="a sequence holds the longest request",
    ),
    FeasibilityRule(length_is_known, _LENGTHS, name="the model knows the served length"),
    FeasibilityRule(scaling_is_whole, POSITIONS, name="scaled positions are complete"),
    FeasibilityRule(
        totals_agree, _LENGTHS, name="the KV cache holds one sequence of the served length"
    ),
    FeasibilityRule(
        chunk_within_batch,
        (
            "attention.chunked_prefill_size",
            "scheduling.max_num_batched_tokens",
        ),
        name="a prefill chunk fits into a step",
    ),
    FeasibilityRule(gpus_suffice, WIDTHS, name="there are enough GPUs"),
    FeasibilityRule(
        heads_divide,
        (_TP,),
        heads_are_uneven,
        name="tensor parallelism divides the attention heads",
    ),
    FeasibilityRule(
        stages_have_layers, ("parallel.pipeline_parallel",), name="each pipeline stage has a layer"
    ),
    FeasibilityRule(
        experts_are_spread,
        (
            *WIDTHS,
            *EXPERT_WIDTHS,
        ),
        name="expert widths fit the experts and the GPUs",
    ),
    FeasibilityRule(
        matrices_split,
        (
            *WIDTHS,
            *EXPERT_WIDTHS,
            "quantization.gemm_mode",
            "quantization.moe_mode",
        ),
        cut_matrix,
        name="matrices split into equal parts and whole blocks",
    ),
    FeasibilityRule(
        gpu_computes_format,
        (
            *_FORMATS,
            "quantization.fmha_mode",
        ),
        name="the GPU computes in the number format",
    ),
    FeasibilityRule(
        drafts_have_layers,
        ("runtime.nextn", "misc.speculative_algorithm"),
        name="the model has layers for multi-token prediction",
    ),
    FeasibilityRule(
        memory_holds_model,
        (*MEMORY_READS, *_LENGTHS),
        _does_not_fit,
        name="weights and KV cache fit into GPU memory",
    ),
)
"""Rules that hold on every engine."""


def rules_of(context: SpaceContext) -> tuple[FeasibilityRule, ...]:
    """All rules of a context: those that hold everywhere, and what its engine asks for."""
    return (*RULES, *requirement_rules(context))


def feasible(candidate: Candidate, context: SpaceContext) -> bool:
    """Whether a candidate breaks no rule."""
    return not any(rule.breaks(candidate, context) for rule in rules_of(context))


def _limits(candidate: Candidate, context: SpaceContext) -> list[tuple[int, str]]:
    """Every limit on the tokens of one sequence, and what says it."""
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    known = known_length(candidate, context)
    served = [(longest, "memory.max_model_len")] if longest is not None else []
    if not context.slots_share_context:
        served = served or ([(known, "the model's context")] if known is not None else [])
        return [*served, *([(total, "memory.max_total_tokens")] if total is not None else [])]
    # One context is cut into slots: what is said first of these is its size.
    over, slots = "over scheduling.max_running_requests", _slots(candidate, context)
    if total is not None:
        return [(total // slots, f"memory.max_total_tokens {over}")]
    return served or ([(known // slots, f"the model's context {over}")] if known else [])


def _slots(candidate: Candidate, context: SpaceContext) -> int:
    if not context.slots_share_context:
        return 1
    slots = candidate.scheduling.max_running_requests
    return slots or int(context.defaults.get("scheduling.max_running_requests", 1))
