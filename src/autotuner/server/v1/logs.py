"""`/api/tasks/{id}/logs` and `/api/tasks/{id}/experiments/{n}/logs`.

A task's log consists of its translation's notes and of what its worker did, in lines as v1 wrote
them: `[time] [level] [Experiment N] Status: …`, by which v1's pages find an experiment's part. An
experiment's log is the output of its engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from autotuner.errors import ConfigError
from autotuner.launch.log_reader import LogReader, confined_log, end_of_log, near_end
from autotuner.migrate import Done, translate_task, v1_document
from autotuner.migrate.mirror import API_MODE
from autotuner.server.service import Service
from autotuner.server.v1.lifecycle import current_task, require_task, tasks_of
from autotuner.server.v1.log_lines import Line, lines_of
from autotuner.server.v1.routing import (
    Id,
    ServiceDep,
    json_response,
    no_content,
    not_found,
    v1_router,
)
from autotuner.store import ExperimentRecord
from autotuner.store.event_log import Happened, events_after
from autotuner.store.v1 import LOG_BEGINS, PENDING, RUNNING, V1Experiments, V1TaskRecord

router = v1_router("/tasks")

_POLL_S = 0.5
_HEARTBEAT_S = 15.0
_START_WAIT_S = 30.0
"""Time that a log is followed of a task that has not been started."""
_LOGGED_NOTES = (Done.CHANGED, Done.EXTRA_ARGS, Done.OVERRULED, Done.LOST, Done.OPEN)
_NOTHING = "No logs available yet."
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@router.get("/{task_id}/logs")
async def get_logs(service: ServiceDep, task_id: Id, follow: bool = False) -> Response:
    """A task's log; with `follow` line by line, from before its start until it ends."""
    record = await run_in_threadpool(require_task, service, task_id)
    if follow:
        return _streamed(_followed(service, task_id))
    part = await run_in_threadpool(_read, service, record, None)
    if not part.lines and record.log_begins is None:
        return json_response({"logs": _NOTHING})
    return json_response({"logs": "".join(f"{line}\n" for line in part.lines)})


@router.delete("/{task_id}/logs", status_code=204, response_class=Response)
def delete_logs(service: ServiceDep, task_id: Id) -> Response:
    """Empties a task's log."""
    record = require_task(service, task_id)
    newest = _read(service, record, None).last
    metadata = record.metadata if isinstance(record.metadata, dict) else {}
    tasks_of(service).change(task_id, {"metadata": {**metadata, LOG_BEGINS: newest}})
    return no_content()


@router.get("/{task_id}/experiments/{experiment_id}/logs")
async def get_experiment_logs(
    service: ServiceDep, task_id: Id, experiment_id: Id, follow: bool = False
) -> Response:
    """Log of the engine of an experiment, by its number in the task; with `follow` as it grows."""
    found = await run_in_threadpool(_experiment, service, task_id, experiment_id)
    if follow:
        return _streamed(_engine_output(service, task_id, found))
    path = await run_in_threadpool(confined_log, found.log_path, service.logs)
    text = "" if path is None else await run_in_threadpool(end_of_log, path)
    return json_response({"logs": text})


def _experiment(service: Service, task_id: int, number: int) -> ExperimentRecord:
    require_task(service, task_id)
    run = tasks_of(service).run_of(task_id)
    launched = () if run is None else service.store.experiments(run)
    found = next((one for one in launched if one.index == number), None)
    if found is None:
        raise not_found(f"Experiment {number} of task {task_id}")
    return found


def _streamed(lines: AsyncIterator[str | None]) -> Response:
    """Lines as server-sent events; None is a sign of life."""

    async def events() -> AsyncIterator[str]:
        async for line in lines:
            yield ": \n\n" if line is None else f"data: {line}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers=_HEADERS)


@dataclass(frozen=True)
class _Part:
    """Lines of a log; `last` is the number of the last event among them."""

    lines: tuple[Line, ...]
    last: int


async def _followed(service: Service, task_id: int) -> AsyncIterator[str | None]:
    after: int | None = None
    waited_s = quiet_s = 0.0
    while True:
        record = await run_in_threadpool(current_task, service, task_id)
        if record is None:  # deleted meanwhile: there is nothing more to follow
            return
        part = await run_in_threadpool(_read, service, record, after)
        after = part.last if part.lines or record.status != PENDING else after
        for line in part.lines:
            yield line
        if record.status == PENDING:
            if not waited_s:
                yield "Waiting for the task to be started ..."
            elif waited_s >= _START_WAIT_S:
                yield "The task has not been started."
                return
            waited_s += _POLL_S
        elif record.status != RUNNING:
            return
        quiet_s = 0.0 if part.lines else quiet_s + _POLL_S
        if quiet_s >= _HEARTBEAT_S:
            yield None
            quiet_s = 0.0
        await asyncio.sleep(_POLL_S)


async def _engine_output(
    service: Service, task_id: int, experiment: ExperimentRecord
) -> AsyncIterator[str | None]:
    """The lines of an engine's log, until its experiment ends."""
    reader: LogReader | None = None
    quiet_s = 0.0
    while True:
        going = await run_in_threadpool(_is_running, service, task_id, experiment)
        reader = reader or await run_in_threadpool(_opened, experiment.log_path, service.logs)
        fresh: list[str] = []
        if reader is not None:
            fresh = await run_in_threadpool(reader.more, to_the_end=not going)
        for line in fresh:
            # A carriage return would end the event's line.
            for part in line.split("\r"):
                yield part
        if fresh:
            quiet_s = 0.0
            continue
        if not going:
            return
        quiet_s += _POLL_S
        if quiet_s >= _HEARTBEAT_S:
            yield None
            quiet_s = 0.0
        await asyncio.sleep(_POLL_S)


def _opened(written: str, root: Path) -> LogReader | None:
    """Reader of a log's end and of what follows; None while there is no log."""
    path = confined_log(written, root)
    return None if path is None else LogReader(path, near_end(path))


def _is_running(service: Service, task_id: int, experiment: ExperimentRecord) -> bool:
    run = tasks_of(service).run_of(task_id)
    launched = () if run is None else service.store.experiments(run)
    return any(one.id == experiment.id and one.status == "running" for one in launched)


def _read(service: Service, record: V1TaskRecord, after: int | None) -> _Part:
    """Lines behind an event (None: from the beginning of the log)."""
    last = after if after is not None else record.log_begins or 0
    run = tasks_of(service).run_of(record.id)
    events: list[Happened] = []
    if run is not None:
        events = events_after(service.store.sessions, last, task_id=run)
    found = V1Experiments(service.store.sessions).of_task(record.id) if events else ()
    statuses: Mapping[int, str] = {one.experiment_id: one.status for one in found}
    in_container = run is not None and _is_in_container(service, run)
    notes: Callable[[], list[str]] = lambda: _notes(record, in_container)  # noqa: E731
    lines = lines_of(record.task_name, events, statuses, notes)
    return _Part(tuple(lines), events[-1].id if events else last)


def _is_in_container(service: Service, run: int) -> bool:
    task = service.store.tasks.get(run)
    return task is not None and task.config.get("deployment_mode") == API_MODE


def _notes(record: V1TaskRecord, in_container: bool) -> list[str]:
    """Notes on what of the task is done differently than written."""
    try:
        document = v1_document(record)
        notes = translate_task(document, absent_mode=API_MODE, containers=in_container)
    except ConfigError:
        return []
    return [str(note) for note in notes.noted(*_LOGGED_NOTES)]
