"""Percentiles that the SLO limits, of load levels with too few requests to tell them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from autotuner.config import LATENCIES, Latency, TaskConfig, format_levels
from autotuner.measure import Measurement
from autotuner.tuning.points import fewest_requests


def planned_notes(task: TaskConfig) -> list[str]:
    """Sentences about what the task's levels will be too short for; empty where they are not.

    Tables of recorded means have no percentiles at all, and a replay says so itself.
    """
    requests = task.benchmark.requests_per_level
    if task.replay is not None:
        return []
    return [
        f"slo.{latency.name}: {requests} requests a level say little of a {latency.percentile}; "
        f"give benchmark.requests_per_level {latency.fewest_requests} or more"
        for latency in _limited(task.slo_limits())
        if requests < latency.fewest_requests
    ]


def measured_notes(measured: Iterable[Measurement], limited: Collection[str]) -> list[str]:
    """Sentences about the levels that were too short; a replay's tell no percentile anyway.

    Args:
        limited: latencies, as the SLO names them.
    """
    fewest = fewest_requests(measured)
    notes = []
    for latency in _limited(limited):
        short = [load for load, count in sorted(fewest.items()) if count < latency.fewest_requests]
        if short:
            counts = [fewest[load] for load in short]
            span = " to ".join(map(str, sorted({min(counts), max(counts)})))
            notes.append(
                f"{latency.label} is of {span} requests at {format_levels(short)}: fewer than "
                f"{latency.fewest_requests} say little of a {latency.percentile}"
            )
    return notes


def _limited(names: Collection[str] | Mapping[str, float]) -> list[Latency]:
    return [LATENCIES[name] for name in names if LATENCIES[name].percentile is not None]
