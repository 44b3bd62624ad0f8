"""Effects of an SLO on the points of a task, measured or predicted, as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from autotuner.predict import Prediction
from autotuner.predict.predictor import limit_interval80
from autotuner.predict.predictor import verdict as interval_verdict
from autotuner.search import OperatingPoint, as_point, has, is_usable, quantity
from autotuner.search.slo import Verdict, verdicts, within
from autotuner.search.why_not import Admitted, LimitEffect, misses, why_not
from autotuner.store import ExperimentRecord
from autotuner.tuning.operating_points import point_id
from autotuner.tuning.points import occupied_gpus, operating_points
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.why_views import (
    AdmittedView,
    LimitEffectView,
    LimitMissView,
    MissedTogetherView,
    SloEffectsView,
    WhyPointView,
)

Kind = Literal["measured", "predicted"]


@dataclass(frozen=True)
class JudgedPoint:
    """A point with what names it, and how its intervals stand to the limits.

    Attributes:
        index: place of its launch; None of a predicted point.
    """

    point: OperatingPoint
    index: int | None
    settings: Mapping[str, Any]
    verdicts: Mapping[str, Verdict]

    @property
    def id(self) -> str:
        """Id among the operating points of the task."""
        owner = self.point.candidate_id if self.index is None else self.index
        return point_id(owner, self.point.load)


def slo_effects(
    kind: Kind,
    points: Iterable[JudgedPoint],
    slo: Mapping[str, float],
    objectives: Sequence[str],
    axes: Iterable[str],
) -> SloEffectsView:
    """The effects of limits on points of one kind.

    Args:
        axes: fields in which candidates differ.
    """
    judged = list(points)
    found = why_not([one.point for one in judged], slo, objectives)
    show = _Shown(found.objective, slo, {id(one.point): one for one in judged}, tuple(axes))
    possible = sum(
        "misses" not in one.verdicts.values() and not within(one.point, slo) for one in judged
    )
    return SloEffectsView(
        kind=kind,
        points=found.points,
        candidates=found.candidates,
        lacking=dict(found.lacking),
        admitted=show.admitted(found.admitted),
        unclear=possible,
        missed_together=[
            MissedTogetherView(limits=list(names), points=count)
            for names, count in found.missed_together.items()
        ],
        limits=[show.effect(effect) for effect in found.limits],
        nearest=show.point(found.nearest),
        factor=found.factor,
        at_factor=None if found.at_factor is None else show.admitted(found.at_factor),
        binding=found.binding,
    )


def predicted_points(
    prepared: Prepared, predictions: Iterable[Prediction], slo: Mapping[str, float]
) -> list[JudgedPoint]:
    """Predictions as points to judge."""
    price = prepared.usd_per_gpu_hour
    settings = {one.id: one.settings() for one in prepared.space.candidates}
    return [
        JudgedPoint(
            point := as_point(one, price),
            None,
            settings[one.candidate_id],
            {
                name: interval_verdict(limit_interval80(one, name), limit)
                if has(point, (name,))
                else "misses"
                for name, limit in slo.items()
            },
        )
        for one in predictions
        if is_usable(one, price)
    ]


def measured_points(
    experiments: Iterable[ExperimentRecord], slo: Mapping[str, float], price: float | None
) -> list[JudgedPoint]:
    """Operating points of the launches that succeeded, to judge."""
    return [
        JudgedPoint(point, one.index, one.settings, verdicts(point, slo))
        for one in experiments
        if one.status == "completed"
        for point in operating_points(
            one.candidate_id,
            one.measurements,
            gpus=occupied_gpus(one.settings),
            usd_per_gpu_hour=price,
        )
    ]


@dataclass(frozen=True)
class _Shown:
    """Turns points and what limits admit into views."""

    objective: str
    slo: Mapping[str, float]
    places: Mapping[int, JudgedPoint]
    axes: tuple[str, ...]

    def point(self, point: OperatingPoint | None) -> WhyPointView | None:
        if point is None:
            return None
        one = self.places[id(point)]
        return WhyPointView(
            id=one.id,
            candidate=point.candidate_id,
            experiment_index=one.index,
            load=point.load,
            settings={path: one.settings[path] for path in self.axes if path in one.settings},
            objective=quantity(point, self.objective),
            limits=[
                LimitMissView(**asdict(miss), verdict=one.verdicts[miss.name])
                for miss in misses(point, self.slo)
            ],
        )

    def admitted(self, found: Admitted) -> AdmittedView:
        return AdmittedView(
            limits=dict(found.limits),
            points=found.points,
            candidates=found.candidates,
            best=self.point(found.best),
        )

    def effect(self, effect: LimitEffect) -> LimitEffectView:
        tightest = effect.tightest
        return LimitEffectView(
            name=effect.name,
            limit_ms=effect.limit_ms,
            missing=effect.missing,
            only_missing=effect.only_missing,
            candidates=effect.candidates,
            only_candidates=effect.only_candidates,
            nearest_ms=effect.nearest_ms,
            relaxed=[self.admitted(one) for one in effect.relaxed],
            tightest=None if tightest is None else self.admitted(tightest),
        )
