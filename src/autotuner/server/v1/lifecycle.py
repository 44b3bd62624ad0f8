"""Lifecycle of v1 tasks, which run as v2 tasks: start, cancel, and refresh while they run."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar, cast

from fastapi.exceptions import HTTPException

from autotuner.config import TaskConfig, parse_task
from autotuner.errors import (
    LaunchError,
    NotFoundError,
    PolicyError,
    StaleRevisionError,
    StoreError,
    WrongTransitionError,
)
from autotuner.launch.docker_daemon import LOOK_S, DockerDaemon
from autotuner.migrate import (
    Done,
    in_v1_words,
    mirror,
    refused_mode,
    translate_task,
    v1_document,
)
from autotuner.migrate.mirror import API_MODE
from autotuner.server.service import Service
from autotuner.server.v1.machines import with_gpus
from autotuner.server.v1.routing import bad_request, not_found
from autotuner.store.profiles import service_registry
from autotuner.store.transitions import NewTask
from autotuner.store.v1 import (
    FINISHED,
    PENDING,
    RUNNING,
    STOPPING,
    V1TaskRecord,
    V1Tasks,
    V1Transitions,
)
from autotuner.tuning.checks import problems_in
from autotuner.tuning.resources import stored_columns, with_gpus_of_home

_log = logging.getLogger(__name__)

_TRIES = 20
"""Times that a task is read again that is changed while it is started."""
T = TypeVar("T")


def tasks_of(service: Service) -> V1Tasks:
    """v1's tasks."""
    return V1Tasks(service.store.sessions)


def transitions_of(service: Service) -> V1Transitions:
    """Transitions of v1's tasks."""
    return V1Transitions(service.store.sessions)


def current_task(service: Service, task_id: int) -> V1TaskRecord | None:
    """Current state of a task; None where there is no such task."""
    record = tasks_of(service).get(task_id)
    if record is not None and record.status == RUNNING:
        v2_task_id = tasks_of(service).run_of(task_id)
        if v2_task_id is not None:
            _refresh(service, v2_task_id)
            record = tasks_of(service).get(task_id)
    return record


def require_task(service: Service, task_id: int) -> V1TaskRecord:
    """Current state of a task.

    Raises:
        HTTPException: 404, there is no such task.
    """
    record = current_task(service, task_id)
    if record is None:
        raise not_found(f"Task {task_id}")
    return record


def refresh_running(service: Service) -> None:
    """Brings the rows of all tasks that run up to date."""
    for v2_task_id in tasks_of(service).running():
        _refresh(service, v2_task_id)


def _refresh(service: Service, v2_task_id: int) -> None:
    """Mirrors a task; where nothing can be written, readers receive the stored state."""
    try:
        mirror(service.store, v2_task_id)
    except StoreError as error:
        _log.warning("task %d is not mirrored yet: %s", v2_task_id, error)


def startable(service: Service, record: V1TaskRecord) -> TaskConfig:
    """v2 task that a v1 task runs as; one of Docker runs in containers where a daemon answers, and
    else as processes of the worker.

    Raises:
        HTTPException: 400 with the reasons, in v1's words: it cannot run here.
        PolicyError: the operator forbids it.
    """
    document = v1_document(record)
    refusal = refused_mode(document, absent_mode=API_MODE)
    if refusal is not None:
        raise bad_request(refusal)
    document = with_gpus(service, document)
    translation = translate_task(
        document, absent_mode=API_MODE, containers=_has_containers(service)
    )
    lost = translation.noted(Done.LOST, Done.OPEN)
    if lost:
        raise _cannot_run(f"{note.path}: {note.text}" for note in lost)
    task = with_gpus_of_home(parse_task(translation.task, source="task"), service.folder)
    forbidden = service.violations(task)
    if forbidden:
        raise PolicyError("v1 task", in_v1_words(forbidden, translation.points))
    registry = service_registry(service.store, service.folder)
    problems = problems_in(task, base=service.base, registry=registry, with_model=False)
    if problems:
        raise _cannot_run(map(str, in_v1_words(problems, translation.points)))
    return task


def _has_containers(service: Service) -> bool:
    """Whether a Docker daemon answers here, and the operator allows its use."""
    if API_MODE not in service.policy.deployment_modes:
        return False
    try:
        DockerDaemon.here(wait_s=LOOK_S).info()
    except LaunchError:
        return False
    return True


def _cannot_run(reasons: Iterable[str]) -> HTTPException:
    return bad_request(f"Task cannot run here as it is written: {'; '.join(reasons)}")


def start(service: Service, task_id: int, *, anew: bool = False) -> None:
    """Hands a task to the workers: a pending one, or `anew` a finished one without its results.

    The task is read again if it is changed meanwhile.

    Raises:
        HTTPException: 404, there is no such task; 400, its state is another, or it cannot run here.
        PolicyError: see `startable`.
    """
    for _ in range(_TRIES):
        record = require_task(service, task_id)
        _require_startable(record.status, anew=anew)
        task = startable(service, record)
        new = cast(NewTask, {**stored_columns(task), "origin": "v1", "base": str(service.base)})
        with suppress(StaleRevisionError):
            v2_task_id, *gone = with_v1_refusals(
                task_id,
                lambda: transitions_of(service).start(record, new, anew=anew),  # noqa: B023
                lambda status: _not_startable(status, anew=anew),
            )
            _remove_logs(service, gone)
            mirror(service.store, v2_task_id)
            return
    raise bad_request("Task is being changed; try again")


def cancel(service: Service, task_id: int) -> None:
    """Ends a running task.

    Raises:
        HTTPException: 404, there is no such task; 400, it is not running.
    """
    v2_task_id = with_v1_refusals(
        task_id,
        lambda: transitions_of(service).cancel(task_id),
        lambda status: "Task is not running",
    )
    if v2_task_id is not None:
        mirror(service.store, v2_task_id)


def change_without_results(
    service: Service, task_id: int, change: Callable[[V1Transitions], tuple[int, ...]], refusal: str
) -> None:
    """Makes a change that removes the results of a task, and its engines' logs.

    Args:
        refusal: what is said while it is running.

    Raises:
        HTTPException: 404, there is no such task; 400, it is running, or has not stopped yet.
        NameTakenError: from the change.
    """
    require_task(service, task_id)
    gone = with_v1_refusals(
        task_id, lambda: change(transitions_of(service)), lambda status: refusal
    )
    _remove_logs(service, gone)


def with_v1_refusals(task_id: int, change: Callable[[], T], refusal: Callable[[str], str]) -> T:
    """Result of a change; refused with v1's message if the task's state (lower case) forbids it."""
    try:
        return change()
    except NotFoundError:
        raise not_found(f"Task {task_id}") from None
    except WrongTransitionError as error:
        if error.status == STOPPING:
            raise bad_request("Task is being stopped; try again in a few seconds") from None
        raise bad_request(refusal(error.status.lower())) from None


def _require_startable(status: str, *, anew: bool) -> None:
    if status not in (FINISHED if anew else (PENDING,)):
        raise bad_request(_not_startable(status.lower(), anew=anew))


def _not_startable(status: str, *, anew: bool) -> str:
    if anew:
        return f"Task must be completed, failed, or cancelled to restart. Current status: {status}"
    return f"Task must be pending to start. Current status: {status}"


def _remove_logs(service: Service, runs: Iterable[int]) -> None:
    for v2_task_id in runs:
        shutil.rmtree(service.logs / str(v2_task_id), ignore_errors=True)
