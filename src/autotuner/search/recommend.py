"""Which point to serve with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from autotuner.search.points import (
    OBJECTIVES,
    OperatingPoint,
    figure,
    has,
    objective_vector,
    quantity,
)
from autotuner.search.slo import told_slo, verdict, verdicts, within, worst_excess


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
        slo: `ttft_ms`, `tpot_ms`, `e2e_p90_ms` -> upper limit in ms.
        objectives: what the search was for.
    """
    points = [point for point in points if has(point, (*objectives, *slo))]
    if not points:
        return None
    only = objectives[0] if len(objectives) == 1 else None
    if not slo:
        return _knee(points) if only is None else (*_best(points, only), True)
    told = told_slo(slo)
    meeting = [point for point in points if within(point, slo)]
    clearly = [point for point in meeting if verdict(point, slo) == "meets"]
    if meeting:
        best, what = _best(clearly or meeting, only or "tok_s_per_gpu")
        doubt = "" if clearly else f" as measured, but not clearly: {_unclear(best, slo)}"
        return best, f"{what} that meet the SLO ({told}){doubt}", True
    best = min(points, key=lambda point: (worst_excess(point, slo)[0], -point.tok_s_per_gpu))
    excess, name = worst_excess(best, slo)
    reason = (
        f"no operating point meets the SLO ({told}); this one comes nearest: "
        f"{OBJECTIVES[name].label} is {getattr(best, name):.1f} ms, {excess:.0%} over its limit"
    )
    return best, reason, False


def _unclear(point: OperatingPoint, slo: Mapping[str, float]) -> str:
    """The intervals that hold their limit: `TTFT lies between 180 and 320 ms`."""
    inside = [name for name, found in verdicts(point, slo).items() if found == "unclear"]
    return ", ".join(
        f"{OBJECTIVES[name].label} lies {_between(low, high)}"
        for name, low, high in point.intervals95
        if name in inside
    )


def _between(low: float, high: float) -> str:
    if math.isinf(high):
        return f"above {figure(low)} ms" if low > 0 else "anywhere: too few requests"
    return f"between {figure(max(low, 0.0))} and {figure(high)} ms"


def _best(points: Sequence[OperatingPoint], name: str) -> tuple[OperatingPoint, str]:
    """The best point in one objective, the lowest TTFT among equals, and what it is."""
    best = max(points, key=lambda point: (*objective_vector(point, (name,)), -point.ttft_ms))
    if name == "tok_s_per_gpu" and best.tpot_ms is not None:
        what = f"the most throughput ({best.tok_s_per_gpu:.1f} tok/s per device)"
    else:
        one_token = name == "tok_s_per_gpu" and best.requests_per_s is not None
        objective = OBJECTIVES["requests_per_s_per_gpu" if one_token else name]
        most, value = "greatest" if objective.maximise else "least", quantity(best, objective.name)
        what = f"the {most} {objective.meaning} ({figure(value)} {objective.unit})"
    return best, f"{what} of {len(points)} operating points"


def _knee(points: Sequence[OperatingPoint]) -> tuple[OperatingPoint, str, bool]:
    most = max(point.tok_s_per_gpu for point in points)
    fastest = max(map(_speed, points))
    best = max(points, key=lambda p: (p.tok_s_per_gpu / most) * (_speed(p) / fastest))
    reason = (
        f"no SLO is given; this is the best balance: {best.tok_s_per_gpu / most:.0%} of the most "
        f"throughput at {_speed(best) / fastest:.0%} of the greatest "
        + ("speed per user" if best.tpot_ms is not None else "speed to the first token")
    )
    return best, reason, True


def _speed(point: OperatingPoint) -> float:
    """What one user sees in a second: tokens, or where there is only a first one, that."""
    return point.tok_s_per_user or 1000 / point.ttft_ms
