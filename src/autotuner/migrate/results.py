"""A v2 run -> the rows that v1 would have written of it. Pure: the same run gives the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autotuner.config import Candidate
from autotuner.migrate.draft import TriedValue
from autotuner.migrate.metrics import v1_metrics
from autotuner.migrate.scores import DEFAULT_OBJECTIVE, failure_score, v1_score
from autotuner.store import ExperimentRecord, TaskRecord

TASK_STATUS = {
    "pending": "PENDING",
    "queued": "RUNNING",
    "running": "RUNNING",
    "paused": "RUNNING",
    "completed": "COMPLETED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "interrupted": "CANCELLED",
}
"""v2's status -> v1's. v1 called a task running from its start on, also while it waited."""
ENDED = ("COMPLETED", "FAILED", "CANCELLED")
FINISHED = ("completed", "failed")
_TAKEN_BACK = "interrupted"


@dataclass(frozen=True)
class V1Experiment:
    """One row of v1's `experiments`; `index` is its `experiment_id`, times in seconds.

    Attributes:
        source: the v2 experiment that it shows.
        status: PENDING, DEPLOYING, BENCHMARKING, SUCCESS or FAILED.
    """

    source: ExperimentRecord
    index: int
    parameters: dict[str, Any]
    status: str
    error_message: str | None
    metrics: dict[str, Any] | None
    objective_score: float | None
    gpu_info: dict[str, Any] | None
    service_name: str
    elapsed_s: float | None


@dataclass(frozen=True)
class V1Results:
    """The outcome in a row of v1's `tasks`, and its experiments in the order of launch.

    Attributes:
        best: `index` of the successful experiment with the lowest score.
    """

    status: str
    total_experiments: int
    successful_experiments: int
    best: int | None
    started_at: datetime | None
    completed_at: datetime | None
    elapsed_s: float | None
    experiments: tuple[V1Experiment, ...]


def v1_results(
    v1: Mapping[str, Any],
    points: Sequence[TriedValue],
    run: TaskRecord,
    experiments: Sequence[ExperimentRecord],
    *,
    ready: Collection[int] = (),
) -> V1Results:
    """The whole of it, from the whole run.

    Args:
        v1: the v1 task.
        points: of its translation: they have v1's names of the values that a candidate tries.
        ready: `index` of the experiments whose engine serves: their benchmark has begun.
    """
    # v1 called a task cancelled as soon as it was asked to be.
    status = "CANCELLED" if run.requested_action == "cancel" else TASK_STATUS[run.status]
    ended = status in ENDED
    shown = tuple(
        _experiment(v1, points, run, experiment, experiment.index in ready)
        for experiment in experiments
        if experiment.status in FINISHED or not (ended or experiment.status == _TAKEN_BACK)
    )
    succeeded = [experiment for experiment in shown if experiment.status == "SUCCESS"]
    scored = [(e.objective_score, e.index) for e in succeeded if e.objective_score is not None]
    if status == "COMPLETED" and not succeeded:
        # v2 counts what was measured; v1 counts what kept its hard limits.
        status = "FAILED"
    return V1Results(
        status=status,
        total_experiments=len(shown) if ended else max(_planned(v1, run), len(shown)),
        successful_experiments=len(succeeded),
        best=min(scored)[1] if scored else None,
        started_at=run.started_at or run.queued_at,
        completed_at=run.ended_at if ended else None,
        elapsed_s=run.wall_s if ended else None,
        experiments=shown,
    )


def v1_parameters(points: Sequence[TriedValue], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a candidate tries, in v1's names.

    Where several values of one name fit, the one that says most is meant: a preset that leaves all
    to the engine fits every candidate.
    """
    words = " ".join(("", *settings.get("misc.extra_args", ()), ""))
    found: dict[str, tuple[int, Any]] = {}
    for point in points:
        given = f" {' '.join(point.words)} "
        fits = all(settings.get(path) == value for path, value in point.settings.items())
        if fits and (not point.words or given in words):
            says = len(point.settings) + len(point.words)
            if point.name not in found or says > found[point.name][0]:
                found[point.name] = (says, point.value)
    return {name: value for name, (_, value) in found.items()}


def _planned(v1: Mapping[str, Any], run: TaskRecord) -> int:
    limit = _section(v1, "optimization").get("max_iterations")
    candidates = int(run.plan.get("candidates", 0))
    return min(candidates, limit) if isinstance(limit, int) and limit > 0 else candidates


def _experiment(
    v1: Mapping[str, Any],
    points: Sequence[TriedValue],
    run: TaskRecord,
    experiment: ExperimentRecord,
    serves: bool,
) -> V1Experiment:
    status, error = _status(experiment, serves)
    gpus = Candidate.from_settings(experiment.settings).gpus
    optimization = _section(v1, "optimization")
    metrics, score = None, None
    if status == "SUCCESS":
        slo = v1.get("slo")
        limits = slo if isinstance(slo, Mapping) else None
        metrics = v1_metrics(
            experiment.measurements,
            scenario=str(run.config.get("benchmark", {}).get("workload", "")),
            elapsed_s=experiment.measure_s or 0.0,
            benchmark_name=f"{v1['task_name']}-exp{experiment.index}",
            gpus=gpus,
            slo=limits,
        )
        objective = optimization.get("objective")
        named = objective if isinstance(objective, str) else DEFAULT_OBJECTIVE
        judged = v1_score(metrics, named, limits)
        score = judged.value
        if score is None:
            status, error = "FAILED", judged.failed_by or f"nothing was measured for {named}"
    elapsed_s = _elapsed_s(experiment)
    if status == "FAILED":
        score = failure_score(error, elapsed_s, optimization.get("timeout_per_iteration"))
    return V1Experiment(
        source=experiment,
        index=experiment.index,
        parameters=v1_parameters(points, experiment.settings),
        status=status,
        error_message=error,
        metrics=metrics,
        objective_score=score,
        gpu_info=_gpu_info(run.device, gpus),
        service_name=f"{v1['task_name']}-exp{experiment.index}",
        elapsed_s=elapsed_s,
    )


def _status(experiment: ExperimentRecord, serves: bool) -> tuple[str, str | None]:
    """v1's status, and why it failed."""
    if experiment.status == "completed":
        return "SUCCESS", None
    if experiment.status == "failed":
        kind, message = experiment.failure_kind, experiment.failure_message
        return "FAILED", f"{kind}: {message}" if kind else message
    return ("BENCHMARKING" if serves or experiment.measurements else "DEPLOYING"), None


def _gpu_info(model: str, gpus: int) -> dict[str, Any] | None:
    """The GPUs that it occupies, counted from 0 as its engine sees them; none on a CPU."""
    if not gpus:
        return None
    ids = [str(number) for number in range(gpus)]
    return {"model": model, "count": gpus, "device_ids": ids, "world_size": gpus}


def _section(v1: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = v1.get(name)
    return section if isinstance(section, Mapping) else {}


def _elapsed_s(experiment: ExperimentRecord) -> float | None:
    if experiment.startup_s is None and experiment.measure_s is None:
        return None
    return (experiment.startup_s or 0.0) + (experiment.measure_s or 0.0)
