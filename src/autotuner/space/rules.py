"""Feasibility rules: each says why a candidate cannot work, or nothing.

A rule knows the candidate and the `Setting` it would run in; it is pure. The reason is short and
the same for equal causes, since exclusions are counted by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autotuner.catalog import GIB, ModelFacts
from autotuner.config import Candidate

Rule = Callable[[Candidate, "Setting"], str | None]


@dataclass(frozen=True)
class Setting:
    """What candidates are judged against.

    Attributes:
        largest_request_tokens: input + output of the longest request of the workload.
        defaults: the engine's values for fields that a candidate leaves out.
        memory_gib: of the device; None where unknown.
    """

    largest_request_tokens: int
    defaults: dict[str, Any]
    facts: ModelFacts
    memory_gib: float | None


def tokens_per_slot(candidate: Candidate, setting: Setting) -> int | None:
    """Tokens that one sequence may hold; None where neither task nor model says."""
    if candidate.memory.max_total_tokens is not None:
        return candidate.memory.max_total_tokens // _slots(candidate, setting)
    if candidate.memory.max_model_len is not None:
        return candidate.memory.max_model_len
    if setting.facts.context_length is not None:
        return setting.facts.context_length // _slots(candidate, setting)
    return None


def kv_cache_gib(candidate: Candidate, setting: Setting) -> float | None:
    """GiB of the KV cache of all slots, in the candidate's KV-cache format (float16 where none)."""
    tokens = tokens_per_slot(candidate, setting)
    per_token = setting.facts.kv_bytes_per_token(candidate.quantization.kvcache_mode)
    if tokens is None or per_token is None:
        return None
    return per_token * tokens * _slots(candidate, setting) / GIB


def context_holds_workload(candidate: Candidate, setting: Setting) -> str | None:
    """A sequence has to hold isl + osl."""
    tokens = tokens_per_slot(candidate, setting)
    if tokens is None or tokens >= setting.largest_request_tokens:
        return None
    memory = candidate.memory
    said_by = (
        "memory.max_total_tokens over scheduling.max_running_requests"
        if memory.max_total_tokens is not None
        else "memory.max_model_len"
        if memory.max_model_len is not None
        else "the model's context over scheduling.max_running_requests"
    )
    return f"{said_by} ({tokens}) is smaller than isl + osl ({setting.largest_request_tokens})"


def totals_agree(candidate: Candidate, setting: Setting) -> str | None:
    """max_total_tokens shared by the slots has to hold max_model_len."""
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    if total is None or longest is None or total >= longest:
        return None
    return f"memory.max_total_tokens ({total}) is smaller than memory.max_model_len ({longest})"


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


RULES: tuple[Rule, ...] = (context_holds_workload, totals_agree, chunk_within_batch)


def _slots(candidate: Candidate, setting: Setting) -> int:
    slots = candidate.scheduling.max_running_requests
    return slots or int(setting.defaults.get("scheduling.max_running_requests", 1))
