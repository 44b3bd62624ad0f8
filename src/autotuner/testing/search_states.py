"""Searches under way, as Hypothesis draws them: what strategies have to cope with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import strategies as st

from autotuner.predict import Prediction
from autotuner.search import Knowledge, OperatingPoint, Outcome, SearchState

LEVELS = (1, 4, 16)
PRICE = 2.0
_AMOUNT = st.floats(0.5, 5000)
_AXES: dict[str, tuple[object, ...]] = {
    "parallel.tensor_parallel": (1, 2, 4, 8),
    "scheduling.max_running_requests": (1, 8, 64, None),
    "quantization.gemm_mode": ("bfloat16", "fp8", "int4_wo"),
    "attention.enable_chunked_prefill": (True, False),
    "memory.cpu_offload_gb": (0.0, 1.5, 8.0),
    "system.backend": ("vllm", "sglang"),
}
_OBJECTIVES = (
    ("tok_s_per_gpu", "ttft_ms"),
    ("tok_s_per_gpu", "tok_s_per_user", "ttft_ms"),
    ("tok_s_per_gpu",),
    ("usd_per_million_tokens", "e2e_p90_ms"),
)
_NO_FIGURES = (math.nan, math.inf, -math.inf, -3.0, 0.0, 1e-320, 1e308)
_FAILURES = ("out_of_memory", "died_while_loading", "port_taken", "load_errors")


@st.composite
def outcomes(draw: st.DrawFn, candidate_id: str) -> Outcome:
    """A finished experiment of that candidate: measured at some levels, or failed."""
    failed = draw(st.sets(st.sampled_from(LEVELS)) if draw(st.booleans()) else st.just(set()))
    if len(failed) == len(LEVELS) or draw(st.integers(0, 4)) == 4:
        return Outcome(candidate_id, "failed", failure_kind=draw(st.sampled_from(_FAILURES)))
    points = []
    for level in sorted(set(LEVELS) - failed):
        tok_s, per_gpu, per_user, ttft_ms, tpot_ms, e2e_ms = draw(st.tuples(*[_AMOUNT] * 6))
        points.append(
            OperatingPoint(
                *(candidate_id, level, tok_s, per_gpu, per_user, ttft_ms, tpot_ms, e2e_ms),
                usd_per_gpu_hour=PRICE,
            )
        )
    return Outcome(candidate_id, "completed", tuple(points), failed_levels=tuple(sorted(failed)))


@st.composite
def knowledge(draw: st.DrawFn, names: Sequence[str]) -> Knowledge:
    """Predictions of all, some or none; sound, all equal, or with figures that are none."""
    kind = draw(st.sampled_from(["sound", "sound", "equal", "broken", "absent"]))
    predicted = draw(st.sets(st.sampled_from(names))) if draw(st.booleans()) else set(names)
    too_large = draw(st.sets(st.sampled_from(names))) if draw(st.booleans()) else set[str]()
    figures = {
        "absent": st.nothing(),
        "sound": st.tuples(_AMOUNT, _AMOUNT, _AMOUNT),
        "equal": st.just((100.0, 10.0, 400.0)),
        "broken": st.tuples(*[st.sampled_from(_NO_FIGURES) | _AMOUNT] * 3),
    }[kind]
    return Knowledge(
        predictions={
            name: tuple(_prediction(name, level, draw(figures)) for level in LEVELS)
            for name in sorted(predicted - too_large)
            if kind != "absent"
        },
        out_of_memory=dict.fromkeys(sorted(too_large), "needs 90 of 80 GiB"),
        refused=dict.fromkeys(sorted(set(names) - predicted - too_large), "not known"),
    )


@st.composite
def states(draw: st.DrawFn, *, smallest: int = 1, largest: int = 12) -> SearchState:
    """A search under way without a budget: candidates are finished, in flight or untried."""
    size = draw(st.integers(smallest, largest) | st.just(largest))
    names = tuple(draw(st.permutations([f"c{number:02}" for number in range(size)])))
    settings = {
        name: {
            path: value
            for path, values in _AXES.items()
            if (value := draw(st.sampled_from(values))) is not None
        }
        for name in names
    }
    order = draw(st.permutations(names))
    finished = draw(st.integers(0, size))
    flying = draw(st.integers(0, min(2, size - finished)))
    return SearchState(
        candidates=names,
        history=tuple(draw(outcomes(name)) for name in order[:finished]),
        objectives=draw(st.sampled_from(_OBJECTIVES)),
        spent_experiments=finished,
        spent_minutes=float(finished),
        seed=draw(st.integers(0, 2**32)),
        in_flight=tuple(order[finished : finished + flying]),
        levels=LEVELS,
        settings=draw(st.sampled_from([settings, settings, settings, {}])),
        slo=draw(st.sampled_from([{}, {"ttft_ms": 200.0}, {"tpot_ms": 1e-9}])),
        threshold=draw(st.sampled_from([None, 0.01])),
        usd_per_gpu_hour=PRICE,
        knowledge=draw(knowledge(names)),
    )


@st.composite
def searches(draw: st.DrawFn) -> tuple[SearchState, dict[str, Outcome]]:
    """A search that has not begun, and what each of its candidates would measure."""
    state = draw(states())
    unbegun = SearchState(
        candidates=state.candidates,
        history=(),
        objectives=state.objectives,
        seed=state.seed,
        levels=LEVELS,
        settings=state.settings,
        slo=state.slo,
        threshold=state.threshold,
        usd_per_gpu_hour=state.usd_per_gpu_hour,
        knowledge=state.knowledge,
    )
    fail = draw(st.integers(0, 4)) == 4
    failed = {c: Outcome(c, "failed", failure_kind="out_of_memory") for c in state.candidates}
    return unbegun, failed if fail else {c: draw(outcomes(c)) for c in state.candidates}


def _prediction(name: str, level: int, figures: tuple[float, float, float]) -> Prediction:
    ttft_ms, tpot_ms, tok_s = figures
    return Prediction(
        candidate_id=name,
        concurrency=level,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s,
        devices=1,
        osl=100.0,
        ttft_log_std=0.3,
        tpot_log_std=0.3,
        tok_s_log_std=0.3,
        source="drawn",
    )
