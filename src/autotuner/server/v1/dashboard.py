"""`/api/dashboard/`: GPUs, the worker, counts, the latest experiments."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi.responses import Response

from autotuner.launch.processes import this_machine
from autotuner.server.service import Service
from autotuner.server.v1.gpu_usage import NO_GPU, gpu_usage
from autotuner.server.v1.lifecycle import refresh_running, tasks_of
from autotuner.server.v1.routing import ServiceDep, json_response, v1_router
from autotuner.server.v1.schemas import task_row
from autotuner.store.maintenance import KnownWorker, known_workers
from autotuner.store.v1 import RUNNING, V1Statistics, V1TaskRecord

router = v1_router("/dashboard")
_SAMPLE_S = 0.1
"""Time over which a process's use of the CPU is measured."""
_MIB = 2**20
_DAY = timedelta(hours=24)
_MOST_RUNNING = 1000


@router.get("/gpu-status")
def get_gpu_status(service: ServiceDep) -> Response:
    """The GPUs of the service's machine, and how they are used."""
    found = gpu_usage()
    if not found:
        return json_response({"available": False, "error": NO_GPU})
    return json_response({"available": True, "gpus": found, "timestamp": _timestamp(service)})


@router.get("/cluster-gpu-status")
def get_cluster_gpu_status() -> Response:
    """No GPUs: engines run as processes on the workers' machines, not in a cluster."""
    error = "no Kubernetes cluster is used; engines run on the workers' machines"
    return json_response({"available": False, "error": error, "mode": "cluster"})


@router.get("/worker-status")
def get_worker_status(service: ServiceDep) -> Response:
    """The first worker that is alive. One on another machine has no figures of its process."""
    alive = service.liveness.alive(known_workers(service.store.sessions))
    worker = next((each for each in alive if each.kind == "worker"), None)
    cpu_percent, memory_mib = (0.0, 0.0) if worker is None else _usage(worker)
    up = None if worker is None else (service.clock() - worker.started_at).total_seconds()
    return json_response(
        {
            "worker_running": worker is not None,
            "worker_pid": None if worker is None else worker.pid,
            "worker_cpu_percent": cpu_percent,
            "worker_memory_mb": memory_mib,
            "worker_uptime_seconds": up,
            "redis_available": False,
            "timestamp": _timestamp(service),
        }
    )


@router.get("/db-statistics")
def get_db_statistics(service: ServiceDep) -> Response:
    """Counts of tasks and experiments, and the tasks that run."""
    refresh_running(service)
    statistics = V1Statistics(service.store.sessions)
    tasks, experiments = statistics.tasks_by_status(), statistics.experiments_by_status()
    day = _naive(service) - _DAY
    return json_response(
        {
            "total_tasks": sum(tasks.values()),
            "total_experiments": sum(experiments.values()),
            "tasks_by_status": _lower(tasks),
            "experiments_by_status": _lower(experiments),
            "tasks_last_24h": statistics.tasks_since(day),
            "experiments_last_24h": statistics.experiments_since(day),
            "avg_experiment_duration_seconds": statistics.mean_elapsed_s(),
            "running_tasks": _running(service, statistics),
            "timestamp": _timestamp(service),
        }
    )


@router.get("/experiment-timeline")
def get_experiment_timeline(service: ServiceDep, hours: int = 24) -> Response:
    """The experiments of the last hours, in the order in which they began."""
    refresh_running(service)
    try:
        since = _naive(service) - timedelta(hours=hours)
    except OverflowError:  # further back, or ahead, than there are dates
        since = datetime.min if hours > 0 else datetime.max
    rows = V1Statistics(service.store.sessions).timeline(since)
    return json_response([{**row, "status": row["status"].lower()} for row in rows])


def _running(service: Service, statistics: V1Statistics) -> list[dict[str, Any]]:
    found = tasks_of(service).page(skip=0, limit=_MOST_RUNNING, status=RUNNING)
    ended = statistics.ended_by_task([task.id for task in found])
    return [
        {
            **task_row(task),
            "started_at": task.started_at,
            "completed_experiments": ended.get(task.id, 0),
            "max_iterations": _most_iterations(task),
        }
        for task in found
    ]


def _most_iterations(task: V1TaskRecord) -> Any:
    given = task.optimization_config
    return given.get("max_iterations") if isinstance(given, dict) else None


def _usage(worker: KnownWorker) -> tuple[float, float]:
    """Percent of a CPU and MiB of memory that a worker's process uses; 0 on another machine."""
    import psutil  # here: few ask for it

    if worker.host != this_machine().host:
        return 0.0, 0.0
    try:
        process = psutil.Process(worker.pid)
        return process.cpu_percent(_SAMPLE_S), process.memory_info().rss / _MIB
    except psutil.Error:  # it has just ended
        return 0.0, 0.0


def _naive(service: Service) -> datetime:
    """Now, as v1's tables have times."""
    return service.clock().replace(tzinfo=None)


def _timestamp(service: Service) -> str:
    """Now, without a zone, as v1's dashboard had it."""
    return _naive(service).isoformat(timespec="microseconds")


def _lower(counts: dict[str, int]) -> dict[str, int]:
    return {status.lower(): count for status, count in counts.items()}
