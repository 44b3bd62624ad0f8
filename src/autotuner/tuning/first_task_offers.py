"""The settings that a first search is about, and the values of each that it tries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.engines import engine_table
from autotuner.profiles import TaskContext
from autotuner.tuning.first_task_asked import Asked

SEQUENCES = "scheduling.max_running_requests"
_MARGIN = 64
"""Tokens beside a request's own: those of the chat template, and that nothing is cut short."""
_STEP = 256


@dataclass(frozen=True)
class Offer:
    """Values of one setting for a first search; a single one is fixed, none leaves it out.

    What an engine's file says of the setting (`first_task`) stands in place of them.
    """

    path: str
    why: str
    values: Callable[[Asked, TaskContext], Sequence[Any]]


def powers(most: int) -> list[int]:
    """The powers of two up to `most`."""
    return [1 << n for n in range(most.bit_length()) if 1 << n <= most]


def _widths(asked: Asked, _: TaskContext) -> list[int]:
    return powers(asked.gpus) if asked.gpus > 1 else []


def _experts(asked: Asked, context: TaskContext) -> list[int]:
    return [1, *powers(asked.gpus)[-1:]] if asked.gpus > 1 and context.model_is_moe else []


def _weights(asked: Asked, context: TaskContext) -> list[str]:
    if asked.on_cpu or context.model_is_quantized is not False:
        return []
    return ["bfloat16", "fp8"] if context.supports("fp8") else []


def _cache(asked: Asked, context: TaskContext) -> list[str]:
    return ["bfloat16", "fp8"] if not asked.on_cpu and context.supports("fp8") else []


def _length(asked: Asked, context: TaskContext) -> list[int]:
    longest = asked.isl + asked.osl
    wanted = -(-(longest + _MARGIN) // _STEP) * _STEP
    context_length = context.model_facts.context_length
    return [wanted if context_length is None else max(min(wanted, context_length), longest)]


def _sequences(asked: Asked, _: TaskContext) -> list[int]:
    return [4, 16] if asked.on_cpu else [64, 256]


def _step_tokens(asked: Asked, _: TaskContext) -> list[int]:
    small, large = (512, 2048) if asked.on_cpu else (2048, 8192)
    whole_prompt = -(-(asked.isl + _MARGIN) // _STEP) * _STEP
    return sorted({max(small, min(whole_prompt, large)), max(large, whole_prompt)})


def _threads(asked: Asked, _: TaskContext) -> list[int]:
    counts = "misc.threads" in engine_table(asked.engine).machine
    if not counts or not asked.on_cpu:
        return []
    return sorted({max(asked.cores // 2, 1), asked.cores})


def _none(_: Asked, __: TaskContext) -> list[Any]:
    """Nothing, but where an engine's file says otherwise."""
    return []


OFFERS = (
    Offer("parallel.tensor_parallel", "GPUs that share each layer", _widths),
    Offer("parallel.data_parallel", "replicas of the attention layers", _widths),
    Offer("parallel.moe_expert_parallel", "GPUs over which whole experts are spread", _experts),
    Offer("quantization.gemm_mode", "number format of the weights", _weights),
    Offer("quantization.kvcache_mode", "number format of the KV cache", _cache),
    Offer("memory.max_model_len", "longest request, tokens", _length),
    Offer(SEQUENCES, "requests decoded together", _sequences),
    Offer("scheduling.max_num_batched_tokens", "tokens of a step at the most", _step_tokens),
    Offer("attention.chunked_prefill_size", "tokens of a prompt in a step", _none),
    Offer("attention.backend", "needed for a quantised KV cache", _none),
    Offer("misc.threads", "CPU threads", _threads),
    Offer("misc.dtype", "the CPU's format", _none),
    Offer("misc.cuda_graph", "there is no GPU", _none),
    Offer("misc.torch_compile", "starts sooner", _none),
)
