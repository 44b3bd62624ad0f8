"""Choice among predicted points of several engines: the best, others in kind, rivals. Pure.

Points are of one kind where engine, parallel layout and number formats are the same: another count
of sequences or of tokens a step is the same answer, tuned.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import whole_replicas
from autotuner.predict import Prediction
from autotuner.predict.predictor import STDS_80, Verdict, limit_interval80, verdict
from autotuner.search import OperatingPoint, recommend
from autotuner.search.slo import within

MOST_ALTERNATIVES = 4
_REPLICAS = "parallel.data_parallel"
_UNSET: tuple[Any, ...] = (None, 1)
"""Widths that say nothing."""


@dataclass(frozen=True)
class Kind:
    """Properties that make two answers different ones.

    Attributes:
        layout, formats: `group.field` and value of the widths and number formats that are set.
    """

    engine: str
    layout: tuple[tuple[str, Any], ...]
    formats: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, engine: str, settings: Mapping[str, Any], *, moe: bool) -> Kind:
        """The kind of a candidate with these settings.

        Replicas that share nothing are no layout of their own: two of them are the same answer
        twice.

        Args:
            moe: whether the model is a mixture of experts, which replicas may share.
        """
        shared = moe and not whole_replicas(settings.get)
        layout = sorted(
            (path, value)
            for path, value in settings.items()
            if path.startswith("parallel.")
            and value not in _UNSET
            and (shared or path != _REPLICAS)
        )
        formats = sorted(item for item in settings.items() if item[0].startswith("quantization."))
        return cls(engine, tuple(layout), tuple(formats))

    def differs(self, other: Kind) -> tuple[str, ...]:
        """The respects in which two kinds differ: `engine`, `layout`, `formats`."""
        names = ("engine", "layout", "formats")
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True)
class PointOfKind:
    """A candidate of an engine at a load level, as it is predicted."""

    kind: Kind
    settings: Mapping[str, Any]
    prediction: Prediction
    point: OperatingPoint

    @property
    def engine(self) -> str:
        """Name of its engine."""
        return self.kind.engine

    def verdict(self, slo: Mapping[str, float]) -> Verdict:
        """How its 80 % intervals stand to all limits: as the worst of them."""
        found = {verdict(limit_interval80(self.prediction, n), limit) for n, limit in slo.items()}
        order: tuple[Verdict, ...] = ("misses", "unclear")
        return next((worst for worst in order if worst in found), "meets")

    def score(self, *, balanced: bool) -> tuple[float, float]:
        """Logarithm of what points are ranked by, and its standard deviation.

        Args:
            balanced: throughput times the speed of a user, in place of throughput alone.
        """
        one, log_std = self.prediction, self.prediction.tok_s_log_std
        value = math.log(one.tok_s_per_gpu)
        if not balanced:
            return value, log_std
        if one.tok_s_per_user is None:
            return value - math.log(one.ttft_ms), math.hypot(log_std, one.ttft_log_std)
        return value + math.log(one.tok_s_per_user), math.hypot(log_std, one.tpot_log_std)


@dataclass(frozen=True)
class Alternative:
    """A point of another kind than the best, and in which respects it differs from it."""

    place: PointOfKind
    differs: tuple[str, ...]


@dataclass(frozen=True)
class ChoiceByPrediction:
    """The answer of predictions alone.

    Attributes:
        best: the recommended point; the nearest to the SLO where none is within.
        certain: the best of those whose whole intervals are within the limits, where `best` is
            not; None where there is none.
        alternatives: the next best of other kinds, in order; all within the SLO where `best` is.
        rivals: the best of each other kind that may be better than `best`, or may meet the SLO
            where it does not: what only a measurement tells apart.
        kinds: how many there are.
    """

    best: PointOfKind
    reason: str
    meets_slo: bool
    certain: PointOfKind | None
    alternatives: tuple[Alternative, ...]
    rivals: tuple[PointOfKind, ...]
    kinds: int


def choose(
    points: Sequence[PointOfKind], slo: Mapping[str, float], objectives: Sequence[str] = ()
) -> ChoiceByPrediction | None:
    """Chooses among points that have a value of all that is compared; None where there are none."""
    by_kind: dict[Kind, list[PointOfKind]] = {}
    for point in points:
        by_kind.setdefault(point.kind, []).append(point)
    tops = [top for group in by_kind.values() if (top := _top(group, slo, objectives)) is not None]
    chosen = recommend([p.point for p in points], slo, objectives)
    best = _top(points, slo, objectives)
    if best is None or chosen is None:
        return None
    _, reason, meets = chosen
    certain = None
    if slo and best.verdict(slo) != "meets":
        certain = _top([p for p in points if p.verdict(slo) == "meets"], slo, objectives)
    others = [top for top in tops if top.kind != best.kind]
    return ChoiceByPrediction(
        best=best,
        reason=reason,
        meets_slo=meets,
        certain=certain,
        alternatives=_alternatives(best, others, slo, objectives),
        rivals=_rivals(best, by_kind, slo),
        kinds=len(by_kind),
    )


def _top(
    points: Sequence[PointOfKind], slo: Mapping[str, float], objectives: Sequence[str]
) -> PointOfKind | None:
    chosen = recommend([p.point for p in points], slo, objectives)
    if chosen is None:
        return None
    return next(p for p in points if p.point is chosen[0])


def _alternatives(
    best: PointOfKind,
    others: Sequence[PointOfKind],
    slo: Mapping[str, float],
    objectives: Sequence[str],
) -> tuple[Alternative, ...]:
    """The first that differs in each respect, then the next best, in order of rank."""
    left = list(others)
    if within(best.point, slo):
        left = [other for other in left if within(other.point, slo)]
    ranked: list[Alternative] = []
    while (top := _top(left, slo, objectives)) is not None:
        ranked.append(Alternative(top, top.kind.differs(best.kind)))
        left.remove(top)
    first = {name: place for place, one in reversed([*enumerate(ranked)]) for name in one.differs}
    places = [*dict.fromkeys((*sorted(first.values()), *range(len(ranked))))]
    return tuple(ranked[place] for place in sorted(places[:MOST_ALTERNATIVES]))


def _rivals(
    best: PointOfKind,
    by_kind: Mapping[Kind, Sequence[PointOfKind]],
    slo: Mapping[str, float],
) -> tuple[PointOfKind, ...]:
    """Of each other kind the point that may be best, where it may be better than `best`."""
    balanced = not slo
    missing = not within(best.point, slo)
    value, log_std = best.score(balanced=balanced)
    least = -math.inf if missing else value - STDS_80 * log_std
    found: list[tuple[float, PointOfKind]] = []
    for kind, group in by_kind.items():
        possible = [p for p in group if p.verdict(slo) != "misses"]
        if kind == best.kind or not possible:
            continue
        high, rival = max(((_high(p, balanced=balanced), p) for p in possible), key=_first)
        if high >= least:
            found.append((high, rival))
    return tuple(rival for _, rival in sorted(found, key=_first, reverse=True))


def _high(point: PointOfKind, *, balanced: bool) -> float:
    value, log_std = point.score(balanced=balanced)
    return value + STDS_80 * log_std


def _first(pair: tuple[float, PointOfKind]) -> float:
    return pair[0]


def engines_of(points: Iterable[PointOfKind]) -> tuple[str, ...]:
    """Names of their engines, each once, in order."""
    return tuple(dict.fromkeys(point.engine for point in points))
