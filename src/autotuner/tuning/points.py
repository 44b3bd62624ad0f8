"""From what was measured to the operating points that search and readers compare."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autotuner.config import Candidate
from autotuner.measure import Measurement
from autotuner.search import OperatingPoint, Outcome
from autotuner.store import ExperimentRecord


def operating_points(
    candidate_id: str,
    measurements: Iterable[Measurement],
    *,
    gpus: int,
    usd_per_gpu_hour: float | None = None,
) -> tuple[OperatingPoint, ...]:
    """One point a load level; the median of each quantity where a level was repeated.

    A level takes part only where every repeat of it was valid. A CPU deployment counts as one
    device.
    """
    levels: dict[int, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        levels[measurement.concurrency].append(measurement)
    return tuple(
        _point(candidate_id, concurrency, repeats, max(gpus, 1), usd_per_gpu_hour)
        for concurrency, repeats in sorted(levels.items())
        if all(_complete(repeat) for repeat in repeats)
    )


def occupied_gpus(settings: Mapping[str, Any]) -> int:
    """GPUs that a candidate occupies, from its settings; 0 on a CPU."""
    return Candidate.from_settings(dict(settings)).gpus


def outcome(experiment: ExperimentRecord, usd_per_gpu_hour: float | None = None) -> Outcome:
    """A finished experiment as search sees it."""
    failed = experiment.status == "failed"
    gpus = occupied_gpus(experiment.settings)
    points = operating_points(
        experiment.candidate_id,
        experiment.measurements,
        gpus=gpus,
        usd_per_gpu_hour=usd_per_gpu_hour,
    )
    return Outcome(
        candidate_id=experiment.candidate_id,
        status="failed" if failed else "completed",
        points=() if failed else points,
        failure_kind=experiment.failure_kind if failed else None,
        failed_levels=_failed_levels(experiment.measurements),
    )


def _failed_levels(measurements: Iterable[Measurement]) -> tuple[int, ...]:
    """Levels that were tried and brought no point; a level that was not reached is none."""
    return tuple(dict.fromkeys(m.concurrency for m in measurements if not _complete(m)))


def _complete(measurement: Measurement) -> bool:
    return measurement.valid and None not in (
        measurement.ttft_ms,
        measurement.tpot_ms,
        measurement.e2e_ms,
    )


def _point(
    candidate_id: str,
    concurrency: int,
    repeats: list[Measurement],
    devices: int,
    usd_per_gpu_hour: float | None,
) -> OperatingPoint:
    def median(read: Callable[[Measurement], float]) -> float:
        return statistics.median(map(read, repeats))

    tok_s = median(lambda m: m.tok_s)
    tpot_ms = median(lambda m: m.tpot_ms.mean if m.tpot_ms else 0.0)
    return OperatingPoint(
        candidate_id=candidate_id,
        concurrency=concurrency,
        tok_s=tok_s,
        tok_s_per_gpu=tok_s / devices,
        tok_s_per_user=1000 / tpot_ms,
        ttft_ms=median(lambda m: m.ttft_ms.mean if m.ttft_ms else 0.0),
        tpot_ms=tpot_ms,
        e2e_p90_ms=median(lambda m: m.e2e_ms.p90 if m.e2e_ms else 0.0),
        usd_per_gpu_hour=usd_per_gpu_hour,
    )
