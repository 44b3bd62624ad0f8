"""Whether the load levels that a launch has left can still improve the frontier.

A launch shows at its first levels how far off its predictions are. The levels left are taken for as
good as they may be: as predicted, corrected by the most favourable residual ln(measured /
predicted) that this launch has shown, by the steepest favourable drift of that residual over its
levels, carried on, and by a margin. Where even so none of them would join the frontier, measuring
them is in vain.

On 17 landscapes replayed with their noise no frontier lost anything by these margins, and narrower
ones lost some of it (docs/decisions/0009-sweeps-cut-short.md).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autotuner.predict import Prediction
from autotuner.search.pareto import pareto_front
from autotuner.search.points import OBJECTIVES, OperatingPoint, objective_vector

FEWEST_LEVELS = 2
"""To be measured before anything is cut: one tells nothing of how residuals drift."""
MARGIN = 0.2
"""Natural logarithm; a factor of 1.22."""
MARGIN_PER_OCTAVE = 0.1
"""More for every doubling of the load from the nearest measured level."""


def why_cut(
    measured: Sequence[OperatingPoint],
    predicted: Sequence[Prediction],
    left: Sequence[int],
    *,
    others: Sequence[OperatingPoint],
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> str | None:
    """Why no level of `left` can improve the frontier, in words; None where one may, or where
    it cannot be told.

    Args:
        measured: what this launch has shown.
        predicted: what was expected of its levels; all of `left` have to be among them.
        others: what other launches measured; without any there is nothing to beat.
        slo: as in `SearchState`; it counts once a point meets it.
    """
    by_level = {point.concurrency: point for point in predicted}
    anchors = [
        _Anchor(point, by_level[point.concurrency])
        for point in measured
        if point.concurrency in by_level
    ]
    silent = any(level not in by_level for level in left)
    if not left or not others or silent or len(anchors) < FEWEST_LEVELS:
        return None
    known = [*others, *measured]
    within = [point for point in known if _meets(point, slo)]
    limits = slo if within else {}
    front = pareto_front(within or known, lambda point: objective_vector(point, objectives))
    reasons: list[str] = []
    for level in left:
        hope = _at_best(by_level[level], anchors)
        reason = _over(hope, limits) or _beaten(hope, front, objectives)
        if reason is None:
            return None
        reasons.append(reason)
    levels = ", ".join(map(str, left))
    return f"{levels} concurrent cannot improve the frontier: {reasons[0]}"


@dataclass(frozen=True)
class _Anchor:
    """A measured level, and what was expected of it."""

    seen: OperatingPoint
    said: Prediction

    def octaves_to(self, concurrency: int) -> float:
        """Doublings of the load between here and there."""
        return abs(math.log2(self.seen.concurrency / concurrency))


def _at_best(said: Prediction, anchors: Sequence[_Anchor]) -> OperatingPoint:
    """The best that a level may be."""
    octaves = min(anchor.octaves_to(said.concurrency) for anchor in anchors)

    def at_best(gain: Callable[[_Anchor], float]) -> float:
        """The factor by which a figure may be better than predicted."""
        shown = max(map(gain, anchors)) + octaves * _drift(anchors, gain)
        return math.exp(shown + MARGIN + octaves * MARGIN_PER_OCTAVE)

    def latency_ms(seen: str, predicted: str) -> float:
        factor = at_best(lambda a: math.log(getattr(a.said, predicted) / getattr(a.seen, seen)))
        return float(getattr(said, predicted)) / factor

    tok_s = said.tok_s * at_best(lambda a: math.log(a.seen.tok_s / a.said.tok_s))
    tpot_ms = latency_ms("tpot_ms", "tpot_ms")
    return OperatingPoint(
        candidate_id=said.candidate_id,
        concurrency=said.concurrency,
        tok_s=tok_s,
        tok_s_per_gpu=tok_s / said.devices,
        tok_s_per_user=1000 / tpot_ms,
        ttft_ms=latency_ms("ttft_ms", "ttft_ms"),
        tpot_ms=tpot_ms,
        e2e_p90_ms=latency_ms("e2e_p90_ms", "e2e_ms"),
    )


def _drift(anchors: Sequence[_Anchor], gain: Callable[[_Anchor], float]) -> float:
    """The steepest rise of a gain from one level to the next, for each octave; 0 where none is."""
    rising = sorted(anchors, key=lambda anchor: anchor.seen.concurrency)
    steps = (
        (gain(after) - gain(before)) / before.octaves_to(after.seen.concurrency)
        for before, after in itertools.pairwise(rising)
    )
    return max([0.0, *steps])


def _meets(point: OperatingPoint, slo: Mapping[str, float]) -> bool:
    return all(getattr(point, name) <= limit for name, limit in slo.items())


def _over(hope: OperatingPoint, limits: Mapping[str, float]) -> str | None:
    """The limit that even the best case breaks."""
    for name, limit in limits.items():
        value = getattr(hope, name)
        if value > limit:
            return f"{name} at {hope.concurrency} is at best {value:.4g}, the SLO is {limit:g}"
    return None


def _beaten(
    hope: OperatingPoint, front: Sequence[OperatingPoint], objectives: Sequence[str]
) -> str | None:
    """The point of the frontier that is nowhere worse than the best case."""
    wanted = objective_vector(hope, objectives)
    for point in front:
        reached = objective_vector(point, objectives)
        if all(have >= want for have, want in zip(reached, wanted, strict=True)):
            return (
                f"at {hope.concurrency} at best {_told(hope, objectives)}, "
                f"measured already: {_told(point, objectives)}"
            )
    return None


def _told(point: OperatingPoint, objectives: Sequence[str]) -> str:
    return ", ".join(
        f"{getattr(point, name):.4g} {OBJECTIVES[name].unit}"
        + ("" if OBJECTIVES[name].maximise else f" {OBJECTIVES[name].meaning.split(',')[0]}")
        for name in objectives
    )
