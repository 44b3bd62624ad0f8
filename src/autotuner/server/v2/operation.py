"""`/system/…`: how busy the machine is, its queue, its health, and backups of the database."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from fastapi.responses import FileResponse, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from autotuner.errors import AutotunerError, NotFoundError
from autotuner.launch.processes import this_machine
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.usage_history import EVERY_S
from autotuner.server.v2.routing import ServiceDep, Text, View, json_response, problems, v2_router
from autotuner.server.v2.system import MachineUsageView, machine_usage
from autotuner.server.v2.waiting import WaitingView, why_waiting
from autotuner.store.backups import (
    backup_file,
    backups_in,
    delete_backup,
    made_backup,
    no_backup,
)
from autotuner.store.maintenance import (
    Database,
    DatabaseState,
    database_state,
    figures,
    known_workers,
)

router = v2_router("/system", "system")
_MOST_QUEUED = 100
_LOW_DISK = 0.05
_GIB = 2**30
_WORKER = "worker"
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class UsageView(MachineUsageView):
    """How busy a machine was at a moment."""

    at: datetime


class UsageList(View):
    """Samples of the last half hour at the most, the oldest first; a restart forgets them."""

    every_s: float
    host: str
    """Machine that they are of."""
    hosts: list[str]
    """Machines that can be asked for: the service's own, then those of workers on others."""
    newest_at: datetime
    """Time of the newest sample, of whichever machine: where `items` end before it, nothing is
    known of this one since."""
    items: list[UsageView]


class QueuedTask(View):
    """Task that runs, or waits to."""

    id: int
    name: str
    status: Literal["running", "queued"]
    worker: str | None
    """Name of the worker that has it."""
    requested: str
    """Devices that it asks for: `8 x h100_sxm`, `cpu`; empty where any will do."""
    queued_at: datetime | None
    started_at: datetime | None
    waiting: WaitingView | None
    """Null of one that runs."""


class Queue(View):
    """Tasks that run, then those that wait in their order."""

    items: list[QueuedTask]
    """Of those that wait, the first 100."""
    queued: int


class HealthCheck(View):
    """Part of the service, and whether it is as it should be."""

    name: str
    status: Literal["ok", "warning", "error"]
    detail: str
    remedy: str
    """Empty where it is ok."""


class HealthList(View):
    """Every part that is checked."""

    items: list[HealthCheck]


class BackupView(View):
    """Backup in the home's `backups/`."""

    name: str
    size_bytes: int
    created_at: datetime


class BackupList(View):
    """Backups, the newest first."""

    items: list[BackupView]


class _BackupResponse(FileResponse):
    """A backup as a file, or that there is none where it was deleted since it was looked up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except RuntimeError:
            # The framework has no kind of its own for a file that is gone.
            path = FilePath(self.path)
            if await run_in_threadpool(path.exists):
                raise
            raise no_backup(path.name) from None


BackupName = Annotated[Text, Path(max_length=200, description="As the list has it.")]
USAGE: TypeAdapter[UsageList] = TypeAdapter(UsageList)
QUEUE: TypeAdapter[Queue] = TypeAdapter(Queue)
HEALTH: TypeAdapter[HealthList] = TypeAdapter(HealthList)
BACKUP: TypeAdapter[BackupView] = TypeAdapter(BackupView)
BACKUP_LIST: TypeAdapter[BackupList] = TypeAdapter(BackupList)


@router.get("/usage", response_model=UsageList, responses=problems(ProblemKind.NOT_FOUND))
def list_usage(
    service: ServiceDep,
    host: Annotated[
        Text | None,
        Query(max_length=200, description="One of `hosts`; the service's machine if left out."),
    ] = None,
) -> Response:
    """Lists how busy a machine was of late: CPUs, memory, GPUs; a gap where no reading arrived."""
    here, samples = this_machine().host, service.usage.samples()
    others = sorted({name for sample in samples for name in sample.others})
    asked = here if host is None else host
    if asked != here and asked not in others:
        raise NotFoundError(
            f"no worker has said of late how busy {asked[:100]!r} is",
            remedy="`hosts` lists the machines that are known",
        )
    usages = (
        (sample.at, sample.usage if asked == here else sample.others.get(asked))
        for sample in samples
    )
    items = [
        {"at": at, **usage} for at, found in usages if (usage := machine_usage(found)) is not None
    ]
    view = {
        "every_s": EVERY_S,
        "host": asked,
        "hosts": [here, *others],
        "newest_at": samples[-1].at,
        "items": items,
    }
    return json_response(USAGE, view)


@router.get("/queue", response_model=Queue)
def get_queue(service: ServiceDep) -> Response:
    """Lists the tasks that run, and those that wait with the reason."""
    sessions, tasks = service.store.sessions, service.store.tasks
    workers = known_workers(sessions)
    alive = service.liveness.alive(workers)
    names = {worker.id: worker.name for worker in workers}
    now = service.clock()
    rows: list[dict[str, Any]] = []
    for task in (*tasks.running(), *tasks.queued(most=_MOST_QUEUED)):
        waiting = None
        if task.status == "queued":
            before = sum(row["status"] == "queued" for row in rows)
            queued_s = (now - task.queued_at).total_seconds() if task.queued_at else 0.0
            reason, remedy = why_waiting(task, alive, before=before, queued_s=queued_s)
            waiting = {"position": before + 1, "reason": reason, "remedy": remedy}
        gpus = task.requested_gpus
        rows.append(
            {
                "id": task.id,
                "name": task.name,
                "status": task.status,
                "worker": task.worker and names.get(task.worker, task.worker),
                "requested": f"{gpus} x {task.requested_gpu}" if gpus else task.requested_gpu,
                "queued_at": task.queued_at,
                "started_at": task.started_at,
                "waiting": waiting,
            }
        )
    queued = figures(sessions).tasks.get("queued", 0)
    return json_response(QUEUE, {"items": rows, "queued": queued})


@router.get("/health", response_model=HealthList)
def list_health(service: ServiceDep) -> Response:
    """Checks the parts of the service: database, workers, disk."""
    sessions = service.store.sessions
    alive = [one for one in service.liveness.alive(known_workers(sessions)) if one.kind == _WORKER]
    disk = shutil.disk_usage(service.folder)
    items = [
        database_health(database_state(sessions)),
        worker_health([one.name for one in alive], figures(sessions).tasks.get("queued", 0)),
        disk_health(free_bytes=disk.free, total_bytes=disk.total),
    ]
    return json_response(HEALTH, {"items": items})


def database_health(state: DatabaseState) -> HealthCheck:
    """Whether this version can work on the database."""
    if state.is_current:
        detail = f"{_KINDS[state.kind]} answers, its schema is the newest"
        return HealthCheck(name="database", status="ok", detail=detail, remedy="")
    return HealthCheck(
        name="database",
        status="error",
        detail=f"its schema is at revision {state.revision}, and this version needs {state.newest}",
        remedy="start the version that upgraded it",
    )


def worker_health(alive: Sequence[str], queued: int) -> HealthCheck:
    """Whether queued tasks are taken; no worker is an error once something waits."""
    if alive:
        noun = "worker takes" if len(alive) == 1 else "workers take"
        detail = f"{len(alive)} {noun} tasks from the queue: {', '.join(alive)}"
        return HealthCheck(name="workers", status="ok", detail=detail, remedy="")
    waiting = (
        f", and {queued} {'task is' if queued == 1 else 'tasks are'} waiting" if queued else ""
    )
    return HealthCheck(
        name="workers",
        status="error" if queued else "warning",
        detail=f"none is running{waiting}",
        remedy="start one with `autotuner worker`",
    )


def disk_health(*, free_bytes: int, total_bytes: int) -> HealthCheck:
    """Whether there is room for results and logs."""
    detail = f"{free_bytes / _GIB:.1f} GiB of {total_bytes / _GIB:.0f} GiB are free in the home"
    if free_bytes >= _LOW_DISK * total_bytes:
        return HealthCheck(name="disk", status="ok", detail=detail, remedy="")
    return HealthCheck(
        name="disk",
        status="warning",
        detail=detail,
        remedy="delete tasks and backups that are no longer needed, or move the home",
    )


@router.get("/backups", response_model=BackupList)
def list_backups(service: ServiceDep) -> Response:
    """Lists the backups of the database in the home's folder."""
    return json_response(BACKUP_LIST, {"items": _rows(backups_in(service.folder))})


@router.post(
    "/backups", status_code=201, response_model=BackupView, responses=problems(ProblemKind.CONFLICT)
)
def create_backup(service: ServiceDep) -> Response:
    """Copies the database into the home's folder while it is used; PostgreSQL's with pg_dump."""
    (row,) = _rows([_backed_up(service)])
    return json_response(BACKUP, row, status=201)


@router.get(
    "/backups/{name}",
    response_class=FileResponse,
    responses=problems(ProblemKind.NOT_FOUND)
    | {200: {"description": "The file.", "content": {"application/octet-stream": {}}}},
)
def get_backup(
    service: ServiceDep,
    name: BackupName,
) -> Response:
    """A backup as a file."""
    path = backup_file(service.folder, name)
    return _BackupResponse(path, media_type="application/octet-stream", filename=path.name)


@router.delete("/backups/{name}", status_code=204, responses=problems(ProblemKind.NOT_FOUND))
def remove_backup(service: ServiceDep, name: BackupName) -> Response:
    """Deletes a backup for good."""
    try:
        delete_backup(service.folder, name)
    except OSError as error:
        raise _not_written(error) from None
    return Response(status_code=204)


def _backed_up(service: Service) -> Any:
    try:
        return made_backup(Database.of(service.store.sessions), service.folder)
    except OSError as error:
        raise _not_written(error) from None


def _not_written(error: OSError) -> AutotunerError:
    return AutotunerError(
        f"the home's folder cannot be written: {error.strerror}",
        remedy="make room there, or give the service the right to write",
    )


def _rows(backups: Iterable[Any]) -> list[dict[str, Any]]:
    return [vars(backup) for backup in backups]
