"""Why points of a task meet its SLO or do not, and why combinations are no candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autotuner.config import TaskConfig, parse_stored_task
from autotuner.errors import AutotunerError, StoreError
from autotuner.predict import OutOfMemory
from autotuner.profiles import ProfileRegistry
from autotuner.search import OBJECTIVES
from autotuner.search.slo import served_by
from autotuner.space import NoCandidateError, Space
from autotuner.space.exclusions import exclusions
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.elsewhere import Elsewhere
from autotuner.tuning.estimate import MOST_CANDIDATES, PlanEstimate, estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.slo_effects import measured_points, predicted_points, slo_effects
from autotuner.tuning.why_sentences import lead_sentence
from autotuner.tuning.why_views import (
    AbsentValueView,
    CountedReasonView,
    ExclusionsView,
    FailureCountView,
    RuleExclusionView,
    WayView,
    WhyView,
)

NO_LIMITS: Mapping[str, float] = MappingProxyType({})


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
    resolve: Callable[[], Prepared],
    home: Path,
    store: Store,
    *,
    changed: Mapping[str, float] = NO_LIMITS,
    registry: ProfileRegistry | None = None,
    measure: bool = True,
) -> WhyView:
    """The answer for a stored task: of what was measured, and of what is predicted.

    A task that cannot be resolved any more, or not here, is answered by its measurements, with a
    note.

    Args:
        resolve: resolves the task once more.
        changed: limits in place of the task's of the same names.
        registry: profiles, with which other hardware is asked about; nothing is asked where left
            out.
        measure: whether a CPU whose speed is not known yet is measured now.

    Raises:
        StoreError: the store cannot be read.
    """
    config = parse_stored_task(record.config, source=f"task {record.id}")
    experiments = store.experiments(record.id)
    prepared, found, other, notes = None, None, None, list[str]()
    base = Path(record.base) if record.base else home
    try:
        prepared = resolve()
    except NoCandidateError as error:
        if registry is not None:
            other = Elsewhere.of(config, error.space, base=base, home=home, registry=registry)
        view = why_without_candidates(config, error.space, changed=changed, elsewhere=other)
        return view.model_copy(update={"task": record.id})
    except StoreError:
        raise
    except AutotunerError as error:
        notes.append(f"only what was measured is counted: {error.message}")
    if prepared is not None:
        found, notes = _estimate(prepared, home, store, measure=measure)
        if registry is not None:
            space, base = prepared.space, prepared.base or base
            other = Elsewhere.of(prepared.task, space, base=base, home=home, registry=registry)
    return _why(
        prepared,
        found,
        record=record,
        config=config,
        experiments=experiments,
        changed=changed,
        notes=notes,
        elsewhere=other,
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
        measured = slo_effects("measured", judged, limits, task.objectives, axes)
    if prepared is not None and found is not None and found.points:
        points = predicted_points(prepared, found.points, limits)
        predicted = slo_effects("predicted", points, limits, task.objectives, axes)
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
