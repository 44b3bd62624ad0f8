"""`/api/ws/`: progress of a task or of an experiment, as messages.

Each is `{type, task_id, timestamp}` with `experiment_id`, `message` and `data` where there are any;
the first is `connection_established`. A socket stays open until its client leaves: a task that
does not exist may still come, and one that has ended may be started again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from autotuner.errors import StoreUnavailableError
from autotuner.server.service import Service
from autotuner.server.v1.lifecycle import current_task, tasks_of
from autotuner.server.v1.routing import MOST_ID, ServiceDep, json_response, plain, v1_router
from autotuner.store.v1 import FINISHED, RUNNING, V1ExperimentRecord, V1Experiments, V1TaskRecord

router = v1_router("/ws")

_POLL_S = 0.5
_IDLE_POLL_S = 2.0
"""Time between looks at a task that does not run."""
_TASK_ENDS = {"COMPLETED": "task_completed", "FAILED": "task_failed", "CANCELLED": "task_cancelled"}
_DEPLOYING, _BENCHMARKING, _SUCCESS, _FAILED = "DEPLOYING", "BENCHMARKING", "SUCCESS", "FAILED"
_STAGES = ("PENDING", _DEPLOYING, _BENCHMARKING, _SUCCESS, _FAILED)
_ENDED = (_SUCCESS, _FAILED)
_EXPERIMENT_TYPES = {
    _DEPLOYING: "experiment_started",
    _BENCHMARKING: "benchmark_started",
    _SUCCESS: "experiment_completed",
    _FAILED: "experiment_failed",
}
_CONNECTED, _BEGUN, _COUNTED = "connection_established", "task_started", "task_progress"
MESSAGE_TYPES = (_CONNECTED, _BEGUN, _COUNTED, *_TASK_ENDS.values(), *_EXPERIMENT_TYPES.values())


@dataclass(frozen=True)
class Snapshot:
    """State of a task and its experiments at one moment.

    Attributes:
        begun: a worker has it, or had it.
        experiments: in the order of launch.
    """

    task: V1TaskRecord
    begun: bool
    experiments: tuple[V1ExperimentRecord, ...]


Message = dict[str, Any]


def changes(before: Snapshot | None, after: Snapshot, at: datetime) -> Iterator[Message]:
    """Messages for the changes since `before`; none where there was nothing to compare with."""
    if before is None:
        return
    task = after.task
    again = before.task.status in FINISHED and task.status == RUNNING
    began = after.begun and (not before.begun or again)

    def message(kind: str, text: str, data: Any = None, experiment: int | None = None) -> Message:
        found = {"experiment_id": experiment, "message": text, "data": data}
        given = {key: value for key, value in found.items() if value is not None}
        return {"type": kind, "task_id": task.id, "timestamp": at.timestamp(), **given}

    if began:
        yield message(_BEGUN, f"Task '{task.task_name}' started")
    known = {e.id: e.status for e in before.experiments}
    for experiment in after.experiments:
        number, status = experiment.experiment_id, known.get(experiment.id, "PENDING")
        for stage in _stages(status, experiment):
            kind, text = _EXPERIMENT_TYPES[stage], f"Experiment {number} {_VERBS[stage]}"
            yield message(kind, text, _data(stage, experiment), number)
        if status not in _ENDED and experiment.status in _ENDED:
            done = _progress(after, number)
            text = f"Progress: {number}/{done['total_experiments']} experiments completed"
            yield message(_COUNTED, text, done)
    if before.task.status != task.status and task.status in _TASK_ENDS:
        well, of = task.successful_experiments or 0, task.total_experiments or 0
        text = f"Task {task.status.lower()}: {well}/{of} experiments successful"
        yield message(_TASK_ENDS[task.status], text, _end(after))


_VERBS = {
    _DEPLOYING: "started",
    _BENCHMARKING: "benchmarking",
    _SUCCESS: "success",
    _FAILED: "failed",
}


def _stages(before: str, experiment: V1ExperimentRecord) -> Iterator[str]:
    """The stages that an experiment has passed since; each was passed, also where none saw it."""
    now = experiment.status
    if before == now or now not in _STAGES:
        return
    first = _STAGES.index(before) if before in _STAGES else 0
    for stage in _STAGES[first + 1 : _STAGES.index(now)]:
        measured = now != _FAILED or experiment.metrics
        if stage == _DEPLOYING or (stage == _BENCHMARKING and measured):
            yield stage
    if now in _EXPERIMENT_TYPES:
        yield now


def _data(stage: str, experiment: V1ExperimentRecord) -> Message:
    if stage == _DEPLOYING:
        return {"parameters": plain(experiment.parameters), "status": "deploying"}
    if stage == _BENCHMARKING:
        return {"status": "benchmarking"}
    figures = ("metrics", "objective_score", "elapsed_time")
    return {
        "status": stage.lower(),
        **{name: plain(getattr(experiment, name)) for name in figures},
    }


def _progress(after: Snapshot, number: int) -> Message:
    total = after.task.total_experiments or 0
    return {
        "current_experiment": number,
        "total_experiments": total,
        "successful_experiments": after.task.successful_experiments or 0,
        "progress_percent": 100 * number / total if total else 0,
        "best_score": _best_score(after),
    }


def _end(after: Snapshot) -> Message:
    task = after.task
    return {
        "status": task.status.lower(),
        "total_experiments": task.total_experiments or 0,
        "successful_experiments": task.successful_experiments or 0,
        "best_experiment_id": task.best_experiment_id,
        "best_score": _best_score(after),
        "elapsed_time": plain(task.elapsed_time),
    }


def _best_score(after: Snapshot) -> float | None:
    best = after.task.best_experiment_id
    scores = (plain(e.objective_score) for e in after.experiments if e.id == best)
    return next(scores, None)


@router.websocket("/tasks/{task_id}")
async def send_progress(socket: WebSocket, task_id: int) -> None:
    """Sends messages of a task until the client leaves; answers "ping" with "pong"."""
    service: Service = socket.app.state.service
    hello = {"task_id": task_id, "message": f"Subscribed to task {task_id} updates"}
    with service.subscribers.following(task_id):
        await _serve(socket, hello, lambda: _snapshot(service, task_id), lambda message: True)


@router.websocket("/experiments/{experiment_id}")
async def send_experiment_progress(socket: WebSocket, experiment_id: int) -> None:
    """Sends the messages of an experiment, by its number among all, until the client leaves."""
    service: Service = socket.app.state.service
    hello = {
        "experiment_id": experiment_id,
        "message": f"Subscribed to experiment {experiment_id} updates",
    }
    found = await run_in_threadpool(_experiment, service, experiment_id)

    def snapshot() -> Snapshot | None:
        return None if found is None else _snapshot(service, found.task_id)

    def concerned(message: Message) -> bool:
        return found is not None and message.get("experiment_id") == found.experiment_id

    await _serve(socket, hello, snapshot, concerned)


@router.get("/tasks/{task_id}/subscribers")
def get_subscribers(service: ServiceDep, task_id: int) -> Response:
    """How many sockets follow a task."""
    count = service.subscribers.count(task_id)
    status = "active" if count else "inactive"
    return json_response({"task_id": task_id, "subscriber_count": count, "status": status})


async def _serve(
    socket: WebSocket,
    hello: Message,
    snapshot: Callable[[], Snapshot | None],
    concerned: Callable[[Message], bool],
) -> None:
    await socket.accept()
    # A client that has disconnected gets no answer.
    with suppress(WebSocketDisconnect):
        before = await run_in_threadpool(snapshot)
        await socket.send_json({"type": _CONNECTED, **hello})
        service: Service = socket.app.state.service
        while True:
            await _answer_pings(socket, _poll_s(before))
            # An unavailable database may be back at the next poll.
            with suppress(StoreUnavailableError):
                after = await run_in_threadpool(snapshot)
                for message in changes(before, after, service.clock()) if after else ():
                    if concerned(message):
                        await socket.send_json(message)
                before = after


def _poll_s(seen: Snapshot | None) -> float:
    idle = seen is None or seen.task.status in FINISHED
    return _IDLE_POLL_S if idle else _POLL_S


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
    task = current_task(service, task_id) if abs(task_id) <= MOST_ID else None
    if task is None:
        return None
    found = V1Experiments(service.store.sessions).of_task(task_id)
    in_order = sorted(found, key=lambda experiment: experiment.experiment_id)
    return Snapshot(task, _has_begun(service, task), tuple(in_order))


def _has_begun(service: Service, task: V1TaskRecord) -> bool:
    if task.status != RUNNING:
        return task.status in FINISHED and task.started_at is not None
    run_id = tasks_of(service).run_of(task.id)
    run = None if run_id is None else service.store.tasks.get(run_id)
    return run is not None and run.status != "queued"


def _experiment(service: Service, experiment_id: int) -> V1ExperimentRecord | None:
    if abs(experiment_id) > MOST_ID:
        return None
    return V1Experiments(service.store.sessions).get(experiment_id)
