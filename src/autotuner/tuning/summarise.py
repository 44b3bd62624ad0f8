"""Summary of a stored task: experiments, frontier, search, and how far predictions were off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from autotuner.config import PERCENTILES, LoadLevel, TaskConfig, parse_stored_task
from autotuner.engines import sample_request
from autotuner.landscapes import unserved
from autotuner.measure import Measurement
from autotuner.search import (
    OBJECTIVES,
    OperatingPoint,
    Step,
    as_point,
    hypervolume,
    is_usable,
    objective_vector,
    quantity,
    reference_point,
    steps,
)
from autotuner.search.slo import served_by, verdict, verdicts
from autotuner.sizing import TokenCosts, token_costs
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.against_baseline import beside_baseline
from autotuner.tuning.confirmation import confirmation_of
from autotuner.tuning.estimate import predicted_frontier
from autotuner.tuning.frontier_certainty import frontier_probabilities
from autotuner.tuning.host_command import engine_of, stored_command
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.point_figures import measured_energy
from autotuner.tuning.points import occupied_gpus, outcome, pooled
from autotuner.tuning.prediction_errors import prediction_error, predictions_beside
from autotuner.tuning.recommendation import RecommendedPoint, recommendation_of
from autotuner.tuning.representative import (
    expectations,
    frontier,
    representative_load,
)
from autotuner.tuning.slo_effects import measured_points, slo_effects
from autotuner.tuning.summary import (
    ExperimentView,
    FailureView,
    LaunchView,
    PointView,
    PredictedPointView,
    RecommendedView,
    SearchView,
    TaskFacts,
    TaskSummary,
)
from autotuner.tuning.why_sentences import why_not_lines


def summarise(
    store: Store,
    task: TaskRecord,
    *,
    report: str | None = None,
    usd_per_gpu_hour: float | None = None,
) -> TaskSummary:
    """Everything about a task, read from the store.

    Args:
        usd_per_gpu_hour: in place of the price that the task began with.
    """
    config = parse_stored_task(task.config, source=f"task {task.id}")
    experiments = store.experiments(task.id)
    by_candidate = {experiment.candidate_id: experiment for experiment in experiments}
    price = usd_per_gpu_hour or task.plan.get("usd_per_gpu_hour")
    by_experiment = {e.id: _points(e, price, config.compared) for e in experiments}
    points = [point for found in by_experiment.values() for point in found]
    own_command = partial(stored_command, task=task, config=config)
    views = [
        _experiment_view(experiment, task, by_experiment[experiment.id], own_command)
        for experiment in experiments
    ]
    objectives, limits = config.objectives, config.slo_limits()
    front = frontier(points, objectives, limits)
    fields = partial(_point_fields, by_candidate=by_candidate, slo=limits, own_command=own_command)
    criteria = Criteria.of(config, price)
    sure = {}
    if not task.replay:
        sure = frontier_probabilities(experiments, by_experiment, front, criteria)
    best = recommendation_of(experiments, task.plan, criteria)
    chosen = _recommended(best, fields, limits, sure)
    if chosen is not None:
        request = sample_request(
            by_candidate[chosen.experiment].command, engine_of(chosen.settings, task.engine)
        )
        chosen = chosen.model_copy(update={"sample_request": request})
    return TaskSummary(
        task=_task_facts(task, config, front),
        experiments=views,
        frontier=[
            PointView(
                **fields(point),
                probability_on_frontier=sure.get((point.candidate_id, point.load)),
            )
            for point in front
        ],
        recommended=chosen,
        why_not=_why_not(experiments, config, price) if chosen and not chosen.meets_slo else [],
        baseline=beside_baseline(
            experiments,
            by_experiment,
            None if best is None else best.point,
            plan=task.plan,
            criteria=criteria,
        ),
        confirmation=confirmation_of(
            experiments,
            task.plan,
            config,
            criteria,
            chosen=best,
            is_over=task.status in ("completed", "failed"),
        ),
        search=search_view(
            experiments, front, objectives=objectives, slo=limits, usd_per_gpu_hour=price
        ),
        prediction_error=prediction_error(found for view in views for found in view.predictions),
        report=report,
    )


def _why_not(
    experiments: Sequence[ExperimentRecord], config: TaskConfig, price: float | None
) -> list[str]:
    limits = config.slo_limits()
    points = measured_points(experiments, limits, price)
    effects = slo_effects("measured", points, limits, config.objectives, ())
    return why_not_lines(effects, limits, OBJECTIVES[served_by(config.objectives)].unit)


def _points(
    experiment: ExperimentRecord, usd_per_gpu_hour: float | None, needs: Sequence[str]
) -> tuple[OperatingPoint, ...]:
    if experiment.status != "completed":
        return ()
    return outcome(experiment, usd_per_gpu_hour, needs).points


def _task_facts(task: TaskRecord, config: TaskConfig, front: list[OperatingPoint]) -> TaskFacts:
    vectors = [objective_vector(point, config.objectives) for point in front]
    has_volume = bool(vectors) and len(config.objectives) > 1
    plan: dict[str, Any] = task.plan
    return TaskFacts.model_validate(
        {
            "id": task.id,
            "name": task.name,
            "replay": task.replay,
            "landscape": config.replay.landscape if config.replay else None,
            "status": task.status,
            "stop_reason": task.stop_reason,
            "started_at": task.created_at.isoformat(),
            "ended_at": task.ended_at.isoformat() if task.ended_at else None,
            "wall_s": task.wall_s,
            # A task that waits for a worker has no plan yet.
            "candidates": plan.get("candidates", 0),
            "excluded": plan.get("excluded", {}),
            "axes": plan.get("axes", {}),
            "engine": task.engine,
            "engine_version": task.engine_version,
            "model": task.model,
            "device": task.device,
            "strategy": plan.get("strategy", ""),
            "strategy_reason": plan.get("strategy_reason", ""),
            "objectives": list(config.objectives),
            "slo": config.slo_limits(),
            "hypervolume": hypervolume(vectors, reference_point(vectors)) if has_volume else None,
            "config": task.config,
        }
    )


def _experiment_view(
    experiment: ExperimentRecord,
    task: TaskRecord,
    points: tuple[OperatingPoint, ...],
    own_command: Callable[[ExperimentRecord], str],
) -> ExperimentView:
    failure = None
    if experiment.failure_kind is not None:
        failure = FailureView(
            kind=experiment.failure_kind,
            message=experiment.failure_message or "",
            log_tail=experiment.log_tail or "",
        )
    left = ("interrupted",) if task.status == "running" else ("interrupted", "running")
    status = "cancelled" if experiment.status in left else experiment.status
    return ExperimentView.model_validate(
        {
            "id": experiment.candidate_id,
            "index": experiment.index,
            "status": status,
            "failure": failure,
            "selection_reason": experiment.selection_reason,
            "phase": experiment.phase,
            "settings": experiment.settings,
            "gpus": occupied_gpus(experiment.settings),
            "command": own_command(experiment),
            "engine_command": experiment.command,
            "unserved": unserved(experiment.command),
            "log_path": experiment.log_path,
            "startup_s": experiment.startup_s,
            "measure_s": experiment.measure_s,
            "lost_s": experiment.lost_s,
            "measurements": list(experiment.measurements),
            "predictions": predictions_beside(experiment, points),
            "unpredicted": experiment.unpredicted,
            "cut_short": experiment.cut_short,
        }
    )


def _point_fields(
    point: OperatingPoint,
    by_candidate: dict[str, ExperimentRecord],
    slo: Mapping[str, float],
    own_command: Callable[[ExperimentRecord], str],
) -> dict[str, Any]:
    experiment = by_candidate[point.candidate_id]
    level = pooled([m for m in experiment.measurements if m.load == point.load])
    energy = measured_energy(level)
    return {
        "experiment": point.candidate_id,
        "index": experiment.index,
        "candidate": point.candidate_id,
        "load": point.load,
        "tok_s": point.tok_s,
        "tok_s_per_gpu": point.tok_s_per_gpu,
        "tok_s_per_user": point.tok_s_per_user,
        "requests_per_s": point.requests_per_s,
        "requests_per_s_per_gpu": point.requests_per_s_per_gpu,
        "ttft_ms": point.ttft_ms,
        "tpot_ms": point.tpot_ms,
        **{name: getattr(point, name) for name in PERCENTILES},
        **_costs(point, level).to_json(),
        "joules_per_output_token": energy.joules_per_output_token,
        "energy_note": energy.note,
        "verdicts": verdicts(point, slo),
        "settings": experiment.settings,
        "command": own_command(experiment),
        "unserved": unserved(experiment.command),
    }


def _costs(point: OperatingPoint, level: Sequence[Measurement]) -> TokenCosts:
    """Costs of a measured point, by the tokens of its level."""
    read, made = sum(m.input_tokens for m in level), sum(m.output_tokens for m in level)
    return token_costs(point.usd_per_million_tokens, read, made)


def _recommended(
    found: RecommendedPoint | None,
    fields: Callable[[OperatingPoint], dict[str, Any]],
    slo: Mapping[str, float],
    sure: Mapping[tuple[str, LoadLevel], float],
) -> RecommendedView | None:
    if found is None:
        return None
    best = found.best and {
        "index": fields(found.best.point)["index"],
        "candidate": found.best.point.candidate_id,
        "load": found.best.point.load,
        "ratio": found.best.ratio,
        "probability_better": found.best.probability_better,
        "overrides": found.best.overrides,
    }
    return RecommendedView.model_validate(
        {
            **fields(found.point),
            "probability_on_frontier": sure.get((found.point.candidate_id, found.point.load)),
            "reason": found.reason,
            "meets_slo": found.meets_slo,
            "verdict": verdict(found.point, slo) if slo else None,
            "overrides": found.overrides,
            "best": best,
        }
    )


HYPERVOLUME = "hypervolume"


def search_view(
    experiments: Sequence[ExperimentRecord],
    frontier: Sequence[OperatingPoint],
    *,
    objectives: Sequence[str],
    slo: Mapping[str, float],
    usd_per_gpu_hour: float | None,
) -> SearchView:
    """The search of a task.

    Args:
        experiments: in the order of launch; those that are not finished are left out.
        frontier: the measured one, as the task ends with it.
    """
    finished = [e for e in experiments if e.status in ("completed", "failed")]
    expected = predicted_frontier(
        (p for e in finished for p in expectations(e) if is_usable(p, usd_per_gpu_hour)),
        objectives,
        usd_per_gpu_hour,
    )
    points = [as_point(prediction, usd_per_gpu_hour) for prediction in expected]
    indices = {e.candidate_id: e.index for e in finished}
    outcomes = [outcome(e, usd_per_gpu_hour, (*objectives, *slo)) for e in finished]
    taken = steps(
        outcomes,
        frontier,
        objectives=objectives,
        slo=slo,
        predicted=points,
    )
    return SearchView(
        measure=HYPERVOLUME if len(objectives) > 1 else objectives[0],
        launches=[
            _launch(e, step, representative_load(e, found.points))
            for e, step, found in zip(finished, taken, outcomes, strict=True)
        ],
        predicted_frontier=[
            PredictedPointView(
                experiment=point.candidate_id,
                index=indices[point.candidate_id],
                candidate=point.candidate_id,
                load=point.load,
                values={name: quantity(point, name) for name in objectives},
                kind=prediction.kind,
            )
            for point, prediction in zip(points, expected, strict=True)
        ],
    )


def _launch(experiment: ExperimentRecord, step: Step, load: LoadLevel | None) -> LaunchView:
    return LaunchView(
        experiment=experiment.candidate_id,
        index=experiment.index,
        phase=experiment.phase,
        reason=experiment.selection_reason,
        failed=experiment.status == "failed",
        value=step.value,
        added=step.added,
        frontier_points=step.frontier_points,
        in_vain=step.in_vain,
        load=load,
    )
