"""`/tasks/`: create, list, read, change, delete, and the actions of a task."""

from __future__ import annotations

import json
import zlib
from typing import Annotated, Any

from fastapi import Body, Depends, Header, Query
from fastapi.responses import Response

from autotuner.config import TaskConfig, parse_stored_task
from autotuner.server.problems import ProblemError, ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.conditional_requests import (
    NOT_MODIFIED,
    Condition,
    IdempotencyKey,
    etag,
    expected_revision,
)
from autotuner.server.v2.paging import decode_cursor, encode_cursor, query_parameters, query_reader
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    TaskId,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.task_views import (
    TASK,
    Action,
    CloneRequest,
    TaskPage,
    TaskPatch,
    TaskQuery,
    TaskView,
)
from autotuner.server.v2.waiting import waiting_view
from autotuner.store import TaskRecord
from autotuner.store.listing import TIMES, task_items, task_page
from autotuner.store.transitions import ASKED_OF_WORKERS
from autotuner.tuning.resources import stored_columns, with_gpus_of_home

router = v2_router("/tasks", "tasks")

_UNKNOWN = problems(ProblemKind.NOT_FOUND)
_STALE = problems(ProblemKind.PRECONDITION_FAILED)
_WRONG = problems(ProblemKind.WRONG_TRANSITION)
_REFUSED = problems(ProblemKind.POLICY_REFUSED, ProblemKind.TASK_INVALID)
_KEYED = problems(ProblemKind.IDEMPOTENCY_MISMATCH, ProblemKind.CONFLICT)
_TAGGED = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version."}}}
_LOCATED = {
    "headers": {
        **_TAGGED["headers"],
        "Location": {"schema": {"type": "string"}, "description": "Where the task is."},
    }
}
_COPY, _LONGEST_NAME = " (copy)", 200

IfMatch = Annotated[
    str | None,
    Header(description="ETag that was read; refused (412) if the task has changed since."),
]
_ACTION_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {**_TAGGED, "description": "Done."},
    202: {
        **_TAGGED,
        "model": TaskView,
        "description": "The worker has been asked, and acts within seconds.",
    },
}
_PROGRESS = ("experiments_running", "experiments_completed", "experiments_failed")
_PARTS = ("experiments", "frontier", "comparison", "summary", "report", "events", "logs")


@router.post(
    "/",
    status_code=201,
    response_model=TaskView,
    responses=merged(WITH_BODY, _REFUSED, _KEYED) | {201: _LOCATED},
)
def create_task(
    service: ServiceDep,
    task: Annotated[TaskConfig, Body()],
    start: Annotated[bool, Query(description="Whether to start it immediately.")] = False,
    key: IdempotencyKey = None,
) -> Response:
    """Creates a task; it is `pending` until it is started."""
    record = _created(service, task, status="queued" if start else "pending")
    return _task_response(service, record, status=201)


@router.get(
    "/",
    response_model=TaskPage,
    responses=problems(ProblemKind.INVALID_CURSOR),
    openapi_extra=query_parameters(TaskQuery),
)
def list_tasks(
    service: ServiceDep, query: Annotated[TaskQuery, Depends(query_reader(TaskQuery))]
) -> Response:
    """Lists tasks, a page at a time; a cursor continues where the previous page ended."""
    order, limit = query.sort, query.limit
    after = (
        None if query.cursor is None else decode_cursor(query.cursor, order, is_time=order in TIMES)
    )
    sessions = service.store.sessions
    rows, total = task_page(sessions, query.filter(), order=order, limit=limit + 1, after=after)
    following = "null"
    if len(rows) > limit:
        last = json.loads(rows[limit - 1])
        following = f'"{encode_cursor(order, last[order.removeprefix("-")], last["id"])}"'
    page = f'{{"items":[{",".join(rows[:limit])}],"next_cursor":{following},"total":{total}}}'
    return Response(page, media_type="application/json")


@router.get(
    "/{task_id}",
    response_model=TaskView,
    responses=_UNKNOWN | NOT_MODIFIED,
)
def get_task(
    service: ServiceDep,
    task_id: TaskId,
    if_none_match: Annotated[str | None, Header(description="ETag of your copy.")] = None,
) -> Response:
    """A task as a whole: its document, its plan, its progress, and its allowed actions."""
    response = _task_response(service, require_task(service, task_id))
    return Condition(response.headers["ETag"], if_none_match).answered(lambda: response)


@router.patch(
    "/{task_id}",
    response_model=TaskView,
    responses=merged(WITH_BODY, _UNKNOWN, _STALE, _WRONG, _REFUSED) | {200: _TAGGED},
)
def change_task(
    service: ServiceDep, task_id: TaskId, patch: TaskPatch, if_match: IfMatch = None
) -> Response:
    """Changes a task: its name and description at any time, its document while it is pending."""
    values = _changes(service, patch)
    require_task(service, task_id)
    record = service.store.tasks.change(
        task_id, values, revision=expected_revision(if_match, task_id)
    )
    return _task_response(service, record)


@router.delete(
    "/{task_id}",
    status_code=204,
    response_class=Response,
    responses=merged(_UNKNOWN, _STALE, _WRONG),
)
def delete_task(service: ServiceDep, task_id: TaskId, if_match: IfMatch = None) -> Response:
    """Deletes a task and all that was measured for it; refused while it is running."""
    require_task(service, task_id)
    service.store.tasks.delete(task_id, revision=expected_revision(if_match, task_id))
    return Response(status_code=204)


@router.post(
    "/{task_id}/start",
    response_model=TaskView,
    responses=merged(_UNKNOWN, _STALE, _WRONG, _REFUSED) | {200: _TAGGED},
)
def start_task(service: ServiceDep, task_id: TaskId, if_match: IfMatch = None) -> Response:
    """Hands a pending task to the workers."""
    return _act(service, task_id, "start", if_match)


@router.post(
    "/{task_id}/cancel",
    response_model=TaskView,
    responses=merged(_UNKNOWN, _STALE, _WRONG) | _ACTION_RESPONSES,
)
def cancel_task(service: ServiceDep, task_id: TaskId, if_match: IfMatch = None) -> Response:
    """Cancels a task; finished experiments are kept, and `resume` continues from there."""
    return _act(service, task_id, "cancel", if_match)


@router.post(
    "/{task_id}/pause",
    response_model=TaskView,
    responses=merged(_UNKNOWN, _STALE, _WRONG) | _ACTION_RESPONSES,
)
def pause_task(service: ServiceDep, task_id: TaskId, if_match: IfMatch = None) -> Response:
    """Pauses a task; `resume` continues from there."""
    return _act(service, task_id, "pause", if_match)


@router.post(
    "/{task_id}/resume",
    response_model=TaskView,
    responses=merged(_UNKNOWN, _STALE, _WRONG, _REFUSED) | {200: _TAGGED},
)
def resume_task(service: ServiceDep, task_id: TaskId, if_match: IfMatch = None) -> Response:
    """Resumes a task that was paused or stopped; no finished experiment is repeated."""
    return _act(service, task_id, "resume", if_match)


@router.post(
    "/{task_id}/restart",
    response_model=TaskView,
    responses=merged(_UNKNOWN, _STALE, _WRONG, _REFUSED) | {200: _TAGGED},
)
def restart_task(service: ServiceDep, task_id: TaskId, if_match: IfMatch = None) -> Response:
    """Restarts a task from the beginning; its measurements are removed."""
    return _act(service, task_id, "restart", if_match)


@router.post(
    "/{task_id}/clone",
    status_code=201,
    response_model=TaskView,
    responses=merged(WITH_BODY, _UNKNOWN, _REFUSED, _KEYED) | {201: _LOCATED},
)
def clone_task(
    service: ServiceDep,
    task_id: TaskId,
    body: Annotated[CloneRequest | None, Body()] = None,
    key: IdempotencyKey = None,
) -> Response:
    """Creates a pending task with the same document and without results."""
    original = require_task(service, task_id)
    name = body.name if body is not None and body.name is not None else _copied(original.name)
    task = parse_stored_task(document_of_task(original) | {"name": name}, source=f"task {task_id}")
    return _task_response(service, _created(service, task, base=original.base), status=201)


def require_task(service: Service, task_id: int) -> TaskRecord:
    """Task of a number.

    Raises:
        ProblemError: there is no such task.
    """
    found = service.store.tasks.get(task_id)
    if found is None:
        raise task_not_found(task_id)
    return found


def task_not_found(task_id: int) -> ProblemError:
    """Problem that there is no task of that number."""
    return ProblemError(ProblemKind.NOT_FOUND, f"there is no task {task_id}")


def document_of_task(record: TaskRecord) -> dict[str, Any]:
    """Document of a task with its current name and description."""
    texts = {"name": record.name, "description": record.description}
    return {**record.config, **{key: text for key, text in texts.items() if text}}


def _created(
    service: Service, task: TaskConfig, *, status: str = "pending", base: str | None = None
) -> TaskRecord:
    refuse_violations(service.violations(task))
    task = with_gpus_of_home(task, service.folder)
    return service.store.tasks.create(
        **stored_columns(task),
        origin="api",
        base=str(service.base) if base is None else base,
        status=status,
    )


def _changes(service: Service, patch: TaskPatch) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if patch.config is not None:
        refuse_violations(service.violations(patch.config))
        # It is the API's from now on, and its paths were judged from here.
        values = {**stored_columns(patch.config), "origin": "api", "base": str(service.base)}
    texts = {"name": patch.name, "description": patch.description}
    return values | {name: text for name, text in texts.items() if text is not None}


def _act(service: Service, task_id: int, action: Action, if_match: str | None) -> Response:
    record = require_task(service, task_id)
    if record.status == "running" and record.worker is None and action in ASKED_OF_WORKERS:
        raise ProblemError(
            ProblemKind.WRONG_TRANSITION,
            f"task {task_id} runs in the command line, where the service cannot {action} it; stop "
            "that command with Ctrl-C",
            task_status=record.status,
            allowed=[],
        )
    if action not in ASKED_OF_WORKERS:
        refuse_violations(
            service.violations(parse_stored_task(record.config, source=f"task {task_id}"))
        )
    done = service.store.tasks.act(task_id, action, revision=expected_revision(if_match, task_id))
    return _task_response(service, done, status=202 if done.requested_action else 200)


def _copied(name: str) -> str:
    return name[: _LONGEST_NAME - len(_COPY)] + _COPY


def _task_response(service: Service, record: TaskRecord, *, status: int = 200) -> Response:
    items = task_items(service.store.sessions, [record.id])
    if record.id not in items:
        raise task_not_found(record.id)
    item = json.loads(items[record.id])
    counts = item["experiments"]
    progress = [counts[name] for name in ("running", "completed", "failed")]
    address = f"/api/v2/tasks/{record.id}"
    document = {
        **vars(record),
        **item,
        "config": document_of_task(record),
        "config_version": 2,
        "plan": record.plan or None,
        "progress": {
            **dict(zip(_PROGRESS, progress, strict=True)),
            "launches": item["launches"],
            "further_launches": item["further_launches"],
        },
        "waiting": waiting_view(service, record),
        "links": {"self": address} | {part: f"{address}/{part}" for part in _PARTS},
    }
    located = {"Location": address} if status == 201 else {}
    response = json_response(TASK, document, status=status, headers=located)
    response.headers["ETag"] = etag(item["revision"], record.id, zlib.crc32(response.body))
    return response
