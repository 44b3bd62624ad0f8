"""`/api/ws/tasks/{id}`: progress of a task, as messages.

Each is `{type, task_id, experiment_id, timestamp, message, data}`. The first has the state of the
task; one follows for every change. The socket is closed when the task has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from autotuner.errors import StoreUnavailableError
from autotuner.server.service import Service
from autotuner.server.v1.lifecycle import require_task, tasks_of
from autotuner.server.v1.routing import MOST_ID, plain, v1_router
from autotuner.server.v1.schemas import experiment_document, task_row
from autotuner.store.v1 import FINISHED, V1ExperimentRecord, V1Experiments, V1TaskRecord

router = v1_router("/ws")

_POLL_S = 0.5
_UNKNOWN = 4404
"""Close code for an unknown task: codes from 4000 are free for applications."""
_TASK_TYPES = {
    "RUNNING": "task_started",
    "COMPLETED": "task_completed",
    "FAILED": "task_failed",
    "CANCELLED": "task_cancelled",
    "PENDING": "task_pending",
}
_EXPERIMENT_TYPES = {
    "PENDING": "experiment_pending",
    "DEPLOYING": "experiment_started",
    "BENCHMARKING": "benchmark_started",
    "SUCCESS": "experiment_completed",
    "FAILED": "experiment_failed",
}

_FIRST, _COUNTED = "task_status", "task_progress"
MESSAGE_TYPES = (_FIRST, _COUNTED, *_TASK_TYPES.values(), *_EXPERIMENT_TYPES.values())


@dataclass(frozen=True)
class Snapshot:
    """State of a task and its experiments at one moment."""

    task: V1TaskRecord
    experiments: tuple[V1ExperimentRecord, ...]


def changes(before: Snapshot | None, after: Snapshot, at: datetime) -> Iterator[dict[str, Any]]:
    """Messages for the changes since `before`; with None, one with the current state."""
    task = after.task

    def message(kind: str, text: str, data: Any, experiment: int | None = None) -> dict[str, Any]:
        document: dict[str, Any] = plain(
            {
                "type": kind,
                "task_id": task.id,
                "experiment_id": experiment,
                "timestamp": at.replace(tzinfo=None),
                "message": text,
                "data": data,
            }
        )
        return document

    status = task.status.lower()
    if before is None:
        yield message(_FIRST, f"Task is {status}", task_row(task))
    known = {} if before is None else {e.experiment_id: e.status for e in before.experiments}
    for experiment in after.experiments if before is not None else ():
        if known.get(experiment.experiment_id) != experiment.status:
            number = experiment.experiment_id
            kind = _EXPERIMENT_TYPES.get(experiment.status, _COUNTED)
            text = f"Experiment {number} is {experiment.status.lower()}"
            yield message(kind, text, experiment_document(experiment), number)
    if before is None:
        return
    if before.task.status != task.status:
        kind = _TASK_TYPES.get(task.status, _COUNTED)
        yield message(kind, f"Task is {status}", task_row(task))
    elif _counts(before.task) != _counts(task):
        done, planned = task.successful_experiments or 0, task.total_experiments or 0
        text = f"{done} of {planned} experiments have succeeded"
        yield message(_COUNTED, text, task_row(task))


def _counts(task: V1TaskRecord) -> tuple[Any, ...]:
    return task.total_experiments, task.successful_experiments, task.best_experiment_id


@router.websocket("/tasks/{task_id}")
async def send_progress(socket: WebSocket, task_id: int) -> None:
    """Sends messages until the task ends, or the client leaves; answers "ping" with "pong"."""
    service: Service = socket.app.state.service
    await socket.accept()
    snapshot = await run_in_threadpool(_snapshot, service, task_id)
    if snapshot is None:
        await socket.close(_UNKNOWN, "Task not found")
        return
    # A client that has disconnected gets no answer.
    with suppress(WebSocketDisconnect):
        await _send_changes(socket, service, snapshot)


async def _send_changes(socket: WebSocket, service: Service, snapshot: Snapshot) -> None:
    before: Snapshot | None = None
    after: Snapshot | None = snapshot
    while after is not None:
        for message in changes(before, after, service.clock()):
            await socket.send_json(message)
        if after.task.status in FINISHED:
            break
        before = after
        await _answer_pings(socket, _POLL_S)
        # An unavailable database may be back at the next poll.
        with suppress(StoreUnavailableError):
            after = await run_in_threadpool(_snapshot, service, before.task.id)
    await socket.close()


async def _answer_pings(socket: WebSocket, seconds: float) -> None:
    """Answers pings for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                received = await socket.receive()
                if received["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(received.get("code", 1000))
                if received.get("text") == "ping":
                    await socket.send_json({"type": "pong"})


def _snapshot(service: Service, task_id: int) -> Snapshot | None:
    if abs(task_id) > MOST_ID or tasks_of(service).get(task_id) is None:
        return None
    task = require_task(service, task_id)
    return Snapshot(task, V1Experiments(service.store.sessions).of_task(task_id))
