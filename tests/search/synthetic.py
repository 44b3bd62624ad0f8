"""A made-up engine: smooth, with the trade-offs of a real one, and no noise."""

from __future__ import annotations

import itertools

from autotuner.config import LoadLevel, closed_loops
from autotuner.predict import Prediction
from autotuner.search import (
    Knowledge,
    OperatingPoint,
    Outcome,
    Proposal,
    SearchState,
    as_point,
    strategy_named,
)
from autotuner.search.frontier import normalised_by

LEVELS = closed_loops(1, 4, 16, 64, 256)
TWO = ("tok_s_per_gpu", "tok_s_per_user")
THREE = (*TWO, "ttft_ms")
OSL = 200.0
AXES = {
    "parallel.tensor_parallel": (1, 2, 4, 8),
    "scheduling.max_running_requests": (8, 32, 128, 512),
    "quantization.gemm_mode": ("bfloat16", "fp8"),
    "attention.chunked_prefill_size": (512, 2048, 8192),
    "attention.enable_prefix_caching": (True, False),
}
SETTINGS: dict[str, dict[str, object]] = {
    f"c{number:03}": dict(zip(AXES, values, strict=True))
    for number, values in enumerate(itertools.product(*AXES.values()))
}


def sweep(candidate: str) -> tuple[Prediction, ...]:
    """What the made-up engine measures at every level, in the form of exact predictions."""
    return tuple(_level(candidate, load) for load in LEVELS)


def _level(candidate: str, load: LoadLevel) -> Prediction:
    tp, slots, gemm, chunk, caching = SETTINGS[candidate].values()
    assert isinstance(tp, int)
    assert isinstance(slots, int)
    assert isinstance(chunk, int)
    running = min(load.value, slots)
    speed = tp**0.7 * (1.5 if gemm == "fp8" else 1.0)
    tpot_ms = (20 + 0.25 * running) / speed * (1 + chunk / 40_000)
    wait_ms = tpot_ms * OSL * (load.value / running - 1)
    ttft_ms = 300 / speed * (1 + 400 / chunk) * (1.0 if caching else 1.2) + wait_ms
    return Prediction(
        candidate_id=candidate,
        load=load,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=running * 1000 * OSL / (ttft_ms - wait_ms + tpot_ms * OSL),
        devices=tp,
        osl=OSL,
        ttft_log_std=0.1,
        tpot_log_std=0.1,
        tok_s_log_std=0.1,
        source="exact",
    )


TRUTH: dict[str, tuple[OperatingPoint, ...]] = {
    candidate: tuple(map(as_point, sweep(candidate))) for candidate in SETTINGS
}
EXACT = Knowledge({candidate: sweep(candidate) for candidate in SETTINGS})


def completed(candidate: str) -> Outcome:
    """What launching it measures."""
    return Outcome(candidate, "completed", TRUTH[candidate])


def launches(
    strategy: str, state: SearchState, truth: dict[str, Outcome] | None = None
) -> list[Proposal]:
    """What a strategy launches from `state` on, each finished before the next."""
    made: list[Proposal] = []
    while isinstance(choice := strategy_named(strategy).propose(state), Proposal):
        made.append(choice)
        measured = (truth or {}).get(choice.candidate_id) or completed(choice.candidate_id)
        history = (*state.history, measured)
        state = SearchState(
            **{**vars(state), "history": history, "spent_experiments": len(history)}
        )
    return made


def share_found(made: list[Proposal], objectives: tuple[str, ...]) -> float:
    """Hypervolume of what was launched over that of the whole space."""
    everything = [point for points in TRUTH.values() for point in points]
    scale = normalised_by(everything, objectives)
    found = [point for choice in made for point in TRUTH[choice.candidate_id]]
    return scale.volume(scale.vectors(found)) / scale.volume(scale.vectors(everything))
