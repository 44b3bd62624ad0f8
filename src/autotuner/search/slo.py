"""Limits that a served point has to meet, and the point to serve with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from autotuner.config import LATENCIES
from autotuner.search.points import (
    OBJECTIVES,
    OperatingPoint,
    figure,
    has,
    objective_vector,
    percent,
    quantity,
)

Verdict = Literal["meets", "unclear", "misses"]
"""`unclear`: the limit lies inside the value's interval."""


def check_slo(slo: Mapping[str, float]) -> None:
    """Refuses limits that no point can be held against.

    Raises:
        ValueError: a limit of something that is no latency, or one that is not above 0.
    """
    for name, limit in slo.items():
        if name not in LATENCIES:
            raise ValueError(f"slo: {name!r} has no limit; known: {', '.join(LATENCIES)}")
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


def nearest(points: Iterable[OperatingPoint], slo: Mapping[str, float]) -> OperatingPoint | None:
    """The point whose worst excess is least, the highest throughput among equals."""
    return min(points, key=lambda p: (worst_excess(p, slo)[0], -p.tok_s_per_gpu), default=None)


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


def beyond(excess: float, limit: str = "its limit") -> str:
    """How far a value is from its limit: `24 % over its limit`, `3.1 % below its limit`.

    Args:
        excess: share of the limit.
        limit: what the limit is called.
    """
    return f"{percent(abs(excess))} {'over' if excess > 0 else 'below'} {limit}".rstrip()


def describe_slo(slo: Mapping[str, float]) -> str:
    """The limits in words: `TTFT at most 300 ms, TPOT at most 25 ms`."""
    return ", ".join(
        f"{OBJECTIVES[name].label} at most {limit:,g} ms" for name, limit in slo.items()
    )


SERVED = "tok_s_per_gpu"
"""Quantity that is served for within an SLO, where a task has several objectives."""


def served_by(objectives: Sequence[str]) -> str:
    """The quantity in which the recommended point within an SLO is the best."""
    return objectives[0] if len(objectives) == 1 else SERVED


def recommend(
    points: Sequence[OperatingPoint],
    slo: Mapping[str, float],
    objectives: Sequence[str] = (),
) -> tuple[OperatingPoint, str, bool] | None:
    """The recommended point, the reason in words, and whether it meets the SLO.

    With an SLO: of the points that meet all limits clearly, or else of those whose values are
    within them, the one with the most tokens/s per GPU; where none is, the one whose worst excess
    is least. Without: the knee of the frontier, the greatest product
    of throughput and per-user speed, each relative to the best seen. A single objective takes the
    place of both: the best of it, within the SLO where there is one.

    Args:
        points: candidates for the choice, of which those that lack a quantity that is asked for
            are none; where no other is left, None is returned.
        slo: latency, as in `LATENCIES` -> upper limit in ms.
        objectives: what the search was for.
    """
    points = [point for point in points if has(point, (*objectives, *slo))]
    if not points:
        return None
    served = served_by(objectives)
    if not slo:
        return _knee(points) if len(objectives) != 1 else (*_best_of(points, served), True)
    limits = describe_slo(slo)
    meeting = [point for point in points if within(point, slo)]
    clearly = [point for point in meeting if verdict(point, slo) == "meets"]
    if meeting:
        best, what = _best_of(clearly or meeting, served)
        unclear = "" if clearly else f" as measured, but not clearly: {_unclear(best, slo)}"
        barely = len(meeting) - len(clearly)
        if clearly and barely:
            of = f"{barely} more {'does' if barely == 1 else 'do'} as measured"
            return best, f"{what} that clearly meet the SLO ({limits}; {of})", True
        return best, f"{what} that meet the SLO ({limits}){unclear}", True
    best = nearest(points, slo) or points[0]
    excess, name = worst_excess(best, slo)
    reason = (
        f"no operating point meets the SLO ({limits}); this one comes nearest: "
        f"{OBJECTIVES[name].label} is {figure(getattr(best, name))} ms, " + beyond(excess)
    )
    return best, reason, False


def _unclear(point: OperatingPoint, slo: Mapping[str, float]) -> str:
    """The intervals that hold their limit: `TTFT lies between 180 and 320 ms`."""
    inside = [name for name, found in verdicts(point, slo).items() if found == "unclear"]
    return ", ".join(
        f"{OBJECTIVES[name].label} lies {_interval(low, high)}"
        for name, low, high in point.intervals95
        if name in inside
    )


def _interval(low: float, high: float) -> str:
    if math.isinf(high):
        return f"above {figure(low)} ms" if low > 0 else "anywhere: too few requests"
    return f"between {figure(max(low, 0.0))} and {figure(high)} ms"


def _best_of(points: Sequence[OperatingPoint], name: str) -> tuple[OperatingPoint, str]:
    """The best point in one objective, the lowest TTFT among equals, and what it is."""
    best = max(points, key=lambda point: (*objective_vector(point, (name,)), -point.ttft_ms))
    if name == "tok_s_per_gpu" and best.tpot_ms is not None:
        what = f"the highest throughput ({figure(best.tok_s_per_gpu)} tok/s/GPU)"
    else:
        one_token = name == "tok_s_per_gpu" and best.requests_per_s is not None
        objective = OBJECTIVES["requests_per_s_per_gpu" if one_token else name]
        most, value = "highest" if objective.maximise else "lowest", quantity(best, objective.name)
        what = f"the {most} {objective.meaning} ({figure(value)} {objective.unit})"
    return best, f"{what} of {len(points)} operating points"


def log_merit(point: OperatingPoint, slo: Mapping[str, float], objectives: Sequence[str]) -> float:
    """Natural logarithm of the figure by which `recommend` prefers a point; more is better.

    Within an SLO, and for a single objective, it is the served quantity (its inverse where less is
    better); else the product of throughput and speed per user.
    """
    if not slo and len(objectives) != 1:
        return math.log(point.tok_s_per_gpu) + math.log(_speed(point))
    served = OBJECTIVES[served_by(objectives)]
    log = math.log(quantity(point, served.name))
    return log if served.maximise else -log


def _knee(points: Sequence[OperatingPoint]) -> tuple[OperatingPoint, str, bool]:
    most = max(point.tok_s_per_gpu for point in points)
    fastest = max(map(_speed, points))
    best = max(points, key=lambda point: log_merit(point, {}, ()))
    reason = (
        f"no SLO is given; this is the best balance: {percent(best.tok_s_per_gpu / most)} of the "
        f"highest throughput at {percent(_speed(best) / fastest)} of the highest "
        + ("speed per user" if best.tpot_ms is not None else "speed to the first token")
    )
    return best, reason, True


def _speed(point: OperatingPoint) -> float:
    """Rate for one user in a second: tokens, or where there is only a first one, that."""
    return point.tok_s_per_user or 1000 / point.ttft_ms
