"""A small search space by formula, whose best points are known: what goals of a search are held to.

No noise, and predictions are exact, so that whoever looks at the goal finds it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from autotuner.config import LoadLevel, closed_loops
from autotuner.predict import Prediction, tok_s_under
from autotuner.search import Knowledge, OperatingPoint, Outcome, SearchState, as_point

PRICE = 2.0
LEVELS = closed_loops(16, 64)
"""High ones: where one request is in flight, every candidate meets every limit."""
_AXES: Mapping[str, tuple[object, ...]] = {
    "parallel.tensor_parallel": (1, 2, 4, 8),
    "scheduling.max_num_batched_tokens": (1024, 2048, 4096, 8192),
    "attention.enable_prefix_caching": (True, False),
    "quantization.gemm_mode": ("bfloat16", "fp8"),
}
SETTINGS: Mapping[str, Mapping[str, object]] = {
    f"c{number:02}": dict(zip(_AXES, values, strict=True))
    for number, values in enumerate(itertools.product(*_AXES.values()))
}


def made_up_search(osl: float) -> tuple[SearchState, dict[str, Outcome]]:
    """A search that has not begun, and what each of its candidates measures.

    Wide tensor parallelism is fast for a user and dear; larger steps trade TPOT for TTFT; FP8 and
    caching are faster.
    """
    sweeps = {c: tuple(_level(c, level, osl) for level in LEVELS) for c in SETTINGS}
    state = SearchState(
        candidates=tuple(SETTINGS),
        history=(),
        objectives=("tok_s_per_gpu",),
        levels=LEVELS,
        settings=SETTINGS,
        usd_per_gpu_hour=PRICE,
        knowledge=Knowledge(predictions=sweeps),
    )
    truth = {c: Outcome(c, "completed", points(sweep)) for c, sweep in sweeps.items()}
    return state, truth


def points(sweep: tuple[Prediction, ...]) -> tuple[OperatingPoint, ...]:
    """The figures of predictions as those of a launch."""
    return tuple(as_point(level, PRICE) for level in sweep)


def _level(candidate: str, load: LoadLevel, osl: float) -> Prediction:
    tensor, step, caching, form = SETTINGS[candidate].values()
    assert isinstance(tensor, int)
    assert isinstance(step, int)
    speed = tensor**0.6 * (1.3 if form == "fp8" else 1.0)
    tpot_ms = (10 + 0.3 * load.value) / speed * (step / 1024) ** 0.1
    prefill_ms = (60 + 10 * load.value) / speed * (1024 / step) ** 0.3
    ttft_ms = prefill_ms * (0.8 if caching else 1.0)
    return Prediction(
        candidate_id=candidate,
        load=load,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s_under(load, ttft_ms, tpot_ms, osl),
        devices=tensor,
        osl=osl,
        ttft_log_std=0.1,
        tpot_log_std=0.1,
        tok_s_log_std=0.1,
        source="made up",
    )
