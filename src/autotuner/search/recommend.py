"""Which point to serve with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotuner.search.points import OBJECTIVES, OperatingPoint
from autotuner.search.slo import told_slo, within, worst_excess


def recommend(
    points: Sequence[OperatingPoint], slo: Mapping[str, float]
) -> tuple[OperatingPoint, str, bool] | None:
    """The recommended point, the reason in words, and whether it meets the SLO.

    With an SLO: the point within all limits that has the most tokens/s per GPU; where none is,
    the one whose worst excess is least. Without: the knee of the frontier, the greatest product
    of throughput and per-user speed, each relative to the best seen.

    Args:
        points: candidates for the choice; None is returned for an empty sequence.
        slo: `ttft_ms`, `tpot_ms`, `e2e_p90_ms` -> upper limit in ms.
    """
    if not points:
        return None
    if not slo:
        return _knee(points)
    told = told_slo(slo)
    meeting = [point for point in points if within(point, slo)]
    if meeting:
        best = max(meeting, key=lambda point: (point.tok_s_per_gpu, -point.ttft_ms))
        reason = (
            f"the most throughput ({best.tok_s_per_gpu:.1f} tok/s per device) of {len(meeting)} "
            f"operating points that meet the SLO ({told})"
        )
        return best, reason, True
    best = min(points, key=lambda point: (worst_excess(point, slo)[0], -point.tok_s_per_gpu))
    excess, name = worst_excess(best, slo)
    reason = (
        f"no operating point meets the SLO ({told}); this one comes nearest: "
        f"{OBJECTIVES[name].label} is {getattr(best, name):.1f} ms, {excess:.0%} over its limit"
    )
    return best, reason, False


def _knee(points: Sequence[OperatingPoint]) -> tuple[OperatingPoint, str, bool]:
    most = max(point.tok_s_per_gpu for point in points)
    fastest = max(point.tok_s_per_user for point in points)
    best = max(points, key=lambda p: (p.tok_s_per_gpu / most) * (p.tok_s_per_user / fastest))
    reason = (
        f"no SLO is given; this is the best balance: {best.tok_s_per_gpu / most:.0%} of the most "
        f"throughput at {best.tok_s_per_user / fastest:.0%} of the greatest speed per user"
    )
    return best, reason, True
