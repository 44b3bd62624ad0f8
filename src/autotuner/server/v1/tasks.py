"""`/api/tasks/`: create, list, read, change, replace, delete, start, cancel, restart, clear."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from autotuner.errors import NameTakenError
from autotuner.server.service import Service
from autotuner.server.v1.lifecycle import (
    cancel,
    change_without_results,
    refresh_running,
    require_task,
    start,
    tasks_of,
)
from autotuner.server.v1.routing import (
    Id,
    ServiceDep,
    bad_request,
    json_response,
    no_content,
    not_found,
    v1_router,
)
from autotuner.server.v1.schemas import (
    TaskBody,
    TaskChange,
    V1Status,
    is_name,
    task_document,
    task_row,
)
from autotuner.store.v1 import RUNNING

router = v1_router("/tasks")

_MOST_ROWS = 2**31 - 1
Count = Annotated[int, Query()]


@router.post("/", status_code=201)
def create_task(service: ServiceDep, body: TaskBody) -> Response:
    """Creates a pending task."""
    made = tasks_of(service).create(body.columns())
    if made is None:
        raise _name_taken(body)
    return json_response(task_document(made), 201)


@router.get("/")
def list_tasks(
    service: ServiceDep, skip: Count = 0, limit: Count = 100, status_filter: str | None = None
) -> Response:
    """Lists tasks, newest first, in short; with a `limit` below 0 all of them.

    `status_filter` may be written in any case; none is in a status that does not exist.
    """
    refresh_running(service)
    status = status_filter.upper() if status_filter else None
    if status is not None and status not in V1Status.__members__:
        return json_response([])
    found = tasks_of(service).page(
        skip=min(max(skip, 0), _MOST_ROWS),
        limit=None if limit < 0 else min(limit, _MOST_ROWS),
        status=status,
    )
    return json_response([task_row(record) for record in found])


@router.get("/name/{task_name}")
def get_task_by_name(service: ServiceDep, task_name: str) -> Response:
    """A task by its name."""
    found = tasks_of(service).named(task_name) if is_name(task_name) else None
    if found is None:
        raise not_found(f"Task '{task_name}'")
    return _task_response(service, found.id)


@router.get("/{task_id}")
def get_task(service: ServiceDep, task_id: Id) -> Response:
    """A task by its number."""
    return _task_response(service, task_id)


@router.patch("/{task_id}")
def change_task(service: ServiceDep, task_id: Id, body: TaskChange) -> Response:
    """Changes the description or the status; what runs here can only be cancelled."""
    record = require_task(service, task_id)
    if body.status is not None and body.status.name != record.status:
        _set_status(service, task_id, record.status, body.status)
    if body.description is not None:
        tasks_of(service).change(task_id, {"description": body.description})
    return _task_response(service, task_id)


def _set_status(service: Service, task_id: int, before: str, status: V1Status) -> None:
    """Sets a status; nothing is started, and a run is ended by its own rules only."""
    if before == RUNNING and tasks_of(service).run_of(task_id) is not None:
        if status is not V1Status.CANCELLED:
            raise bad_request("A running task can only be cancelled")
        cancel(service, task_id)
        return
    # A task that was started meanwhile keeps its status.
    if not tasks_of(service).change(task_id, {"status": status.name}, only=(before,)):
        raise bad_request("Task was changed meanwhile; read it again")


@router.put("/{task_id}")
def replace_task(service: ServiceDep, task_id: Id, body: TaskBody) -> Response:
    """Puts another task in this one's place; it is pending, and has no results."""
    try:
        change_without_results(
            service,
            task_id,
            lambda all_: all_.replace(task_id, body.columns()),
            "Cannot edit a running task",
        )
    except NameTakenError:
        raise _name_taken(body) from None
    return _task_response(service, task_id)


@router.delete("/{task_id}", status_code=204, response_class=Response)
def delete_task(service: ServiceDep, task_id: Id) -> Response:
    """Deletes a task with its experiments."""
    change_without_results(
        service,
        task_id,
        lambda all_: all_.delete(task_id),
        "Cannot delete running task. Cancel it first.",
    )
    return no_content()


@router.post("/{task_id}/start")
def start_task(service: ServiceDep, task_id: Id) -> Response:
    """Starts a pending task."""
    start(service, task_id)
    return _task_response(service, task_id)


@router.post("/{task_id}/cancel")
def cancel_task(service: ServiceDep, task_id: Id) -> Response:
    """Cancels a running task."""
    require_task(service, task_id)
    cancel(service, task_id)
    return _task_response(service, task_id)


@router.post("/{task_id}/restart")
def restart_task(service: ServiceDep, task_id: Id) -> Response:
    """Deletes the experiments of a finished task and starts it."""
    start(service, task_id, anew=True)
    return _task_response(service, task_id)


@router.post("/{task_id}/clear")
def clear_task(service: ServiceDep, task_id: Id) -> Response:
    """Deletes the experiments and the log of a task that is not running."""
    change_without_results(
        service,
        task_id,
        lambda all_: all_.clear(task_id),
        "Cannot clear running task. Cancel it first.",
    )
    return _task_response(service, task_id)


def _task_response(service: Service, task_id: int) -> Response:
    return json_response(task_document(require_task(service, task_id)))


def _name_taken(body: TaskBody) -> Exception:
    return bad_request(f"Task '{body.task_name}' already exists")
