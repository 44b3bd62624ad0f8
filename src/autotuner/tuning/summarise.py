"""A stored run as a `RunSummary`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from autotuner.config import TaskConfig, parse_task
from autotuner.search import (
    OperatingPoint,
    hypervolume,
    objective_vector,
    recommend,
    reference_point,
)
from autotuner.search.slo import verdict, verdicts
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.accuracy import prediction_error, predictions_beside
from autotuner.tuning.points import occupied_gpus, outcome
from autotuner.tuning.searched import search_view
from autotuner.tuning.standing import frontier
from autotuner.tuning.summary import (
    ExperimentView,
    FailureView,
    PointView,
    RecommendedView,
    RunSummary,
    RunView,
)


def summarise(store: Store, run: TaskRecord, *, report: str | None = None) -> RunSummary:
    """Everything `run` says, read from the store."""
    task = parse_task(run.config, source=f"run {run.id}")
    experiments = store.experiments(run.id)
    by_candidate = {experiment.candidate_id: experiment for experiment in experiments}
    price = run.plan.get("usd_per_gpu_hour")
    by_experiment = {e.id: _points(e, price, task.compared) for e in experiments}
    points = [point for found in by_experiment.values() for point in found]
    views = [
        _experiment_view(experiment, run, by_experiment[experiment.id])
        for experiment in experiments
    ]
    objectives, limits = task.objectives, task.slo_limits()
    front = frontier(points, objectives, limits)
    single = len(objectives) == 1
    fields = partial(_point_fields, by_candidate=by_candidate, slo=limits)
    chosen = recommend(points if limits or single else front, limits, objectives)
    return RunSummary(
        run=_run_view(run, task, front),
        experiments=views,
        frontier=[PointView.model_validate(fields(point)) for point in front],
        recommended=_recommended(chosen, fields, limits),
        search=search_view(
            experiments, front, objectives=objectives, slo=limits, usd_per_gpu_hour=price
        ),
        prediction_error=prediction_error(told for view in views for told in view.predictions),
        report=report,
    )


def _points(
    experiment: ExperimentRecord, usd_per_gpu_hour: float | None, needs: Sequence[str]
) -> tuple[OperatingPoint, ...]:
    if experiment.status != "completed":
        return ()
    return outcome(experiment, usd_per_gpu_hour, needs).points


def _run_view(run: TaskRecord, task: TaskConfig, front: list[OperatingPoint]) -> RunView:
    vectors = [objective_vector(point, task.objectives) for point in front]
    has_volume = bool(vectors) and len(task.objectives) > 1
    plan: dict[str, Any] = run.plan
    return RunView.model_validate(
        {
            "id": run.id,
            "name": run.name,
            "replay": run.replay,
            "landscape": task.replay.landscape if task.replay else None,
            "status": run.status,
            "stop_reason": run.stop_reason,
            "started_at": run.created_at.isoformat(),
            "ended_at": run.ended_at.isoformat() if run.ended_at else None,
            "wall_s": run.wall_s,
            # A task that waits for a worker has no plan yet.
            "candidates": plan.get("candidates", 0),
            "excluded": plan.get("excluded", {}),
            "axes": plan.get("axes", {}),
            "engine": run.engine,
            "engine_version": run.engine_version,
            "model": run.model,
            "device": run.device,
            "strategy": plan.get("strategy", ""),
            "strategy_reason": plan.get("strategy_reason", ""),
            "objectives": list(task.objectives),
            "slo": task.slo_limits(),
            "hypervolume": hypervolume(vectors, reference_point(vectors)) if has_volume else None,
            "task": run.config,
        }
    )


def _experiment_view(
    experiment: ExperimentRecord, run: TaskRecord, points: tuple[OperatingPoint, ...]
) -> ExperimentView:
    failure = None
    if experiment.failure_kind is not None:
        failure = FailureView(
            kind=experiment.failure_kind,
            message=experiment.failure_message or "",
            log_tail=experiment.log_tail or "",
        )
    left = ("interrupted",) if run.status == "running" else ("interrupted", "running")
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
            "command": experiment.command,
            "log_path": experiment.log_path,
            "startup_s": experiment.startup_s,
            "measure_s": experiment.measure_s,
            "measurements": list(experiment.measurements),
            "predictions": predictions_beside(experiment, points),
            "unpredicted": experiment.unpredicted,
            "cut_short": experiment.cut_short,
        }
    )


def _point_fields(
    point: OperatingPoint, by_candidate: dict[str, ExperimentRecord], slo: Mapping[str, float]
) -> dict[str, Any]:
    experiment = by_candidate[point.candidate_id]
    return {
        "experiment": point.candidate_id,
        "concurrency": point.concurrency,
        "tok_s": point.tok_s,
        "tok_s_per_gpu": point.tok_s_per_gpu,
        "tok_s_per_user": point.tok_s_per_user,
        "requests_per_s": point.requests_per_s,
        "requests_per_s_per_gpu": point.requests_per_s_per_gpu,
        "ttft_ms": point.ttft_ms,
        "tpot_ms": point.tpot_ms,
        "e2e_p90_ms": point.e2e_p90_ms,
        "usd_per_million_tokens": point.usd_per_million_tokens,
        "verdicts": verdicts(point, slo),
        "settings": experiment.settings,
        "command": experiment.command,
    }


def _recommended(
    chosen: tuple[OperatingPoint, str, bool] | None,
    fields: Callable[[OperatingPoint], dict[str, Any]],
    slo: Mapping[str, float],
) -> RecommendedView | None:
    if chosen is None:
        return None
    point, reason, meets_slo = chosen
    stands = {"meets_slo": meets_slo, "verdict": verdict(point, slo) if slo else None}
    return RecommendedView.model_validate(fields(point) | {"reason": reason} | stands)
