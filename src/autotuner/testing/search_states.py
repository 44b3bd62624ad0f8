"""Searches under way, as Hypothesis draws them: what strategies have to cope with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import strategies as st

from autotuner.config import LATENCIES, LoadLevel, closed_loops
from autotuner.predict import Prediction, tok_s_per_user
from autotuner.search import OBJECTIVES, Knowledge, OperatingPoint, Outcome, SearchState

LEVELS = closed_loops(1, 4, 16)
PRICE = 2.0
_AMOUNT = st.floats(0.5, 5000)
_MEASURED = st.tuples(_AMOUNT, _AMOUNT, _AMOUNT, _AMOUNT)
_TPOT_MS = _AMOUNT | st.just(0.0)
_AXES: dict[str, tuple[object, ...]] = {
    "parallel.tensor_parallel": (1, 2, 4, 8),
    "scheduling.max_running_requests": (1, 8, 64, None),
    "quantization.gemm_mode": ("bfloat16", "fp8", "int4_wo"),
    "attention.enable_chunked_prefill": (True, False),
    "memory.cpu_offload_gb": (0.0, 1.5, 8.0),
    "system.backend": ("vllm", "sglang"),
}
_COMBINATIONS = math.prod(len(values) for values in _AXES.values())
_NO_FIGURES = (math.nan, math.inf, -math.inf, -3.0, 0.0, 1e-320, 1e308)
_PREDICTED = {
    "absent": st.nothing(),
    "sound": st.tuples(_AMOUNT, _AMOUNT, _AMOUNT),
    "equal": st.just((100.0, 10.0, 400.0)),
    "broken": st.tuples(*[st.sampled_from(_NO_FIGURES) | _AMOUNT] * 3),
}
_LIMITS = st.sampled_from([200.0, 1e-9, 1e6])
_FAILURES = ("out_of_memory", "died_while_loading", "port_taken", "load_errors")


@st.composite
def outcomes(draw: st.DrawFn, candidate_id: str, osl: float = 100.0) -> Outcome:
    """A finished experiment of that candidate: measured at some levels, or failed.

    Answers of one token have no TPOT, and a server that sends all tokens at once has one of 0.
    """
    failed: set[LoadLevel] = draw(
        st.sets(st.sampled_from(LEVELS)) if draw(st.booleans()) else st.just(set())
    )
    if len(failed) == len(LEVELS) or draw(st.integers(0, 4)) == 4:
        return Outcome(candidate_id, "failed", failure_kind=draw(st.sampled_from(_FAILURES)))
    points = []
    for level in sorted(set(LEVELS) - failed):
        tok_s, per_gpu, ttft_ms, e2e_ms = draw(_MEASURED)
        tpot_ms = None if osl == 1 else draw(_TPOT_MS)
        points.append(
            OperatingPoint(
                candidate_id=candidate_id,
                load=level,
                tok_s=tok_s,
                tok_s_per_gpu=per_gpu,
                tok_s_per_user=tok_s_per_user(tpot_ms),
                ttft_ms=ttft_ms,
                tpot_ms=tpot_ms,
                e2e_p90_ms=e2e_ms,
                e2e_p99_ms=1.3 * e2e_ms,
                ttft_p90_ms=1.5 * ttft_ms,
                ttft_p99_ms=3.0 * ttft_ms,
                tpot_p90_ms=tpot_ms and 1.1 * tpot_ms,
                tpot_p99_ms=tpot_ms and 1.2 * tpot_ms,
                usd_per_gpu_hour=PRICE,
                requests_per_s=tok_s / osl,
            )
        )
    return Outcome(candidate_id, "completed", tuple(points), failed_levels=tuple(sorted(failed)))


@st.composite
def knowledge(draw: st.DrawFn, names: Sequence[str], osl: float = 100.0) -> Knowledge:
    """Predictions of all, some or none; sound, all equal, or with figures that are none."""
    kind = draw(st.sampled_from(["sound", "sound", "equal", "broken", "absent"]))
    predicted = draw(st.sets(st.sampled_from(names))) if draw(st.booleans()) else set(names)
    too_large = draw(st.sets(st.sampled_from(names))) if draw(st.booleans()) else set[str]()
    figures = _PREDICTED[kind]
    return Knowledge(
        predictions={
            name: tuple(_prediction(name, level, draw(figures), osl) for level in LEVELS)
            for name in sorted(predicted - too_large)
            if kind != "absent"
        },
        out_of_memory=dict.fromkeys(sorted(too_large), "needs 90 of 80 GiB"),
        refused=dict.fromkeys(sorted(set(names) - predicted - too_large), "not known"),
    )


@st.composite
def states(
    draw: st.DrawFn, *, smallest: int = 1, largest: int = 12, begun: bool = True
) -> SearchState:
    """A search under way without a budget: candidates are finished, in flight or untried.

    All are untried where it has not `begun`.

    For any objectives, within any limits; answers have a hundred tokens, or one.
    """
    osl = draw(st.sampled_from([100.0, 100.0, 1.0]))
    size = draw(st.integers(smallest, largest) | st.just(largest))
    names = tuple(draw(st.permutations([f"c{number:02}" for number in range(size)])))
    settings = {name: _settings(draw(st.integers(0, _COMBINATIONS - 1))) for name in names}
    order = draw(st.permutations(names))
    finished = draw(st.integers(0, size)) if begun else 0
    flying = draw(st.integers(0, min(2, size - finished))) if begun else 0
    return SearchState(
        candidates=names,
        history=tuple(draw(outcomes(name, osl)) for name in order[:finished]),
        objectives=tuple(
            draw(st.lists(st.sampled_from(list(OBJECTIVES)), min_size=1, max_size=3, unique=True))
        ),
        spent_experiments=finished,
        spent_minutes=float(finished),
        seed=draw(st.integers(0, 2**32)),
        in_flight=tuple(order[finished : finished + flying]),
        levels=LEVELS,
        settings=draw(st.sampled_from([settings, settings, settings, {}])),
        slo=draw(
            st.just({}) | st.dictionaries(st.sampled_from(list(LATENCIES)), _LIMITS, max_size=3)
        ),
        threshold=draw(st.sampled_from([None, 0.01])),
        usd_per_gpu_hour=PRICE,
        knowledge=draw(knowledge(names, osl)),
    )


@st.composite
def searches(draw: st.DrawFn) -> tuple[SearchState, dict[str, Outcome]]:
    """A search that has not begun, and what each of its candidates would measure."""
    state = draw(states(begun=False))
    fail = draw(st.integers(0, 4)) == 4
    failed = {c: Outcome(c, "failed", failure_kind="out_of_memory") for c in state.candidates}
    if fail:
        return state, failed
    stated = (p.osl for sweep in state.knowledge.predictions.values() for p in sweep)
    osl = next(stated, 100.0)
    return state, {c: draw(outcomes(c, osl)) for c in state.candidates}


def _settings(number: int) -> dict[str, object]:
    """The combination of that number: drawn at once, not axis by axis, which is slow."""
    chosen: dict[str, object] = {}
    for path, values in _AXES.items():
        number, place = divmod(number, len(values))
        if values[place] is not None:
            chosen[path] = values[place]
    return chosen


def _prediction(
    name: str, level: LoadLevel, figures: tuple[float, float, float], osl: float
) -> Prediction:
    ttft_ms, tpot_ms, tok_s = figures
    return Prediction(
        candidate_id=name,
        load=level,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s,
        devices=1,
        osl=osl,
        ttft_log_std=0.3,
        tpot_log_std=0.3,
        tok_s_log_std=0.3,
        source="drawn",
    )
