"""`/api/dashboard/…`: devices, workers, counts, and the latest experiments."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from autotuner.server.v1.answers import experiment_answer
from autotuner.server.v1.routing import Given, answer, v1_part
from autotuner.server.v1.running import look_again
from autotuner.store.v1 import V1Statistics

router = v1_part("/dashboard")

_CPU = "cpu"


@router.get("/gpu-status")
def get_gpu_status(service: Given) -> Response:
    """The GPUs of the workers that are there."""
    gpus = [
        {"index": device, "name": worker.gpu, "worker": worker.name}
        for worker in service.store.workers.all()
        if worker.gpu != _CPU
        for device in worker.devices
    ]
    return answer({"available": bool(gpus), "gpus": gpus})


@router.get("/worker-status")
def get_worker_status(service: Given) -> Response:
    """The workers, and whether any is there."""
    shown = ("id", "name", "kind", "host", "gpu", "devices", "status")
    workers = [
        {name: getattr(worker, name) for name in shown} for worker in service.store.workers.all()
    ]
    count = len(workers)
    return answer({"worker_running": count > 0, "worker_count": count, "workers": workers})


@router.get("/db-statistics")
def get_db_statistics(service: Given) -> Response:
    """Counts of tasks and experiments."""
    look_again(service)
    statistics = V1Statistics(service.store.sessions)
    tasks, experiments = statistics.tasks_by_status(), statistics.experiments_by_status()
    return answer(
        {
            "total_tasks": sum(tasks.values()),
            "tasks_by_status": _lower(tasks),
            "total_experiments": sum(experiments.values()),
            "experiments_by_status": _lower(experiments),
            "average_experiment_duration": statistics.mean_elapsed_s(),
        }
    )


@router.get("/experiment-timeline")
def get_experiment_timeline(
    service: Given,
    hours: Annotated[int, Query(ge=1, le=24 * 366)] = 24,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> Response:
    """The experiments of the last hours, newest first."""
    look_again(service)
    since = service.clock().replace(tzinfo=None) - timedelta(hours=hours)
    found = V1Statistics(service.store.sessions).experiments_since(since, limit=limit)
    shown = ("id", "task_id", "experiment_id", "status", "objective_score", "created_at")
    times = ("started_at", "completed_at", "elapsed_time")
    return answer(
        [
            {"task_name": name, **{k: experiment_answer(record)[k] for k in (*shown, *times)}}
            for record, name in found
        ]
    )


def _lower(counts: dict[str, int]) -> dict[str, int]:
    return {status.lower(): count for status, count in counts.items()}
