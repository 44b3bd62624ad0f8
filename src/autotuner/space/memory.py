"""Whether weights and KV cache fit into a GPU, and what would make them fit. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autotuner.catalog import DeviceMemory, device_memory
from autotuner.config import Candidate
from autotuner.space.context import WIDTHS, SpaceContext, Works, known_length, width

_TP, _PP, _DP = WIDTHS
_LONGEST, _TOTAL = "memory.max_model_len", "memory.max_total_tokens"
_SHARE = "memory.mem_fraction_static"
_LARGEST_SHARE = 0.95
"""Of a GPU's memory that is offered: the rest is the driver's."""
_PAGE = 16
_WIDEST = 64
"""GPUs of the largest deployment that is offered."""
_OFFERED = 2


@dataclass(frozen=True)
class Shortfall:
    """The part that does not fit.

    Attributes:
        tokens: that the KV cache has to hold.
        what: asks for them, in words.
        field: that asks for them and can be lowered; None for one request of the workload.
    """

    memory: DeviceMemory
    tokens: int
    what: str
    field: str | None

    @property
    def missing_gib(self) -> float:
        """Memory per GPU that weights and KV cache lack."""
        return self.memory.needed_gib(self.tokens) - self.memory.usable_gib

    def text(self, candidate: Candidate, context: SpaceContext) -> str:
        """The memory that is needed, and that there is."""
        memory, share = self.memory, candidate.memory.mem_fraction_static
        cache = memory.cache_gib(self.tokens)
        needed = memory.needed_gib(self.tokens)
        gpu = "a GPU" if context.gpu is None else context.gpu.name
        has = f"{context.engine} has {memory.usable_gib:.1f}"
        if share is not None:
            has = f"memory.mem_fraction_static {share:g} leaves {context.engine} "
            has += f"{memory.usable_gib:.1f}"
        return (
            f"weights and {self.what} need {needed:.1f} GiB per GPU, {cache:.2f} GiB of it KV "
            f"cache; {has} GiB of the {context.memory_gib or 0:.1f} GiB of {gpu} for them"
        )


@dataclass(frozen=True)
class Remedy:
    """A change that makes a candidate fit.

    Attributes:
        changes: `group.field` -> value.
        gpus: that it takes, where that is more than there are.
    """

    text: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    gpus: int | None = None


def candidate_memory(candidate: Candidate, context: SpaceContext) -> DeviceMemory | None:
    """The memory that a GPU has to hold; None on a CPU, or where the weights' size is unknown."""
    return _memory(context, candidate.settings())


def shortfall(candidate: Candidate, context: SpaceContext) -> Shortfall | None:
    """The part of weights and KV cache that does not fit into a GPU's share of the memory.

    The cache has to hold one longest request, max_total_tokens, and with some engines one sequence
    of the served length.
    """
    memory = candidate_memory(candidate, context)
    if memory is None:
        return None
    for tokens, what, path in _tokens_to_hold(candidate, context):
        if memory.needed_gib(tokens) > memory.usable_gib:
            return Shortfall(memory, tokens, what, path)
    return None


def memory_reason(candidate: Candidate, context: SpaceContext, works: Works) -> str | None:
    """Why it does not fit and what would; None where it fits.

    Args:
        works: whether a changed candidate breaks no rule.
    """
    short = shortfall(candidate, context)
    if short is None:
        return None
    text = short.text(candidate, context)
    ways = [remedy.text for remedy in remedies(short, candidate, context, works)]
    return f"{text}; {', or '.join(ways)}" if ways else text


def remedies(
    short: Shortfall,
    candidate: Candidate,
    context: SpaceContext,
    works: Works,
    *,
    most: int = _OFFERED,
) -> tuple[Remedy, ...]:
    """Changes that make a candidate fit, up to so many, the smallest first; each was tried."""
    settings = candidate.settings()
    found: list[Remedy] = []
    for remedy in _offers(short, settings, context):
        if _TP in remedy.changes and any(_TP in other.changes for other in found):
            continue
        changed = Candidate.from_settings({**settings, **remedy.changes})
        where = context if remedy.gpus is None else replace(context, gpus=remedy.gpus)
        if works(changed, where):
            found.append(remedy)
        if len(found) == most:
            break
    return tuple(found)


def _offers(
    short: Shortfall, settings: Mapping[str, Any], context: SpaceContext
) -> Iterator[Remedy]:
    """Changes that may help, those first that cost least; what surely does not help is left out."""
    memory = short.memory
    if short.field is not None and memory.kv_gib_per_token and memory.room_gib > 0:
        tokens = int(memory.longest_sequence) // _PAGE * _PAGE
        if tokens >= context.largest_request_tokens:
            yield Remedy(f"{short.field} of {tokens} or less fits", {short.field: tokens})
    share = _share_that_holds(short, context)
    if settings.get(_SHARE) is not None and share is not None:
        yield Remedy(f"{_SHARE} of {share:g} or more fits", {_SHARE: share})
    own = settings.get(_TP) or 1
    beside = width(settings.get(_PP)) * width(settings.get(_DP))
    for wider in _powers(own, (context.gpus or 0) // beside):
        if _holds(short, context, {**settings, _TP: wider}):
            yield Remedy(f"{_TP} {wider} fits", {_TP: wider})
            break
    yield from _narrower(short, settings, context)
    yield from _more_gpus(short, settings, context)


def _share_that_holds(short: Shortfall, context: SpaceContext) -> float | None:
    """The share of the memory that would do, in hundredths; None where none would."""
    if not context.memory_gib or context.use.of_free:
        return None
    needed = short.memory.needed_gib(short.tokens)
    needed += short.memory.working_gib if context.use.within else 0.0
    share = math.ceil(100 * needed / context.memory_gib) / 100
    return share if share <= _LARGEST_SHARE else None


def _narrower(
    short: Shortfall, settings: Mapping[str, Any], context: SpaceContext
) -> Iterator[Remedy]:
    """Weights and KV cache in FP8: of 16-bit checkpoints, on GPUs that compute in it."""
    facts, gpu = context.facts, context.gpu
    if gpu is None or "fp8" not in gpu.formats:
        return
    weights = {"quantization.gemm_mode": "fp8"}
    if facts.is_moe:
        weights["quantization.moe_mode"] = "fp8"
    plain = {facts.gemm_format or "bfloat16", facts.moe_format or "bfloat16"} == {"bfloat16"}
    free = plain and "fp8" in context.online and not any(settings.get(path) for path in weights)
    if free and _holds(short, context, {**settings, **weights}):
        yield Remedy("weights in FP8 (quantization.gemm_mode fp8) fit", weights)
    cache = {"quantization.kvcache_mode": "fp8"}
    wide = settings.get("quantization.kvcache_mode") in (None, "bfloat16", "float16")
    if wide and "fp8" in context.cache_modes and _holds(short, context, {**settings, **cache}):
        yield Remedy("a KV cache in FP8 (quantization.kvcache_mode fp8) fits", cache)


def _more_gpus(
    short: Shortfall, settings: Mapping[str, Any], context: SpaceContext
) -> Iterator[Remedy]:
    """The smallest deployments that hold it, by tensor and then by pipeline parallelism."""
    name = "GPUs" if context.gpu is None else f"x {context.gpu.name}"
    data, there = width(settings.get(_DP)), context.gpus or 0
    shapes = [
        (tensor * stages * data, stages, tensor)
        for stages in (1, *_powers(1, 16))
        for tensor in (1, *_powers(1, _WIDEST))
        if tensor * stages * data <= _WIDEST
    ]
    for gpus, stages, tensor in sorted(shapes):
        changes = {_TP: tensor} if stages == 1 else {_TP: tensor, _PP: stages}
        if _holds(short, context, {**settings, **changes}):
            widths = ", ".join(f"{path} {value}" for path, value in changes.items())
            text = f"{gpus} {name} hold it ({widths})"
            if gpus > there:
                text = f"needs {gpus} {name} ({widths})"
            yield Remedy(text, changes, gpus if gpus > there else None)


def _holds(short: Shortfall, context: SpaceContext, settings: Mapping[str, Any]) -> bool:
    memory = _memory(context, settings)
    return memory is not None and memory.needed_gib(short.tokens) <= memory.usable_gib


def _memory(context: SpaceContext, settings: Mapping[str, Any]) -> DeviceMemory | None:
    if context.memory_gib is None or context.gpu is None or context.gpu.is_cpu:
        return None
    return device_memory(context.facts, context.use, context.memory_gib, settings)


def _powers(above: int, most: int) -> list[int]:
    """Powers of two above one number and up to another."""
    return [2**n for n in range(most.bit_length()) if above < 2**n <= most]


def _tokens_to_hold(
    candidate: Candidate, context: SpaceContext
) -> list[tuple[int, str, str | None]]:
    """Tokens that the KV cache has to hold at once, what asks for them, and the field that does;
    the fewest first."""
    asked: list[tuple[int, str, str | None]]
    asked = [(context.largest_request_tokens, "one request", None)]
    total, longest = candidate.memory.max_total_tokens, candidate.memory.max_model_len
    known = known_length(candidate, context)
    if total is not None:
        asked.append((total, f"{_TOTAL} ({total})", _TOTAL))
    if context.use.holds_longest and longest is not None:
        asked.append((longest, f"one sequence of {_LONGEST} ({longest})", _LONGEST))
    elif context.use.holds_longest and known is not None:
        asked.append((known, f"one sequence of the model's context ({known})", _LONGEST))
    return sorted(asked, key=lambda one: one[0])
