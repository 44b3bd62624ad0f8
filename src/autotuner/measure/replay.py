"""Gives the recorded figures of a launch as if load had been made on it.

A level takes as long as its requests take at the recorded throughput, on the clock of the event
loop: on a `SimulatedTimeLoop` no time at all.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from autotuner.landscapes import Landscape, RecordedLaunch, RecordedLevel, with_noise
from autotuner.launch.replay import SCHEME
from autotuner.measure.protocol import Endpoint, LevelPlan
from autotuner.measure.results import Distribution, Measurement

TOOL = "replay"
NOTE = "replayed: recorded means with their noise; spreads are not recorded; time is simulated"
_FAILURES = {"oom": "out of memory, as recorded"}
_NOT_RECORDED = "no such load level is recorded"


class ReplayLoadGenerator:
    """Measures what `ReplayLauncher` launches; see `LoadGenerator`.

    The noise of a level is the same for the same seed of its plan.
    """

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape

    async def run(
        self,
        endpoint: Endpoint,
        plan: LevelPlan,
        *,
        engine_alive: Callable[[], bool],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Measurement:
        """Gives one level; see `LoadGenerator.run`."""
        launch = self._landscape.launch(endpoint.base_url.removeprefix(SCHEME))
        level = next((x for x in launch.levels if x.load == plan.load), None)
        measurement = self._measured(launch, level, plan)
        await asyncio.sleep(_seconds(launch, measurement, plan))
        if on_progress is not None:
            for completed in range(1, measurement.requests_completed + 1):
                on_progress(completed, plan.stop.requests)
        return measurement

    def _measured(
        self, launch: RecordedLaunch, level: RecordedLevel | None, plan: LevelPlan
    ) -> Measurement:
        source = {"landscape": self._landscape.name, "launch": launch.id}
        if level is None or level.true is None:
            status = None if level is None else level.true_status
            return _failed(plan, _why(status), source)
        key = (self._landscape.name, launch.id, plan.load.value, plan.seed)
        figures = with_noise(level.true, level.noise_cv, key)
        isl, osl = plan.lengths.mean()
        in_time = math.ceil(plan.stop.duration_s * figures.tok_s / osl)
        completed = min(plan.stop.requests, max(in_time, plan.load.at_once))
        tpot_ms = _alike(figures.tpot_ms, completed) if figures.tpot_ms and osl > 1 else None
        return Measurement(
            load=plan.load,
            duration_s=completed * osl / figures.tok_s,
            requests_completed=completed,
            requests_failed=0,
            requests_short=0,
            ended_by="requests" if completed == plan.stop.requests else "time",
            valid=True,
            tok_s=figures.tok_s,
            requests_s=figures.tok_s / osl,
            input_tokens=round(completed * isl),
            output_tokens=round(completed * osl),
            ttft_ms=_alike(figures.ttft_ms, completed),
            tpot_ms=tpot_ms,
            itl_ms=tpot_ms,  # the mean gap, where tokens come one by one
            e2e_ms=_alike(figures.latency_ms, completed),
            note=NOTE,
            tool=TOOL,
            original=source,
        )


def _why(status: str | None) -> str:
    if status is None:
        return _NOT_RECORDED
    return _FAILURES.get(status, "failed, as recorded")


def _failed(plan: LevelPlan, why: str, source: dict[str, str]) -> Measurement:
    return Measurement(
        load=plan.load,
        duration_s=0.0,
        requests_completed=0,
        requests_failed=plan.load.at_once,
        requests_short=0,
        ended_by="failed",
        valid=False,
        tok_s=0.0,
        requests_s=0.0,
        input_tokens=0,
        output_tokens=0,
        errors={why: plan.load.at_once},
        note=NOTE,
        tool=TOOL,
        original=source,
    )


def _alike(mean: float, count: int) -> Distribution:
    """A sample of which only the mean is known."""
    return Distribution(
        count=count, mean=mean, std=0.0, min=mean, p50=mean, p90=mean, p95=mean, p99=mean, max=mean
    )


def _seconds(launch: RecordedLaunch, measured: Measurement, plan: LevelPlan) -> float:
    """Duration of the level: its share of the sweep where that was recorded, else its requests
    and those of the warm-up at the measured rate."""
    if launch.measure_s is not None:
        return launch.measure_s / len(launch.levels)
    if not measured.requests_s:
        return 0.0
    return (measured.requests_completed + plan.warmup_requests) / measured.requests_s
