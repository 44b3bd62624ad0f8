"""A small landscape by formula, for tests of whatever reads, replays or searches landscapes."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.landscapes import Landscape, PointMetrics, RecordedLaunch, RecordedLevel

ALL_FAIL, LAST_FAILS, SILENT = "5", "4", "3"
"""Ids of the launch that fails at every level, of one whose last level fails, and of one of which
nothing is predicted."""
_TOO_SLOW = 1.3


def made_up_landscape(
    levels: Sequence[int] = (1, 4, 16),
    *,
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

    def level(name: str, width: int, form: str, concurrency: int) -> RecordedLevel:
        fails = name == ALL_FAIL or (name == LAST_FAILS and concurrency == max(levels))
        silent = name == SILENT
        return RecordedLevel(
            concurrency=concurrency,
            true=None if fails else _figures(width, form, concurrency, osl, 1.0),
            true_status="oom" if fails else "ok",
            predicted=None if silent else _figures(width, form, concurrency, osl, _TOO_SLOW),
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
                levels=tuple(level(str(place), width, form, c) for c in levels),
                startup_s=startup_s,
                measure_s=measure_s,
            )
            for place, (width, form) in enumerate(choices)
        ),
    )


def _figures(width: int, form: str, concurrency: int, osl: int, slower: float) -> PointMetrics:
    load = concurrency / width * (0.8 if form == "fp8" else 1.0)
    ttft_ms, tpot_ms = slower * (4 + 0.5 * load), slower * (1 + 0.2 * load)
    latency_ms = ttft_ms + (osl - 1) * tpot_ms
    rate = 1000 * concurrency * osl / latency_ms
    return PointMetrics(ttft_ms, tpot_ms if osl > 1 else None, rate, latency_ms)
