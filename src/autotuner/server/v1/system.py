"""`/api/system/`, `/api/runtime-params/`, `/api/dashboard/`: the service, flags, counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from autotuner import __version__
from autotuner.engines import engine_table, v1_engines
from autotuner.errors import StoreError
from autotuner.server.v1.lifecycle import refresh_running, tasks_of
from autotuner.server.v1.routing import ServiceDep, json_response, not_found, v1_router
from autotuner.server.v1.schemas import experiment_document
from autotuner.store.v1 import V1Statistics

runtime_params_router = v1_router("/runtime-params")

_SEARCHED = ("parallel.", "memory.", "scheduling.", "attention.", "quantization.")
router = v1_router("/system")
NO_REDIS = "not used"
"""Tasks wait in the database; there is no Redis."""
dashboard_router = v1_router("/dashboard")
_CPU = "cpu"


@runtime_params_router.get("/")
def list_runtime_params() -> Response:
    """Runtime -> the names of its parameters, as `parameters` of a task has them."""
    return json_response({name: _counted_parameters(name) for name in runtimes()})


@runtime_params_router.get("/{runtime}")
def get_runtime_params(runtime: str) -> Response:
    """One runtime's parameters."""
    return json_response({"runtime": runtime, **_counted_parameters(_known(runtime))})


@runtime_params_router.get("/{runtime}/commonly-tuned")
def get_commonly_tuned(runtime: str) -> Response:
    """Those that decide speed: of layout, memory, scheduling, attention and number formats."""
    found = [row for row in _rows(_known(runtime)) if row["field"].startswith(_SEARCHED)]
    return json_response({"runtime": runtime, "count": len(found), "parameters": found})


def runtimes() -> dict[str, str]:
    """v1's name of a runtime -> engine."""
    first: dict[str, str] = {}
    for word, name in v1_engines().items():
        first.setdefault(name, word)
    return {word: name for name, word in first.items()}


def _known(runtime: str) -> str:
    if runtime not in runtimes():
        raise not_found(f"Runtime (known: {', '.join(runtimes())})")
    return runtime


def _counted_parameters(runtime: str) -> dict[str, Any]:
    rows = _rows(runtime)
    return {"count": len(rows), "parameters": rows}


def _rows(runtime: str) -> list[dict[str, str]]:
    table = engine_table(runtimes()[runtime])
    found: dict[str, dict[str, str]] = {}
    for path, rows in table.rows.items():
        for row in rows:
            for flag in (*row.flags, *filter(None, (row.negated,))):
                name = flag.lstrip("-")
                found.setdefault(name, {"name": name, "field": path, "note": row.note})
    return list(found.values())


@router.get("/health")
def get_health(service: ServiceDep) -> Response:
    """Whether the service can work; v1's keys."""
    try:
        tasks_of(service).page(skip=0, limit=1, status=None)
    except StoreError as error:
        health = {"status": "unhealthy", "database": error.message, "redis": NO_REDIS}
        return json_response(health, 503)
    return json_response({"status": "healthy", "database": "ok", "redis": NO_REDIS})


@router.get("/info")
def get_info(service: ServiceDep) -> Response:
    """Name, version and capabilities of this service."""
    return json_response(
        {
            "app_name": "Inference Autotuner",
            "version": __version__,
            "api_version": "1",
            "deployment_modes": ["local"],
            "available_runtimes": list(runtimes()),
        }
    )


@dashboard_router.get("/gpu-status")
def get_gpu_status(service: ServiceDep) -> Response:
    """GPUs of the registered workers."""
    gpus = [
        {"index": device, "name": worker.gpu, "worker": worker.name}
        for worker in service.store.workers.all()
        if worker.gpu != _CPU
        for device in worker.devices
    ]
    return json_response({"available": bool(gpus), "gpus": gpus})


@dashboard_router.get("/worker-status")
def get_worker_status(service: ServiceDep) -> Response:
    """Registered workers."""
    shown = ("id", "name", "kind", "host", "gpu", "devices", "status")
    workers = [
        {name: getattr(worker, name) for name in shown} for worker in service.store.workers.all()
    ]
    count = len(workers)
    return json_response({"worker_running": count > 0, "worker_count": count, "workers": workers})


@dashboard_router.get("/db-statistics")
def get_db_statistics(service: ServiceDep) -> Response:
    """Counts of tasks and experiments."""
    refresh_running(service)
    statistics = V1Statistics(service.store.sessions)
    tasks, experiments = statistics.tasks_by_status(), statistics.experiments_by_status()
    return json_response(
        {
            "total_tasks": sum(tasks.values()),
            "tasks_by_status": _lower(tasks),
            "total_experiments": sum(experiments.values()),
            "experiments_by_status": _lower(experiments),
            "average_experiment_duration": statistics.mean_elapsed_s(),
        }
    )


@dashboard_router.get("/experiment-timeline")
def get_experiment_timeline(
    service: ServiceDep,
    hours: Annotated[int, Query(ge=1, le=24 * 366)] = 24,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> Response:
    """The experiments of the last hours, newest first."""
    refresh_running(service)
    since = service.clock().replace(tzinfo=None) - timedelta(hours=hours)
    found = V1Statistics(service.store.sessions).experiments_since(since, limit=limit)
    shown = ("id", "task_id", "experiment_id", "status", "objective_score", "created_at")
    times = ("started_at", "completed_at", "elapsed_time")
    return json_response(
        [
            {"task_name": name, **{k: experiment_document(record)[k] for k in (*shown, *times)}}
            for record, name in found
        ]
    )


def _lower(counts: dict[str, int]) -> dict[str, int]:
    return {status.lower(): count for status, count in counts.items()}
