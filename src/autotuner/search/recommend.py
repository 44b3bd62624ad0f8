"""Which point to serve with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotuner.search.points import OBJECTIVES, OperatingPoint, objective_vector


def recommend(
    points: Sequence[OperatingPoint],
    slo: Mapping[str, float],
    objectives: Sequence[str] = (),
) -> tuple[OperatingPoint, str, bool] | None:
    """The recommended point, the reason in words, and whether it meets the SLO.

    With an SLO: the point within all limits that has the most tokens/s per GPU; where none is,
    the one whose worst excess is least. Without: the knee of the frontier, the greatest product
    of throughput and per-user speed, each relative to the best seen. A single objective takes the
    place of both: the best of it, within the SLO where there is one.

    Args:
        points: candidates for the choice; None is returned for an empty sequence.
        slo: `ttft_ms`, `tpot_ms`, `e2e_p90_ms` -> upper limit in ms.
        objectives: what the search was for.
    """
    if not points:
        return None
    only = objectives[0] if len(objectives) == 1 else None
    if not slo:
        return _knee(points) if only is None else (*_best(points, only), True)
    within = [point for point in points if _worst_excess(point, slo)[0] <= 0]
    told = ", ".join(f"{_label(name)} <= {limit:g} ms" for name, limit in slo.items())
    if within:
        best, what = _best(within, only or "tok_s_per_gpu")
        return best, f"{what} that meet the SLO ({told})", True
    best = min(points, key=lambda point: (_worst_excess(point, slo)[0], -point.tok_s_per_gpu))
    excess, name = _worst_excess(best, slo)
    reason = (
        f"no operating point meets the SLO ({told}); this one comes nearest: "
        f"{_label(name)} is {getattr(best, name):.1f} ms, {excess:.0%} over its limit"
    )
    return best, reason, False


def _best(points: Sequence[OperatingPoint], name: str) -> tuple[OperatingPoint, str]:
    """The best point in one objective, the lowest TTFT among equals, and what it is."""
    best = max(points, key=lambda point: (*objective_vector(point, (name,)), -point.ttft_ms))
    value, objective = getattr(best, name), OBJECTIVES[name]
    if name == "tok_s_per_gpu":
        what = f"the most throughput ({value:.1f} tok/s per device)"
    else:
        most = "greatest" if objective.maximise else "lowest"
        what = f"the {most} {name} ({value:.1f} {objective.unit})"
    return best, f"{what} of {len(points)} operating points"


def _worst_excess(point: OperatingPoint, slo: Mapping[str, float]) -> tuple[float, str]:
    return max((getattr(point, name) / limit - 1, name) for name, limit in slo.items())


def _knee(points: Sequence[OperatingPoint]) -> tuple[OperatingPoint, str, bool]:
    most = max(point.tok_s_per_gpu for point in points)
    fastest = max(point.tok_s_per_user for point in points)
    best = max(points, key=lambda p: (p.tok_s_per_gpu / most) * (p.tok_s_per_user / fastest))
    reason = (
        f"no SLO is given; this is the best balance: {best.tok_s_per_gpu / most:.0%} of the most "
        f"throughput at {best.tok_s_per_user / fastest:.0%} of the greatest speed per user"
    )
    return best, reason, True


def _label(name: str) -> str:
    return {"ttft_ms": "TTFT", "tpot_ms": "TPOT", "e2e_p90_ms": "E2E p90"}.get(name, name)
