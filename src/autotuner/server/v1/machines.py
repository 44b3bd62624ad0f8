"""The GPUs of a v1 task: v1's tasks name none, and took those of their machine."""

from __future__ import annotations

from typing import Any

from autotuner.catalog.gpus import CPU
from autotuner.migrate.mirror import API_MODE
from autotuner.server.service import Service
from autotuner.store.maintenance import known_workers

_LOCAL = "local"
"""v1's mode in which an engine is a process, which may run on the CPU."""
_COLUMN = "system_config"


def with_gpus(service: Service, document: dict[str, Any]) -> dict[str, Any]:
    """The task with the GPUs of the widest worker that is alive.

    One that names its GPUs stays as it is, as does a local one while a worker has a CPU, and any
    while no worker has GPUs.
    """
    column = document.get(_COLUMN)
    named = column if isinstance(column, dict) else {}
    workers = service.liveness.alive(known_workers(service.store.sessions))
    of_gpus = [one for one in workers if one.kind == "worker" and one.gpu != CPU]
    is_local = (document.get("deployment_mode") or API_MODE) == _LOCAL
    if "gpu_type" in named or not of_gpus or (is_local and len(of_gpus) < len(workers)):
        return document
    widest = max(of_gpus, key=lambda one: len(one.devices))
    gpus = {"gpu_type": widest.gpu, "total_gpus": len(widest.devices)}
    return {**document, _COLUMN: {**gpus, **named}}
