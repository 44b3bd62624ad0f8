"""A small landscape by formula, for tests of whatever reads, replays or searches landscapes."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.config import LoadKind, LoadLevel
from autotuner.landscapes import Landscape, PointMetrics, RecordedLaunch, RecordedLevel
from autotuner.predict import tok_s_under

ALL_FAIL, LAST_FAILS, SILENT = "5", "4", "3"
"""Ids of the launch that fails at every level, of one whose last level fails, and of one of which
nothing is predicted."""
_TOO_SLOW = 1.3


def made_up_landscape(
    levels: Sequence[float] = (1, 4, 16),
    *,
    kind: LoadKind = LoadKind.CONCURRENCY,
    isl: int = 16,
    osl: int = 8,
    noise_cv: float = 0.0,
    startup_s: float | None = 0.01,
    measure_s: float | None = None,
) -> Landscape:
    """Six launches of vLLM on an H100: three widths, two KV-cache formats.

    Latencies grow with the load and fall with the width; predictions are 1.3 times as slow.
    """
    formats = ("bfloat16", "fp8")
    choices = [(width, form) for form in formats for width in (1, 2, 4)]

    def level(name: str, width: int, form: str, load: LoadLevel) -> RecordedLevel:
        fails = name == ALL_FAIL or (name == LAST_FAILS and load.value == max(levels))
        silent = name == SILENT
        return RecordedLevel(
            load=load,
            true=None if fails else _figures(width, form, load, osl, 1.0),
            true_status="oom" if fails else "ok",
            predicted=None if silent else _figures(width, form, load, osl, _TOO_SLOW),
            predicted_status="na" if silent else "ok",
            predicted_memory_gib=None if silent else 40.0 / width,
            noise_cv=noise_cv,
        )

    return Landscape(
        name="made-up",
        model="meta-llama/Llama-3.1-8B-Instruct",
        device="h100_sxm",
        isl=isl,
        osl=osl,
        launches=tuple(
            RecordedLaunch(
                id=str(place),
                engine="vllm",
                gpus=width,
                settings={
                    "parallel.tensor_parallel": width,
                    "parallel.pipeline_parallel": 1,
                    "parallel.data_parallel": 1,
                    "quantization.kvcache_mode": form,
                    "system.backend": "vllm",
                },
                levels=tuple(level(str(place), width, form, LoadLevel(kind, n)) for n in levels),
                startup_s=startup_s,
                measure_s=measure_s,
            )
            for place, (width, form) in enumerate(choices)
        ),
    )


def _figures(width: int, form: str, load: LoadLevel, osl: int, slower: float) -> PointMetrics:
    each = load.value / width * (0.8 if form == "fp8" else 1.0)
    ttft_ms, tpot_ms = slower * (4 + 0.5 * each), slower * (1 + 0.2 * each)
    latency_ms = ttft_ms + (osl - 1) * tpot_ms
    tok_s = tok_s_under(load, ttft_ms, tpot_ms, osl)
    return PointMetrics(ttft_ms, tpot_ms if osl > 1 else None, tok_s, latency_ms)
