"""Reason why a queued task waits, and what helps."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.catalog.gpus import CPU
from autotuner.server.service import Service
from autotuner.server.v2.routing import View
from autotuner.store import TaskRecord
from autotuner.store.listing import queued_before
from autotuner.store.maintenance import KnownWorker, known_workers

_WORKER = "worker"
_CLAIMED_WITHIN_S = 10.0
"""A free worker takes the first task of the queue well within this time."""


class WaitingView(View):
    """Place of a queued task in the queue, and why it does not run yet."""

    position: int
    """1: the next one."""
    reason: str
    remedy: str


def waiting_view(service: Service, task: TaskRecord) -> WaitingView | None:
    """Why a task waits; None where it is not queued."""
    if task.status != "queued":
        return None
    sessions = service.store.sessions
    alive = service.liveness.alive(known_workers(sessions))
    before = queued_before(sessions, task.id)
    queued_s = 0.0
    if task.queued_at is not None:
        queued_s = (service.clock() - task.queued_at).total_seconds()
    reason, remedy = why_waiting(task, alive, before=before, queued_s=queued_s)
    return WaitingView(position=before + 1, reason=reason, remedy=remedy)


def why_waiting(
    task: TaskRecord, alive: Sequence[KnownWorker], *, before: int, queued_s: float
) -> tuple[str, str]:
    """The reason and the remedy, in words.

    Args:
        alive: every process that runs tasks; those of the command line take none of the queue.
        before: queued tasks that were asked for earlier.
        queued_s: seconds since it was queued.
    """
    workers = [worker for worker in alive if worker.kind == _WORKER]
    if not workers:
        return "no worker is running", "start one with `autotuner worker`"
    fitting = [worker for worker in workers if _fits(task, worker)]
    if not fitting:
        there = ", ".join(dict.fromkeys(_devices(w.gpu, len(w.devices)) for w in workers))
        needed = _devices(task.requested_gpu, task.requested_gpus)
        return (
            f"no worker has {needed}; the running ones have {there}",
            f"start a worker on a machine with {needed}, or change system.gpu_type and "
            "system.total_gpus in a clone of this task",
        )
    if all(worker.task_id is not None for worker in fitting):
        busy = ", ".join(f"{worker.task_id}" for worker in fitting)
        tasks = "task" if len(fitting) == 1 else "tasks"
        return (
            f"every worker that can run it is busy, with {tasks} {busy}",
            "it starts when one of them is free; another worker would take it now",
        )
    if before:
        tasks = "task was" if before == 1 else "tasks were"
        return f"{before} {tasks} queued before it", "it starts when its turn comes"
    if queued_s < _CLAIMED_WITHIN_S:
        return "a free worker is about to take it", "it starts within seconds"
    names = ", ".join(worker.name for worker in fitting if worker.task_id is None)
    return (
        f"the free worker {names} does not take it: its devices are in use by another command "
        "or by an engine that was left running",
        "stop whatever uses the devices; the worker's log names it",
    )


def _fits(task: TaskRecord, worker: KnownWorker) -> bool:
    if not task.requested_gpu:
        return True
    gpus = 0 if worker.gpu == CPU else len(worker.devices)
    return worker.gpu == task.requested_gpu and task.requested_gpus <= gpus


def _devices(gpu: str, gpus: int) -> str:
    return "a CPU" if gpu == CPU else f"{max(gpus, 1)} x {gpu}"
