"""Limits that a served point has to meet."""

from __future__ import annotations

import math
from collections.abc import Mapping

from autotuner.search.points import OBJECTIVES, OperatingPoint, quantity


def check_slo(slo: Mapping[str, float]) -> None:
    """Refuses limits that no point can be held against.

    Raises:
        ValueError: a limit of something that is no latency, or one that is not above 0.
    """
    latencies = [name for name, objective in OBJECTIVES.items() if objective.unit == "ms"]
    for name, limit in slo.items():
        if name not in latencies:
            raise ValueError(f"slo: {name!r} has no limit; known: {', '.join(latencies)}")
        if not limit > 0:
            raise ValueError(f"slo: {name} is {limit!r}; a limit is above 0 ms")


def worst_excess(point: OperatingPoint, slo: Mapping[str, float]) -> tuple[float, str]:
    """The limit that is missed most, or met most narrowly: by what share of it, and its name.

    Without limits: minus infinity.
    """
    excesses = ((quantity(point, name) / limit - 1, name) for name, limit in slo.items())
    return max(excesses, default=(-math.inf, ""))


def within(point: OperatingPoint, slo: Mapping[str, float]) -> bool:
    """Whether the point meets every limit."""
    return all(quantity(point, name) <= limit for name, limit in slo.items())


def told_slo(slo: Mapping[str, float]) -> str:
    """The limits in words: `TTFT <= 300 ms, TPOT <= 25 ms`."""
    return ", ".join(f"{OBJECTIVES[name].label} <= {limit:g} ms" for name, limit in slo.items())
