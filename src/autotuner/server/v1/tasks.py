"""`/api/tasks/` (create, list, read, change, replace, delete, start, cancel, restart, clear), and
`/api/experiments/`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    experiment_document,
    is_name,
    task_document,
    task_row,
)
from autotuner.store.v1 import RUNNING, V1Experiments

router = v1_router("/tasks")

StatusName = Literal["pending", "running", "completed", "failed", "cancelled"]
_MOST = 1000
experiments_router = v1_router("/experiments")


@router.post("/", status_code=201)
def create_task(service: ServiceDep, body: TaskBody) -> Response:
    """Creates a pending task."""
    made = tasks_of(service).create(body.columns())
    if made is None:
        raise _name_taken(body)
    return json_response(task_document(made), 201)


@router.get("/")
def list_tasks(
    service: ServiceDep,
    skip: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    status_filter: StatusName | None = None,
) -> Response:
    """Lists tasks, newest first, in short."""
    refresh_running(service)
    status = status_filter.upper() if status_filter else None
    found = tasks_of(service).page(skip=skip, limit=limit, status=status)
    return json_response([task_row(record) for record in found])


@router.get("/name/{name}")
def get_task_by_name(service: ServiceDep, name: str) -> Response:
    """A task by its name."""
    found = tasks_of(service).named(name) if is_name(name) else None
    if found is None:
        raise not_found("Task")
    return _task_response(service, found.id)


@router.get("/{task_id}")
def get_task(service: ServiceDep, task_id: Id) -> Response:
    """A task by its number."""
    return _task_response(service, task_id)


@router.patch("/{task_id}")
def change_task(service: ServiceDep, task_id: Id, body: TaskChange) -> Response:
    """Changes the description or the status; a running task can only be cancelled."""
    record = require_task(service, task_id)
    values: dict[str, Any] = {}
    if "description" in body.model_fields_set:
        values["description"] = body.description
    status = (body.status or "").upper()
    if status == "CANCELLED" and record.status == RUNNING:
        cancel(service, task_id)
    elif status and status != record.status:
        if RUNNING in (record.status, status):
            raise bad_request("A running task can only be cancelled; start a task to run it")
        # A task that was started meanwhile keeps its status.
        if not tasks_of(service).change(task_id, {"status": status}, only=(record.status,)):
            raise bad_request("Task was changed meanwhile; read it again")
    if values:
        tasks_of(service).change(task_id, values)
    return _task_response(service, task_id)


@router.put("/{task_id}")
def replace_task(service: ServiceDep, task_id: Id, body: TaskBody) -> Response:
    """Puts another task in this one's place; it is pending, and has no results."""
    try:
        change_without_results(
            service, task_id, lambda all_: all_.replace(task_id, body.columns()), "edit"
        )
    except NameTakenError:
        raise _name_taken(body) from None
    return _task_response(service, task_id)


@router.delete("/{task_id}", status_code=204, response_class=Response)
def delete_task(service: ServiceDep, task_id: Id) -> Response:
    """Deletes a task with its experiments."""
    change_without_results(service, task_id, lambda all_: all_.delete(task_id), "delete")
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
    change_without_results(service, task_id, lambda all_: all_.clear(task_id), "clear")
    return _task_response(service, task_id)


def _task_response(service: Service, task_id: int) -> Response:
    return json_response(task_document(require_task(service, task_id)))


def _name_taken(body: TaskBody) -> Exception:
    return bad_request(f"Task with name '{body.task_name}' already exists")


@experiments_router.get("/")
def list_experiments(
    service: ServiceDep,
    skip: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Lists experiments of all tasks, newest first."""
    refresh_running(service)
    found = V1Experiments(service.store.sessions).page(skip=skip, limit=limit)
    return json_response([experiment_document(record) for record in found])


@experiments_router.get("/task/{task_id}")
def list_experiments_of_task(service: ServiceDep, task_id: Id) -> Response:
    """A task's experiments in the order of launch."""
    require_task(service, task_id)
    found = V1Experiments(service.store.sessions).of_task(task_id)
    return json_response([experiment_document(record) for record in found])


@experiments_router.get("/{experiment_id}")
def get_experiment(service: ServiceDep, experiment_id: Id) -> Response:
    """An experiment by its number."""
    experiments = V1Experiments(service.store.sessions)
    found = experiments.get(experiment_id)
    if found is not None:
        require_task(service, found.task_id)
        found = experiments.get(experiment_id)
    if found is None:
        raise not_found("Experiment")
    return json_response(experiment_document(found))
