"""Where the time of an operating point goes: TTFT and TPOT by the parts of a pass. Pure.

A mean over requests passes in steps of two kinds, with prompts and without. So much of it as passes
in one kind is split as a step of that kind is.
"""

from __future__ import annotations

from collections.abc import Mapping

from autotuner.config import Candidate
from autotuner.predict.closed_loop import Settled
from autotuner.predict.roofline.step import PassParts
from autotuner.predict.time_parts import TimeParts

FORMATS: Mapping[str, str] = {
    "dense_read": "gemm_mode",
    "dense_compute": "gemm_mode",
    "experts_read": "moe_mode",
    "experts_compute": "moe_mode",
    "kv_read": "kvcache_mode",
    "decode_attention": "fmha_mode",
    "prompt_attention": "fmha_mode",
}
"""Part -> the field of `quantization` that its speed depends on."""

REQUEST = "request"
"""HTTP, tokenising and queueing of a request, beside the passes."""


def time_parts(
    candidate: Candidate,
    settled: Settled,
    *,
    decode: PassParts,
    prefill: PassParts,
    request_ms: float,
) -> TimeParts:
    """The parts of a loop that has settled.

    Args:
        decode, prefill: a step without and with prompts, as it settled.
        request_ms: of each request, beside the passes.
    """
    names = _names(candidate)
    ttft_ms = _mixed(names, prefill, decode, settled.ttft_in_decoding, 1000 * settled.ttft_s)
    tpot_ms = _mixed(names, decode, prefill, settled.tpot_in_prompts, 1000 * settled.tpot_s)
    return TimeParts({**ttft_ms, REQUEST: request_ms} if request_ms else ttft_ms, tpot_ms)


def with_waiting(parts: TimeParts, waiting_ms: float, osl: float) -> TimeParts:
    """The parts where a request waits for others to end first: TTFT grows by parts of theirs."""
    if waiting_ms <= 0:
        return parts
    later = max(osl - 1, 0.0)
    ended = {name: later * ms for name, ms in parts.tpot_ms.items()}
    for name, ms in parts.ttft_ms.items():
        ended[name] = ended.get(name, 0.0) + ms
    share = waiting_ms / sum(ended.values())
    ttft_ms = {name: share * ms + parts.ttft_ms.get(name, 0.0) for name, ms in ended.items()}
    return TimeParts(ttft_ms, parts.tpot_ms)


def with_unseen_steps(parts: TimeParts, steps: float) -> TimeParts:
    """The parts where a request is seen so many tokens of the others after it came."""
    if not steps:
        return parts
    ttft_ms = dict(parts.ttft_ms)
    for name, ms in parts.tpot_ms.items():
        ttft_ms[name] = ttft_ms.get(name, 0.0) + steps * ms
    return TimeParts(ttft_ms, parts.tpot_ms)


def _names(candidate: Candidate) -> tuple[str, ...]:
    formats = {
        part: getattr(candidate.quantization, field) or "" for part, field in FORMATS.items()
    }
    return tuple(
        f"{part}:{formats[part]}" if formats.get(part) else part for part in PassParts._fields
    )


def _mixed(
    names: tuple[str, ...], most: PassParts, some: PassParts, share: float, total_ms: float
) -> dict[str, float]:
    """`total_ms` by parts, where `share` of it passes in steps like `some`."""
    of_most = total_ms * (1 - share) / sum(most)
    of_some = total_ms * share / sum(some)
    parts = (
        (name, one * of_most + other * of_some)
        for name, one, other in zip(names, most, some, strict=True)
    )
    return {name: ms for name, ms in parts if ms > 0}
