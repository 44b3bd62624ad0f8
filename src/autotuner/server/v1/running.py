"""v1 tasks run as v2 tasks: started, cancelled, and looked at again while they run."""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress

from autotuner.config import Task, parse_task
from autotuner.errors import AutotunerError, PolicyError, StoreError, WrongTransitionError
from autotuner.migrate import Done, mirror, refused_mode, translate_task, v1_document
from autotuner.migrate.mirror import API_MODE
from autotuner.server.service import Service
from autotuner.server.v1.routing import bad_request, not_found
from autotuner.store.v1 import V1TaskRecord, V1Tasks
from autotuner.tuning.needs import engines_named, model_named, needs

_log = logging.getLogger(__name__)

RUNNING, PENDING = "RUNNING", "PENDING"
FINISHED = ("COMPLETED", "FAILED", "CANCELLED")


def tasks_of(service: Service) -> V1Tasks:
    """v1's tasks."""
    return V1Tasks(service.store.sessions)


def existing(service: Service, task_id: int) -> V1TaskRecord:
    """The task of that number, as it stands now.

    Raises:
        HTTPException: 404, there is none.
    """
    record = tasks_of(service).get(task_id)
    if record is not None and record.status == RUNNING:
        run_id = tasks_of(service).run_of(task_id)
        if run_id is not None:
            _look_at(service, run_id)
            record = tasks_of(service).get(task_id)
    if record is None:
        raise not_found("Task")
    return record


def look_again(service: Service) -> None:
    """Brings the rows of all tasks that run up to date."""
    for run_id in tasks_of(service).running():
        _look_at(service, run_id)


def _look_at(service: Service, run_id: int) -> None:
    """Whoever reads is told what is there, also where nothing can be written."""
    try:
        mirror(service.store, run_id)
    except StoreError as error:
        _log.warning("task %d is not mirrored yet: %s", run_id, error)


def startable(service: Service, record: V1TaskRecord) -> Task:
    """The v2 task that a v1 task runs as.

    Raises:
        HTTPException: 400, it cannot run here; says why.
        ConfigError: it is no task of v1 that can be understood.
        PolicyError: the operator forbids it.
    """
    document = v1_document(record)
    refusal = refused_mode(document, absent_mode=API_MODE)
    if refusal is not None:
        raise bad_request(refusal)
    translation = translate_task(document, absent_mode=API_MODE)
    lost = translation.noted(Done.LOST)
    if lost:
        told = "; ".join(f"{note.path}: {note.text}" for note in lost)
        raise bad_request(f"Task cannot run here as it is written: {told}")
    task = parse_task(translation.task, source="task")
    forbidden = service.violations(task)
    if forbidden:
        raise PolicyError("v1 task", forbidden)
    return task


def start(service: Service, record: V1TaskRecord, task: Task) -> None:
    """Hands a pending task to the workers.

    Raises:
        HTTPException: 400, it was started meanwhile.
    """
    gpu, gpus = needs(task)
    if not tasks_of(service).change(record.id, {"status": RUNNING}, only=(PENDING,)):
        raise bad_request("Task was started meanwhile")
    try:
        made = service.store.queue.create(
            name=task.name,
            description=task.description,
            content_id=task.content_id,
            config=task.written(),
            model=model_named(task),
            engine=", ".join(engines_named(task)),
            needs_gpu=gpu,
            needs_gpus=gpus,
            origin="v1",
            base=str(service.base),
            v1_task_id=record.id,
            status="queued",
        )
    except AutotunerError:
        tasks_of(service).change(record.id, {"status": PENDING}, only=(RUNNING,))
        raise
    mirror(service.store, made.id)


def cancel(service: Service, record: V1TaskRecord) -> None:
    """Ends a running task.

    Raises:
        HTTPException: 400, it is not running.
    """
    if record.status != RUNNING:
        raise bad_request(f"Task is {record.status.lower()}, only running tasks can be cancelled")
    run_id = tasks_of(service).run_of(record.id)
    if run_id is not None:
        # Refused where it ended this moment: then it is as it is.
        with suppress(WrongTransitionError):
            service.store.queue.act(run_id, "cancel")
        mirror(service.store, run_id)
    # A row whose worker died long ago has no run that could end.
    tasks_of(service).change(record.id, {"status": "CANCELLED"}, only=(RUNNING,))


def forget_runs(service: Service, task_id: int) -> None:
    """Removes the v2 tasks of a v1 task, with their engines' logs.

    Raises:
        HTTPException: 400, one of them has not stopped yet.
    """
    for run_id in tasks_of(service).runs_of(task_id):
        try:
            service.store.queue.delete(run_id)
        except WrongTransitionError:
            raise bad_request("Task is being stopped; try again in a few seconds") from None
        shutil.rmtree(service.logs / str(run_id), ignore_errors=True)
