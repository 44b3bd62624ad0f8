"""Limits that a served point has to meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from autotuner.search.points import OBJECTIVES, OperatingPoint, has, quantity

Verdict = Literal["meets", "unclear", "misses"]
"""`unclear`: the limit lies inside the value's interval."""


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
    excesses = ((_excess(point, name, limit), name) for name, limit in slo.items())
    return max(excesses, default=(-math.inf, ""))


def within(point: OperatingPoint, slo: Mapping[str, float]) -> bool:
    """Whether the point meets every limit."""
    return all(_excess(point, name, limit) <= 0 for name, limit in slo.items())


def _excess(point: OperatingPoint, name: str, limit: float) -> float:
    """By what share of it a limit is missed; what has no value of the quantity meets no limit."""
    return quantity(point, name) / limit - 1 if has(point, (name,)) else math.inf


def verdicts(point: OperatingPoint, slo: Mapping[str, float]) -> dict[str, Verdict]:
    """How each limited quantity stands to its limit: by its 95 % interval, or by its value alone
    where it has none (predicted, or replayed from a table of means)."""
    return {name: _verdict(point, name, limit) for name, limit in slo.items()}


def verdict(point: OperatingPoint, slo: Mapping[str, float]) -> Verdict:
    """How the point stands to all limits: as to the one that it meets least clearly."""
    found = verdicts(point, slo).values()
    order: tuple[Verdict, ...] = ("misses", "unclear")
    return next((worst for worst in order if worst in found), "meets")


def _verdict(point: OperatingPoint, name: str, limit: float) -> Verdict:
    if not has(point, (name,)):
        return "misses"
    value = quantity(point, name)
    ends = ((low, high) for quantity, low, high in point.intervals95 if quantity == name)
    low, high = next(ends, (value, value))
    if high <= limit:
        return "meets"
    return "unclear" if low <= limit else "misses"


def told_slo(slo: Mapping[str, float]) -> str:
    """The limits in words: `TTFT <= 300 ms, TPOT <= 25 ms`."""
    return ", ".join(f"{OBJECTIVES[name].label} <= {limit:g} ms" for name, limit in slo.items())
