"""Disaggregated serving: some workers only prefill, others only decode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import Candidate, LoadLevel
from autotuner.predict.aiconfigurator import host
from autotuner.predict.aiconfigurator.answers import LOG_STD, MODES, Mode, Refusal
from autotuner.predict.aiconfigurator.installation import reason
from autotuner.predict.aiconfigurator.questions import (
    Layout,
    UnaskableError,
    asked_names,
    question,
    source,
)
from autotuner.predict.closed_loop import tok_s, ttft_at_rate_ms
from autotuner.predict.predictor import OutOfMemory, Prediction, Scenario

_OF_A_SIDE = (
    *("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size"),
    *("free_gpu_memory_fraction", "max_seq_len"),
)


@dataclass(frozen=True)
class DisaggWorkers:
    """`count` equal workers in the layout of `candidate`, each with `batch` requests per rank."""

    candidate: Candidate
    batch: int
    count: int = 1


def disagg_estimate(
    scenario: Scenario,
    prefill: DisaggWorkers,
    decode: DisaggWorkers,
    concurrency: int | None = None,
    modes: Sequence[Mode] = MODES,
) -> Prediction | OutOfMemory | Refusal:
    """Latencies of prefill and decode workers for users, in the first mode that answers.

    Formats are those of `decode`, whose candidate the prediction names. Where the workers pass on
    fewer requests than Little's law asks of them, users wait: throughput is then the workers', and
    TTFT what the law leaves for it.

    Args:
        concurrency: requests in flight; as many as the decode workers hold where left out.

    Raises:
        EngineError: aiconfigurator is not installed.
    """
    try:
        sides = [
            question(workers.candidate, scenario, *asked_names(scenario)).layout
            for workers in (prefill, decode)
        ]
    except UnaskableError as problem:
        return Refusal(str(problem))
    arguments = _arguments(prefill, "prefill", sides[0]) | _arguments(decode, "decode", sides[1])
    reasons = []
    for mode in modes:
        try:
            found = host.estimate(sides[1], mode, mode="disagg", **arguments)
        except host.ESTIMATE_ERRORS as error:
            if str(error).startswith("OOM"):
                return OutOfMemory(f"a worker does not hold its batch: {reason(error)}")
            reasons.append(f"{mode}: {reason(error)}")
        else:
            users = concurrency or round(found.raw["concurrency"])
            return _prediction(scenario, decode.candidate, users, found, mode)
    return Refusal("; ".join(reasons))


def _arguments(workers: DisaggWorkers, role: str, layout: Layout) -> dict[str, Any]:
    own = {f"{role}_{name}": getattr(layout, name) for name in _OF_A_SIDE}
    return own | {f"{role}_batch_size": workers.batch, f"{role}_num_workers": workers.count}


def _prediction(
    scenario: Scenario, candidate: Candidate, concurrency: int, found: Any, mode: Mode
) -> Prediction:
    ttft_ms, tpot_ms, osl = float(found.ttft), float(found.tpot), scenario.osl
    at_rate_ms = ttft_at_rate_ms(concurrency, float(found.raw["seq/s"]), tpot_ms, osl)
    waits = at_rate_ms > ttft_ms
    ttft_ms = max(ttft_ms, at_rate_ms)
    ttft_std, tpot_std, tok_s_std = LOG_STD[mode]
    return Prediction(
        candidate_id=candidate.id,
        load=LoadLevel.concurrency(concurrency),
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s(concurrency, ttft_ms, tpot_ms, osl),
        devices=int(found.num_total_gpus),
        osl=osl,
        ttft_log_std=ttft_std,
        tpot_log_std=tpot_std,
        tok_s_log_std=tok_s_std,
        source=source(scenario, found.backend_version, mode),
        memory_gib=max(float(found.raw["(p)memory"]), float(found.raw["(d)memory"])),
        note="the workers pass on fewer requests than users send" if waits else "",
    )
