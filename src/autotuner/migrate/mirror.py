"""Keeps v1's rows of a task that runs as a v2 task: the one part of this room that writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotuner.config import BACKENDS
from autotuner.errors import ConfigError
from autotuner.migrate.draft import TriedValue
from autotuner.migrate.results import V1Experiment, v1_results
from autotuner.migrate.translate import DOCKER, translate_task
from autotuner.store import Store
from autotuner.store.sessions import Sessions
from autotuner.store.v1 import MirroredRun, Shown, V1Outcome, V1TaskRecord, project
from autotuner.store.v1.records import naive

_COLUMNS = {
    "task_name": "task_name",
    "description": "description",
    "deployment_mode": "deployment_mode",
    "model": "model_config",
    "base_runtime": "base_runtime",
    "runtime_image_tag": "runtime_image_tag",
    "parameters": "parameters",
    "quant_config": "quant_config",
    "parallel_config": "parallel_config",
    "clusterbasemodel_config": "clusterbasemodel_config",
    "clusterservingruntime_config": "clusterservingruntime_config",
    "optimization": "optimization_config",
    "benchmark": "benchmark_config",
    "slo": "slo_config",
    "metadata": "own_metadata",
}
"""Key of the document -> column of the row; `slo_config` holds `slo`, as in v1."""


def v1_document(record: V1TaskRecord) -> dict[str, Any]:
    """The document; what the row does not say is left out."""
    columns = {key: getattr(record, column) for key, column in _COLUMNS.items()}
    return {key: value for key, value in {**columns, **record.extras}.items() if value is not None}


API_MODE = DOCKER
"""The deployment mode of a task without one, in v1's database and API."""


def mirror(store: Store, v2_task_id: int) -> None:
    """Writes all that a v2 task has found until now into the rows of the v1 task that it runs.

    Harmless to repeat, and for tasks of another origin. It needs no lease: whoever calls it writes
    the same.
    """
    sessions = store.sessions
    project(Sessions(sessions.engine, sessions.name), v2_task_id, _outcome)


def _outcome(v1: V1TaskRecord, run: MirroredRun) -> V1Outcome:
    document = v1_document(v1)
    points = _points(document, run.task.config)
    found = v1_results(document, points, run.task, run.experiments, ready=run.ready)
    return V1Outcome(
        values={
            "status": found.status,
            "total_experiments": found.total_experiments,
            "successful_experiments": found.successful_experiments,
            "started_at": naive(found.started_at),
            "completed_at": naive(found.completed_at),
            "elapsed_time": found.elapsed_s,
        },
        experiments=tuple(map(_shown, found.experiments)),
        best=found.best,
    )


def _points(document: dict[str, Any], v2: Mapping[str, Any]) -> tuple[TriedValue, ...]:
    """The values that the task tries, in its own names; none where it is no v1 task any more."""
    engine = v2.get("system", {}).get("backend")
    asked = engine if isinstance(engine, str) and engine in BACKENDS else None
    try:
        in_container = v2.get("deployment_mode") == DOCKER
        found = translate_task(
            document, absent_mode=API_MODE, containers=in_container, engine=asked
        )
        return found.points
    except ConfigError:
        return ()


def _shown(experiment: V1Experiment) -> Shown:
    values = {
        "experiment_id": experiment.index,
        "parameters": experiment.parameters,
        "status": experiment.status,
        "error_message": experiment.error_message,
        "metrics": experiment.metrics,
        "objective_score": experiment.objective_score,
        "gpu_info": experiment.gpu_info,
        "service_name": experiment.service_name,
        "service_url": None,
        "elapsed_time": experiment.elapsed_s,
    }
    return Shown(values, experiment.source.id)
