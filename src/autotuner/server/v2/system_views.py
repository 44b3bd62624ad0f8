"""The service itself as API v2 tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from autotuner.server.v2.task_views import View


class DatabaseView(View):
    """The database; nothing of where it is or who may use it."""

    kind: Literal["sqlite", "postgresql"]
    revision: str | None
    """What its schema is at."""
    newest_revision: str
    """The newest that this version knows."""


class CountsView(View):
    """How much there is."""

    tasks: dict[str, int]
    """By status."""
    experiments: dict[str, int]
    """By status."""
    measurements: int
    observations: int
    events: int
    profiles: int
    """Those that users keep here."""


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
    """The worker that may use it; null for the service's own machine."""
    count: int
    """Cores of a CPU, GPUs of one kind."""
    memory_gib: float | None
    """Of the CPU, or of one GPU."""
    bandwidth_gb_s: float | None
    """As measured by `autotuner calibrate-device`, or of the catalog; null where not known."""


class DeviceList(View):
    """Devices on which tasks can run."""

    items: list[DeviceView]


class WorkerView(View):
    """A process that runs tasks."""

    id: str
    name: str
    kind: str
    """`worker`, or `cli` for a run of the command line."""
    host: str
    pid: int
    version: str
    gpu: str
    """What it has: a GPU of the catalog, or `cpu`."""
    devices: list[str]
    status: str
    """`idle` or `busy`."""
    alive: bool
    """Whether its beat has grown within the last 50 s, as this process has seen it."""
    quiet_s: float
    """For how long this process has seen its beat not grow."""
    task_id: int | None
    """The task that it works on."""
    started_at: datetime
    seen_at: datetime
    """When it last said that it lives, by its own clock."""


class WorkerList(View):
    """The workers that are known."""

    items: list[WorkerView]


class VersionsView(View):
    """What is installed on the service's machine; null is not."""

    autotuner: str
    python: str
    database: str
    """The database's own version."""
    engines: dict[str, str | None]
    predictors: dict[str, str | None]
    libraries: dict[str, str]


SYSTEM: TypeAdapter[SystemView] = TypeAdapter(SystemView)
DEVICE_LIST: TypeAdapter[DeviceList] = TypeAdapter(DeviceList)
WORKER_LIST: TypeAdapter[WorkerList] = TypeAdapter(WorkerList)
VERSIONS: TypeAdapter[VersionsView] = TypeAdapter(VersionsView)
