"""`/system/`: the service itself, its devices, its workers, what is installed."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from autotuner import __version__
from autotuner.catalog import gpus, this_device
from autotuner.engines import ENGINES
from autotuner.predict import RooflinePredictor, device_speed
from autotuner.predict.aiconfigurator_package import installed_version
from autotuner.report.documents import installed
from autotuner.server.liveness import QUIET_S, Liveness
from autotuner.server.service import Service
from autotuner.server.v2.routing import Given, answer, v2_router
from autotuner.server.v2.system_views import (
    DEVICE_LIST,
    SYSTEM,
    VERSIONS,
    WORKER_LIST,
    DeviceList,
    SystemView,
    VersionsView,
    WorkerList,
)
from autotuner.store.figures import (
    KnownWorker,
    database_state,
    database_version,
    figures,
    known_workers,
    sizes,
)

router = v2_router("/system", "system")
_LIBRARIES = ("fastapi", "pydantic", "sqlalchemy", "uvicorn")


@router.get("/", response_model=SystemView)
def get_system(service: Given, request: Request) -> Response:
    """The service: its version, its database, how much there is."""
    sessions = service.store.sessions
    state, found = database_state(sessions), figures(sessions)
    return answer(
        SYSTEM,
        {
            "version": __version__,
            "time": service.clock(),
            "database": {
                "kind": state.kind,
                "revision": state.revision,
                "newest_revision": state.newest,
            },
            "counts": {
                "tasks": found.tasks,
                "experiments": found.experiments,
                **sizes(sessions),
            },
            "workers_alive": workers_alive(service, request.app.state.liveness),
        },
    )


@router.get("/devices", response_model=DeviceList)
def list_devices(service: Given) -> Response:
    """Lists the service's machine and what its workers may use."""
    device, speed = this_device(), device_speed(service.folder, measure=False)
    here = {
        "kind": "cpu",
        "name": device.name,
        "host": platform.node(),
        "worker": None,
        "count": device.cores,
        "memory_gib": device.memory_gib,
        "bandwidth_gb_s": None if speed is None else speed.bandwidth_gb_s,
    }
    return answer(
        DEVICE_LIST, {"items": [here, *_of_workers(known_workers(service.store.sessions))]}
    )


@router.get("/workers", response_model=WorkerList)
def list_workers(service: Given, request: Request) -> Response:
    """Lists the workers that are known, and which of them live."""
    workers = known_workers(service.store.sessions)
    quiet = request.app.state.liveness.quiet_s(workers)
    rows = [
        {**vars(each), "quiet_s": quiet[each.id], "alive": quiet[each.id] < QUIET_S}
        for each in workers
    ]
    return answer(WORKER_LIST, {"items": rows})


@router.get("/versions", response_model=VersionsView)
def get_versions(service: Given) -> Response:
    """What is installed on the service's machine."""
    return answer(
        VERSIONS,
        {
            "autotuner": __version__,
            "python": platform.python_version(),
            "database": database_version(service.store.sessions),
            "engines": {name: installed(name).get("version") for name in ENGINES},
            "predictors": {
                "roofline": RooflinePredictor().name,
                "aiconfigurator": installed_version(),
            },
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        },
    )


def workers_alive(service: Service, liveness: Liveness) -> int:
    """How many workers live, as this process sees it."""
    quiet = liveness.quiet_s(known_workers(service.store.sessions))
    return sum(seconds < QUIET_S for seconds in quiet.values())


def _of_workers(workers: Iterable[KnownWorker]) -> list[dict[str, Any]]:
    """The GPUs of workers; their CPUs are told by the machine itself alone."""
    known = gpus()
    return [
        {
            "kind": "gpu",
            "name": worker.gpu,
            "host": worker.host,
            "worker": worker.id,
            "count": len(worker.devices),
            "memory_gib": known[worker.gpu].memory_gib,
            "bandwidth_gb_s": known[worker.gpu].bandwidth_gb_s,
        }
        for worker in workers
        if worker.gpu in known and not known[worker.gpu].is_cpu
    ]
