"""Why points miss an SLO: what each limit excludes, what is nearest, and what relaxing gains.

Pure: points and limits in, counts and limits out. Points are measured or predicted ones, not both:
what is counted together has to be of one kind.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from autotuner.search.points import OBJECTIVES, OperatingPoint, has, quantity
from autotuner.search.slo import nearest, served_by, within, worst_excess

MOST_STEPS = 5
"""Relaxed limits that are listed for one limit."""
_VISIBLE = 0.05
"""Share by which the best has to improve for a limit to be listed."""
_ROUNDING = 0.02
"""Share that a limit of two digits may lie above what it has to admit."""


@dataclass(frozen=True)
class Admitted:
    """The points that a set of limits admits.

    Attributes:
        limits: latency -> limit in ms.
        points, candidates: how many.
        best: the best of them in what the task is served for; None where there are none.
    """

    limits: Mapping[str, float]
    points: int
    candidates: int
    best: OperatingPoint | None


@dataclass(frozen=True)
class LimitEffect:
    """The effect of one limit, alone and beside the others.

    Attributes:
        missing: points that miss it, whatever they do to the others.
        only_missing: points that miss it alone: what dropping it admits.
        candidates: of which every point misses it.
        only_candidates: candidates that no limit but this one keeps out.
        nearest_ms: the lowest value of any point; None where there are no points.
        relaxed: limits that admit something, or improve the best visibly, the lowest first; the
            other limits stay.
        tightest: the lowest limit, never above this one, that still admits something beside the
            others; None where nothing meets the SLO.
    """

    name: str
    limit_ms: float
    missing: int
    only_missing: int
    candidates: int
    only_candidates: int
    nearest_ms: float | None
    relaxed: tuple[Admitted, ...]
    tightest: Admitted | None


@dataclass(frozen=True)
class LimitMiss:
    """How a point stands to a limit: `excess` is the share of it by which the point is above."""

    name: str
    limit_ms: float
    value_ms: float
    excess: float


@dataclass(frozen=True)
class WhyNot:
    """Effects of an SLO on points of one kind.

    Attributes:
        objective: quantity that the best of points is the best in.
        points, candidates: that have a value of all that is compared.
        lacking: points that lack one: latency or objective -> how many; they count nowhere else.
        admitted: what all limits together admit.
        missed_together: names of limits -> how many points miss exactly these; with `admitted`
            they are all points.
        nearest: the point whose worst excess is least; None where there are no points.
        misses: how it stands to each limit.
        factor: the smallest number that all limits, times it, have a point within; below 1 where
            they could all be stricter. None without points or limits.
        at_factor: what the limits times `factor` admit.
        binding: the limit that keeps the best from being better, of those that do the one that has
            to be relaxed least; None where none does.
    """

    objective: str
    points: int
    candidates: int
    lacking: Mapping[str, int]
    admitted: Admitted
    missed_together: Mapping[tuple[str, ...], int]
    limits: tuple[LimitEffect, ...]
    nearest: OperatingPoint | None
    misses: tuple[LimitMiss, ...] = ()
    factor: float | None = None
    at_factor: Admitted | None = None
    binding: str | None = None
    slo: Mapping[str, float] = field(default_factory=dict)


def why_not(
    points: Iterable[OperatingPoint], slo: Mapping[str, float], objectives: Sequence[str] = ()
) -> WhyNot:
    """The effects of the limits on points of one kind."""
    every = list(points)
    served = served_by(objectives)
    needed = tuple(dict.fromkeys((served, *objectives, *slo)))
    known = [point for point in every if has(point, needed)]
    lacking = Counter(name for point in every for name in needed if not has(point, (name,)))
    missed = {id(point): _missed(point, slo) for point in known}
    effects = tuple(_effect(name, known, missed, slo, served) for name in slo)
    closest = nearest(known, slo) if slo else None
    factor = at_factor = None
    if closest is not None:
        factor = _common_factor(closest, slo)
        at_factor = admitted(known, _scaled(slo, factor), served)
    binding = min(
        (effect for effect in effects if effect.relaxed),
        key=lambda effect: effect.relaxed[0].limits[effect.name] / effect.limit_ms,
        default=None,
    )
    return WhyNot(
        objective=served,
        points=len(known),
        candidates=_candidates(known),
        lacking=dict(lacking),
        admitted=admitted(known, slo, served),
        missed_together=dict(Counter(names for names in missed.values() if names).most_common()),
        limits=effects,
        nearest=closest,
        misses=() if closest is None else misses(closest, slo),
        factor=factor,
        at_factor=at_factor,
        binding=None if binding is None else binding.name,
        slo=dict(slo),
    )


def admitted(
    points: Iterable[OperatingPoint], slo: Mapping[str, float], objective: str
) -> Admitted:
    """The points that limits admit, of some that have a value of all that is compared."""
    found = [point for point in points if within(point, slo)]
    best = min(found, key=lambda point: _rank(point, objective), default=None)
    return Admitted(dict(slo), len(found), _candidates(found), best)


def rounded_up(value: float, digits: int) -> float:
    """The lowest number of so many digits that is not below a value, or the next one."""
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(value)))
    whole = math.ceil(value * scale)
    return whole / scale if whole / scale >= value else (whole + 1) / scale


def written_limit(value: float) -> float:
    """A limit that a person would write and that admits a value: of two digits, or of three where
    two are more than 2 % above."""
    found = rounded_up(value, 2)
    return found if found <= value * (1 + _ROUNDING) else rounded_up(value, 3)


def misses(point: OperatingPoint, slo: Mapping[str, float]) -> tuple[LimitMiss, ...]:
    """How a point that has a value of every limited latency stands to each limit."""
    values = {name: quantity(point, name) for name in slo}
    return tuple(LimitMiss(n, limit, values[n], values[n] / limit - 1) for n, limit in slo.items())


def _common_factor(point: OperatingPoint, slo: Mapping[str, float]) -> float:
    """The smallest number of three digits that all limits, times it, have the point within."""
    factor = rounded_up(1 + worst_excess(point, slo)[0], 3)
    while not within(point, _scaled(slo, factor)):
        factor = rounded_up(math.nextafter(factor, math.inf), 3)
    return factor


def _scaled(slo: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: limit * factor for name, limit in slo.items()}


def _effect(
    name: str,
    points: Sequence[OperatingPoint],
    missed: Mapping[int, tuple[str, ...]],
    slo: Mapping[str, float],
    objective: str,
) -> LimitEffect:
    missing = [point for point in points if name in missed[id(point)]]
    only = [point for point in missing if missed[id(point)] == (name,)]
    meeting = [point for point in points if not missed[id(point)]]
    others = meeting + only
    allowed = {point.candidate_id for point in points if name not in missed[id(point)]}
    tightest = None
    if meeting:
        lowest = rounded_up(min(quantity(point, name) for point in meeting), 3)
        lowest = min(lowest, slo[name])  # where it has more digits than rounding leaves
        tightest = admitted(others, {**slo, name: lowest}, objective)
    return LimitEffect(
        name=name,
        limit_ms=slo[name],
        missing=len(missing),
        only_missing=len(only),
        candidates=_candidates(points) - len(allowed),
        only_candidates=len({p.candidate_id for p in only} - {p.candidate_id for p in meeting}),
        nearest_ms=min((quantity(point, name) for point in points), default=None),
        relaxed=_relaxed(name, others, slo, objective),
        tightest=tightest,
    )


def _relaxed(
    name: str, points: Sequence[OperatingPoint], slo: Mapping[str, float], objective: str
) -> tuple[Admitted, ...]:
    """Values of one limit, above what it is, that admit something or improve the best visibly.

    Args:
        points: that meet all other limits.
    """
    ordered = sorted(points, key=lambda point: quantity(point, name))
    values = [quantity(point, name) for point in ordered]
    ranks = [_rank(point, objective)[0] for point in ordered]
    bests = list(accumulate(ranks, min))
    begin = bisect.bisect_right(values, slo[name])
    above = list(dict.fromkeys(written_limit(value) for value in values[begin:]))
    visible, chosen = _VISIBLE, _steps(above, values, bests, begin, _VISIBLE)
    while len(chosen) > MOST_STEPS:
        visible *= 1.5
        chosen = _steps(above, values, bests, begin, visible)
    return tuple(admitted(points, {**slo, name: limit}, objective) for limit in chosen)


def _steps(
    limits: Sequence[float],
    values: Sequence[float],
    bests: Sequence[float],
    begin: int,
    visible: float,
) -> list[float]:
    """The limits at which the best is better by a share or more than at the one before."""
    found: list[float] = []
    best = bests[begin - 1] if begin else None
    for limit in limits:
        reached = bests[bisect.bisect_right(values, limit) - 1]
        if best is None or (best > reached and best - reached >= visible * abs(best)):
            found.append(limit)
            best = reached
    return found


def _rank(point: OperatingPoint, objective: str) -> tuple[float, float]:
    """A key that sorts points from the best."""
    value = quantity(point, objective)
    return (-value if OBJECTIVES[objective].maximise else value), point.ttft_ms


def _missed(point: OperatingPoint, slo: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(name for name, limit in slo.items() if not within(point, {name: limit}))


def _candidates(points: Iterable[OperatingPoint]) -> int:
    return len({point.candidate_id for point in points})
