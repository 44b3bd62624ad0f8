"""Why points of a task meet its SLO or do not, and why combinations are no candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from autotuner.config import TaskConfig, parse_stored_task
from autotuner.predict import OutOfMemory, Prediction
from autotuner.predict.predictor import limit_interval80
from autotuner.predict.predictor import verdict as interval_verdict
from autotuner.search import OBJECTIVES, OperatingPoint, as_point, has, is_usable, quantity
from autotuner.search.slo import Verdict, served_by, verdicts, within
from autotuner.search.why_not import Admitted, LimitEffect, misses, why_not
from autotuner.space import Space
from autotuner.space.exclusions import exclusions
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.elsewhere import Elsewhere
from autotuner.tuning.estimate import MOST_CANDIDATES, PlanEstimate, estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.operating_points import point_id
from autotuner.tuning.points import occupied_gpus, operating_points
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.why_sentences import lead_sentence
from autotuner.tuning.why_views import (
    AbsentValueView,
    AdmittedView,
    CountedReasonView,
    ExclusionsView,
    FailureCountView,
    LimitEffectView,
    LimitMissView,
    MissedTogetherView,
    RuleExclusionView,
    SloEffectsView,
    WayView,
    WhyPointView,
    WhyView,
)

NO_LIMITS: Mapping[str, float] = MappingProxyType({})
Kind = Literal["measured", "predicted"]
_VERDICTS: tuple[Verdict, ...] = ("misses", "unclear")


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


def why_of_file(
    prepared: Prepared,
    home: Path,
    store: Store | None,
    *,
    changed: Mapping[str, float] = NO_LIMITS,
    elsewhere: Elsewhere | None = None,
) -> WhyView:
    """The answer by prediction alone.

    Args:
        home: where answers of slow predictors and the speed of this CPU are kept.
        store: what earlier tasks measured, which corrects predictions; None where there is nothing.
        changed: limits in place of the task's of the same names.
        elsewhere: asks about other hardware; nothing is asked where left out.
    """
    found, notes = _estimate(prepared, home, store)
    return _why(prepared, found, changed=changed, notes=notes, elsewhere=elsewhere)


def why_of_task(
    record: TaskRecord,
    prepared: Prepared | None,
    home: Path,
    store: Store,
    *,
    changed: Mapping[str, float] = NO_LIMITS,
    elsewhere: Elsewhere | None = None,
    notes: Sequence[str] = (),
    measure: bool = True,
) -> WhyView:
    """The answer for a stored task: of what was measured, and of what is predicted.

    Args:
        prepared: the task resolved once more; None where it cannot be, with the reason in `notes`.
        measure: whether a CPU whose speed is not known yet is measured now.
    """
    config = parse_stored_task(record.config, source=f"task {record.id}")
    experiments = store.experiments(record.id)
    found = None
    if prepared is not None:
        found, more = _estimate(prepared, home, store, measure=measure)
        notes = (*notes, *more)
    return _why(
        prepared,
        found,
        record=record,
        config=config,
        experiments=experiments,
        changed=changed,
        notes=notes,
        elsewhere=elsewhere,
    )


def why_without_candidates(
    config: TaskConfig,
    space: Space,
    *,
    changed: Mapping[str, float] = NO_LIMITS,
    elsewhere: Elsewhere | None = None,
) -> WhyView:
    """The answer for a task of which no combination is feasible."""
    limits = {**config.slo_limits(), **changed}
    others, notes = ([], []) if elsewhere is None else elsewhere.asked(limits)
    region = space.regions[0]
    gpu, count = region.context.gpu, region.context.gpus
    view = WhyView(
        task=None,
        name=config.name,
        model=region.model.name,
        engine=", ".join(dict.fromkeys(one.engine.name for one in space.regions)),
        device="this machine" if gpu is None else f"{count} x {gpu.name}",
        slo=limits,
        objective=served_by(config.objectives),
        unit=OBJECTIVES[served_by(config.objectives)].unit,
        lead="",
        measured=None,
        predicted=None,
        exclusions=_exclusions(space, None),
        failures=[],
        elsewhere=others,
        notes=notes,
    )
    return view.model_copy(update={"lead": lead_sentence(view)})


def limits_view(
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


def _estimate(
    prepared: Prepared, home: Path, store: Store | None, *, measure: bool = True
) -> tuple[PlanEstimate, list[str]]:
    forecast = forecast_of(prepared, home, measure=measure)
    known = () if store is None else forecast.remembered(store)
    found = estimate_plan(prepared, forecast, known, most=MOST_CANDIDATES)
    notes = list(forecast.warnings)
    left = found.candidates - len(found.expected)
    if left:
        notes.append(
            f"predictions are of {len(found.expected):,} of {found.candidates:,} candidates, "
            "spread evenly"
        )
    return found, notes


def _why(
    prepared: Prepared | None,
    found: PlanEstimate | None,
    *,
    record: TaskRecord | None = None,
    config: TaskConfig | None = None,
    experiments: Sequence[ExperimentRecord] = (),
    changed: Mapping[str, float] = NO_LIMITS,
    notes: Sequence[str] = (),
    elsewhere: Elsewhere | None = None,
) -> WhyView:
    task = config or (prepared.task if prepared is not None else None)
    if task is None:
        raise ValueError("neither a stored task nor a prepared one")
    limits = {**task.slo_limits(), **changed}
    plan: Mapping[str, Any] = {} if record is None else record.plan
    axes = plan.get("axes", {}) if prepared is None else prepared.axes
    price = plan.get("usd_per_gpu_hour") if prepared is None else prepared.usd_per_gpu_hour
    measured = predicted = None
    judged = measured_points(experiments, limits, price)
    if judged:
        measured = limits_view("measured", judged, limits, task.objectives, axes)
    if prepared is not None and found is not None and found.points:
        points = predicted_points(prepared, found.points, limits)
        predicted = limits_view("predicted", points, limits, task.objectives, axes)
    others, more = ([], []) if elsewhere is None else elsewhere.asked(limits)
    objective = served_by(task.objectives)
    view = WhyView(
        task=None if record is None else record.id,
        name=task.name,
        model=prepared.model.name if prepared is not None else _of(record, "model"),
        engine=prepared.engine_name if prepared is not None else _of(record, "engine"),
        device=prepared.device_name if prepared is not None else _of(record, "device"),
        slo=limits,
        objective=objective,
        unit=OBJECTIVES[objective].unit,
        lead="",
        measured=measured,
        predicted=predicted,
        exclusions=None if prepared is None else _exclusions(prepared.space, found),
        failures=_failures(experiments),
        elsewhere=others,
        notes=[*notes, *more],
    )
    return view.model_copy(update={"lead": lead_sentence(view)})


def _of(record: TaskRecord | None, name: str) -> str:
    return "" if record is None else str(getattr(record, name))


def _exclusions(space: Space, found: PlanEstimate | None) -> ExclusionsView:
    rules = exclusions(space.regions)
    memory = {} if found is None else found.out_of_memory
    missing = [gib for one in memory.values() if (gib := _missing_gib(one.out_of_memory))]
    return ExclusionsView(
        combinations=space.combinations,
        candidates=len(space.places),
        reasons=_counted(space.excluded),
        rules=[
            RuleExclusionView(
                **{k: v for k, v in asdict(rule).items() if k != "ways"},
                ways=[WayView(**asdict(way)) for way in rule.ways],
            )
            for rule in rules.rules
        ],
        absent_values=[AbsentValueView(**asdict(value)) for value in rules.absent_values],
        skipped=rules.skipped,
        asked=0 if found is None else len(found.expected),
        out_of_memory=_counted(
            Counter(one.out_of_memory.why for one in memory.values() if one.out_of_memory)
        ),
        least_missing_gib=min(missing, default=None),
        refused=_counted({} if found is None else Counter(found.refused.values())),
    )


def _missing_gib(found: OutOfMemory | None) -> float | None:
    if found is None or found.needed_gib is None or found.available_gib is None:
        return None
    return found.needed_gib - found.available_gib


def _counted(reasons: Mapping[str, int]) -> list[CountedReasonView]:
    ordered = sorted(reasons.items(), key=lambda one: -one[1])
    return [CountedReasonView(reason=reason, count=count) for reason, count in ordered]


def _failures(experiments: Iterable[ExperimentRecord]) -> list[FailureCountView]:
    failed = [one for one in experiments if one.status == "failed"]
    kinds = Counter(one.failure_kind or "unknown" for one in failed)
    messages = {one.failure_kind or "unknown": one.failure_message or "" for one in failed[::-1]}
    return [
        FailureCountView(kind=kind, count=count, message=messages[kind])
        for kind, count in kinds.most_common()
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
