"""`/api/tasks/{id}/logs` and `/api/tasks/{id}/experiments/{n}/logs`.

A task's log consists of its translation's notes and of its events; an experiment's is the output
of its engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi.exceptions import HTTPException
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from autotuner.errors import ConfigError
from autotuner.migrate import Done, translate_task, v1_document
from autotuner.migrate.mirror import API_MODE
from autotuner.server.service import Service
from autotuner.server.v1.lifecycle import require_task, tasks_of
from autotuner.server.v1.routing import Id, ServiceDep, json_response, not_found, v1_router
from autotuner.store.event_log import Happened, events_after
from autotuner.store.v1 import LOG_BEGINS, RUNNING, V1TaskRecord

router = v1_router("/tasks")

_POLL_S = 0.5
_HEARTBEAT_S = 15.0
_MOST_BYTES = 4 << 20
"""Most bytes of an engine's log: its end."""
_LOGGED_NOTES = (Done.CHANGED, Done.EXTRA_ARGS, Done.OVERRULED, Done.LOST)


@router.get("/{task_id}/logs")
async def get_logs(service: ServiceDep, task_id: Id, follow: bool = False) -> Response:
    """A task's log; with `follow` line by line, until the task ends."""
    record = await run_in_threadpool(require_task, service, task_id)
    if follow:
        return StreamingResponse(_followed(service, task_id), media_type="text/event-stream")
    lines, _ = await run_in_threadpool(_lines, service, record, None)
    return json_response({"logs": "".join(f"{line}\n" for line in lines)})


@router.delete("/{task_id}/logs")
def delete_logs(service: ServiceDep, task_id: Id) -> Response:
    """Empties a task's log."""
    record = require_task(service, task_id)
    _, newest = _lines(service, record, None)
    metadata = record.metadata if isinstance(record.metadata, dict) else {}
    tasks_of(service).change(task_id, {"metadata": {**metadata, LOG_BEGINS: newest}})
    return json_response({"message": "Logs deleted"})


@router.get("/{task_id}/experiments/{experiment_id}/logs")
def get_experiment_logs(service: ServiceDep, task_id: Id, experiment_id: Id) -> Response:
    """Log of the engine of an experiment."""
    require_task(service, task_id)
    v2_task_id = tasks_of(service).run_of(task_id)
    found = () if v2_task_id is None else service.store.experiments(v2_task_id)
    path = next((Path(e.log_path) for e in found if e.index == experiment_id), None)
    if path is None:
        raise not_found("Experiment")
    return json_response({"logs": _tail(path, service.logs)})


async def _followed(service: Service, task_id: int) -> AsyncIterator[str]:
    after: int | None = None
    quiet_s = 0.0
    while True:
        try:
            record = await run_in_threadpool(require_task, service, task_id)
        except HTTPException:
            # Deleted meanwhile: there is nothing more to follow.
            return
        lines, after = await run_in_threadpool(_lines, service, record, after)
        for line in lines:
            yield f"data: {line}\n\n"
        if record.status != RUNNING:
            return
        quiet_s = 0.0 if lines else quiet_s + _POLL_S
        if quiet_s >= _HEARTBEAT_S:
            yield ": \n\n"
            quiet_s = 0.0
        await asyncio.sleep(_POLL_S)


def _lines(service: Service, record: V1TaskRecord, after: int | None) -> tuple[list[str], int]:
    """Lines behind an event (None: from the beginning), and the number of the last event."""
    beginning = after is None and record.log_begins is None
    last = after if after is not None else record.log_begins or 0
    lines = _notes(record) if beginning and record.started_at is not None else []
    v2_task_id = tasks_of(service).run_of(record.id)
    sessions = service.store.sessions
    events = [] if v2_task_id is None else events_after(sessions, last, task_id=v2_task_id)
    return [*lines, *map(_line, events)], events[-1].id if events else last


def _notes(record: V1TaskRecord) -> list[str]:
    """Notes on what of the task is done differently than written."""
    try:
        notes = translate_task(v1_document(record), absent_mode=API_MODE).noted(*_LOGGED_NOTES)
    except ConfigError:
        return []
    return [_one_line(str(note)) for note in notes]


def _line(event: Happened) -> str:
    values = ", ".join(f"{key}={value}" for key, value in event.payload.items())
    return _one_line(f"{event.at:%Y-%m-%d %H:%M:%S} {event.kind} {values}".rstrip())


def _one_line(text: str) -> str:
    return " ".join(text.split("\n")).replace("\r", " ")


def _tail(path: Path, root: Path) -> str:
    """End of a log under `root`; empty if it does not exist or lies elsewhere."""
    try:
        resolved = path.resolve()
        if not resolved.is_relative_to(root.resolve()):
            return ""
        with resolved.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _MOST_BYTES, 0))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
