"""`/system/`: the service itself, its devices, its workers, installed versions."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner import __version__
from autotuner.catalog import gpus, this_device
from autotuner.engines import ENGINES
from autotuner.predict import RooflinePredictor, device_speed
from autotuner.predict.aiconfigurator.installation import installed_version
from autotuner.predict.aisimulate import installation as aisimulate
from autotuner.report.documents import installed
from autotuner.server.liveness import DEAD_AFTER_S
from autotuner.server.v2.routing import ServiceDep, View, json_response, v2_router
from autotuner.store.maintenance import (
    KnownWorker,
    database_bytes,
    database_state,
    database_version,
    figures,
    known_workers,
    sizes,
)
from autotuner.workers.devices import found_gpus
from autotuner.workers.machine import MachineUsage, gpu_kinds
from autotuner.workers.policy import ModelSource, Policy
from autotuner.workers.usage_report import reported_usage

router = v2_router("/system", "system")
_LIBRARIES = ("fastapi", "pydantic", "sqlalchemy", "uvicorn")
_LIMITS = (
    *("max_body_bytes", "max_upload_bytes", "requests_per_s", "request_burst"),
    "keep_events_days",
)
_MOST = ("max_gpus", "max_experiments", "max_minutes", "max_concurrency", "max_rate")


class DatabaseView(View):
    """Database, without its location or credentials."""

    kind: Literal["sqlite", "postgresql"]
    revision: str | None
    """Revision of its schema."""
    newest_revision: str
    """Newest revision that this version knows."""
    size_bytes: int
    """Size on its disk."""


class CountsView(View):
    """Counts of rows."""

    tasks: dict[str, int]
    """By status."""
    experiments: dict[str, int]
    """By status."""
    measurements: int
    observations: int
    events: int
    profiles: int
    """Profiles stored in the database."""


class SystemView(View):
    """The service as a whole."""

    version: str
    time: datetime
    database: DatabaseView
    counts: CountsView
    workers_alive: int


class DeviceView(View):
    """A device of the service's machine, or of a worker's."""

    kind: Literal["cpu", "gpu"]
    name: str
    host: str
    worker: str | None
    """Worker that may use it; null for the service's own machine."""
    count: int
    """Cores of a CPU, GPUs of one kind."""
    memory_gib: float | None
    """Of the CPU, or of one GPU."""
    bandwidth_gb_s: float | None
    """As measured by `autotuner calibrate-device`, or of the catalog; null where not known."""


class DeviceList(View):
    """Devices on which tasks can run."""

    items: list[DeviceView]


class GpuUsageView(View):
    """How busy a GPU is; null where its driver does not tell."""

    index: int
    name: str
    memory_gib: float
    memory_used_gib: float
    use_percent: float | None
    power_w: float | None
    temperature_c: float | None


class MachineUsageView(View):
    """How busy a machine is."""

    cpu_percent: float | None
    """Of all its cores, since the reading before; null of the first."""
    memory_gib: float
    memory_used_gib: float
    gpus: list[GpuUsageView]


class WorkerView(View):
    """A process that runs tasks."""

    id: str
    name: str
    kind: str
    """`worker`, or `cli` for a task of the command line."""
    host: str
    pid: int
    version: str
    gpu: str
    """A GPU of the catalog, or `cpu`."""
    devices: list[str]
    status: str
    """`idle` or `busy`."""
    alive: bool
    """Whether its heartbeat has grown within the last 50 s, as this process has seen it."""
    heartbeat_age_s: float
    """Seconds since this process has seen its heartbeat grow."""
    task_id: int | None
    """Task that it works on."""
    usage: MachineUsageView | None
    """How busy its machine was at its last heartbeat; null where it did not say so."""
    started_at: datetime
    heartbeat_at: datetime
    """Time of its last heartbeat, by its own clock."""


class WorkerList(View):
    """Registered workers."""

    items: list[WorkerView]


class VersionsView(View):
    """Installed versions on the service's machine; null where not installed."""

    autotuner: str
    python: str
    database: str
    """The database's own version."""
    engines: dict[str, str | None]
    predictors: dict[str, str | None]
    libraries: dict[str, str]


class LimitsView(View):
    """Limits in force, as the operator has set them; null or empty where there is none.

    They are those of the service; a worker judges tasks by its own settings once more.
    """

    requires_token: bool
    max_body_bytes: int
    max_upload_bytes: int
    requests_per_s: float
    """Requests per second of one token or address; 0: no limit."""
    request_burst: int
    keep_events_days: float
    """Days for which events are kept; 0: forever."""
    allowed_engines: list[str]
    allowed_launchers: list[str]
    allowed_load_generators: list[str]
    allowed_models: ModelSource
    max_gpus: int | None
    max_experiments: int | None
    max_minutes: float | None
    max_concurrency: int
    max_rate: float
    policy: Policy
    """All that the operator has set of what tasks may launch."""


LIMITS: TypeAdapter[LimitsView] = TypeAdapter(LimitsView)
SYSTEM: TypeAdapter[SystemView] = TypeAdapter(SystemView)
DEVICE_LIST: TypeAdapter[DeviceList] = TypeAdapter(DeviceList)
WORKER_LIST: TypeAdapter[WorkerList] = TypeAdapter(WorkerList)
VERSIONS: TypeAdapter[VersionsView] = TypeAdapter(VersionsView)


@router.get("/", response_model=SystemView)
def get_system(service: ServiceDep) -> Response:
    """The service: its version, its database, counts of rows."""
    sessions = service.store.sessions
    state, found = database_state(sessions), figures(sessions)
    return json_response(
        SYSTEM,
        {
            "version": __version__,
            "time": service.clock(),
            "database": {
                "kind": state.kind,
                "revision": state.revision,
                "newest_revision": state.newest,
                "size_bytes": database_bytes(sessions),
            },
            "counts": {
                "tasks": found.tasks,
                "experiments": found.experiments,
                **sizes(sessions),
            },
            "workers_alive": len(service.liveness.alive(known_workers(sessions))),
        },
    )


@router.get("/devices", response_model=DeviceList)
def list_devices(service: ServiceDep) -> Response:
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
    workers = known_workers(service.store.sessions)
    return json_response(DEVICE_LIST, {"items": [here, *_of_workers(workers), *_left(workers)]})


@router.get("/workers", response_model=WorkerList)
def list_workers(service: ServiceDep) -> Response:
    """Lists the registered workers, and which of them are alive."""
    workers = known_workers(service.store.sessions)
    ages_s = service.liveness.heartbeat_age_s(workers)
    rows = [
        {
            **vars(each),
            "heartbeat_at": each.seen_at,
            "heartbeat_age_s": ages_s[each.id],
            "alive": ages_s[each.id] < DEAD_AFTER_S,
            "usage": machine_usage(reported_usage(each.usage)),
        }
        for each in workers
    ]
    return json_response(WORKER_LIST, {"items": rows})


@router.get("/limits", response_model=LimitsView)
def get_limits(service: ServiceDep) -> Response:
    """The limits in force: of requests, and of what tasks may launch."""
    settings = service.settings
    policy = settings.policy
    return json_response(
        LIMITS,
        {
            **{name: getattr(settings, name) for name in _LIMITS},
            **{name: getattr(policy, name) for name in _MOST},
            "requires_token": settings.token_required,
            "allowed_engines": policy.engines,
            "allowed_launchers": policy.deployment_modes,
            "allowed_load_generators": policy.tools,
            "allowed_models": policy.models,
            "policy": policy,
        },
    )


@router.get("/versions", response_model=VersionsView)
def get_versions(service: ServiceDep) -> Response:
    """The versions installed on the service's machine."""
    simulated = aisimulate.installed()
    return json_response(
        VERSIONS,
        {
            "autotuner": __version__,
            "python": platform.python_version(),
            "database": database_version(service.store.sessions),
            "engines": {name: installed(name).get("version") for name in ENGINES},
            "predictors": {
                "roofline": RooflinePredictor().name,
                "aiconfigurator": installed_version(),
                "aisimulate": simulated.version if simulated else None,
            },
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        },
    )


def machine_usage(usage: MachineUsage | None) -> dict[str, Any] | None:
    """How busy a machine is, as it is answered."""
    return None if usage is None else asdict(usage)


def _left(workers: Iterable[KnownWorker]) -> list[dict[str, Any]]:
    """GPUs of the service's machine that no worker has."""
    host = platform.node()
    held = Counter[str]()
    for worker in workers:
        if worker.host == host:
            held[worker.gpu] += len(worker.devices)
    return [
        {
            "kind": "gpu",
            "name": kind.name,
            "host": host,
            "worker": None,
            "count": left,
            "memory_gib": kind.memory_gib,
            "bandwidth_gb_s": None if kind.entry is None else kind.entry.bandwidth_gb_s,
        }
        for kind in gpu_kinds(found_gpus())
        if (left := kind.count - held[kind.name]) > 0
    ]


def _of_workers(workers: Iterable[KnownWorker]) -> list[dict[str, Any]]:
    """GPUs of workers; a CPU is listed by its own machine only."""
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
