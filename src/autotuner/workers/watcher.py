"""Looks at the other workers, and gives back what the dead ones held.

Their tasks go back to where any worker finds them; engines that they have left are ended first. Who
is taken for dead is a pure account of heartbeats (`Watch`).
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from autotuner.errors import LaunchError, StoreError, StoreUnavailableError
from autotuner.launch import Reaped, reap
from autotuner.launch.processes import (
    Machine,
    Process,
    boot_time_s,
    is_gone,
    is_stopped,
    this_machine,
)
from autotuner.store import Store, TaskRecord
from autotuner.store.workers import KeptHandle, WorkerRecord
from autotuner.workers.heartbeat import WORKER_TIMES, WorkerTimes
from autotuner.workers.lease import LEFT_BY_WORKERS

CLI = "cli"
"""Kind of a worker that is a call of the command line: what it leaves is its user's to go on
with."""
_LOG = logging.getLogger(__name__)


def is_on(machine: Machine, worker: WorkerRecord) -> bool:
    """Whether a worker is, or was, a process of `machine` since that was last started."""
    return bool(machine.boot) and (worker.host, worker.boot) == (machine.host, machine.boot)


def has_ended_here(worker: WorkerRecord | None) -> bool:
    """Whether a worker was a process of this machine that has certainly ended."""
    return (
        worker is not None
        and is_on(this_machine(), worker)
        and is_gone(Process(worker.pid, worker.pid_started))
    )


def left_by_the_dead(task: TaskRecord, holder: WorkerRecord | None) -> tuple[str, str]:
    """The state in which a dead holder's task is left, and the reason.

    What was asked of the holder is done in its place. A call of the command line, and a holder
    that nobody knows, leave a task that waits for its user.
    """
    if task.requested_action:
        return LEFT_BY_WORKERS[task.requested_action]
    if holder is None or holder.kind == CLI:
        return "interrupted", "its tuner was killed"
    return "queued", f"its worker {holder.name} has died"


def end_leftovers(store: Store) -> str:
    """Ends the engines that dead workers have left on this machine.

    Returns:
        Why devices may still be held by one; empty where they are free for another.
    """
    # Engines first: the worker of one that is stored is registered already.
    engines = store.workers.engines()
    workers = {worker.id: worker for worker in store.workers.all()}
    held = ""
    for engine in engines:
        if engine.worker in workers and not has_ended_here(workers[engine.worker]):
            continue
        try:
            if _reaped(store, engine) is Reaped.ALIVE:
                held = f"the {engine.handle} of a dead worker cannot be ended"
        except LaunchError as error:
            if engine.handle.host == this_machine().host:
                held = str(error)
    return held


def _reaped(store: Store, engine: KeptHandle) -> Reaped:
    """Ends an engine; its handle is forgotten where nothing is left."""
    reaped = reap(engine.handle)
    if reaped is Reaped.GONE:
        store.workers.forget_engine(engine)
    return reaped


Mark = tuple[int, ...]
"""Numbers that grow while somebody lives: lease and heartbeat of a task, heartbeat of a worker."""


@dataclass(frozen=True)
class _Seen:
    mark: Mark
    quiet_s: float


@dataclass(frozen=True)
class Watch:
    """Observations until now, by the observer's own clock alone; `looked` gives the next one.

    Only time in which the observer could look counts, and of the time between two looks no more
    than two looks take: one that was stopped, or slept with its machine, accuses nobody on waking.

    Attributes:
        look_s: seconds that usually lie between two looks.
    """

    look_s: float
    _seen: Mapping[Hashable, _Seen] = field(default_factory=dict)
    _looked_at_s: float | None = None

    def looked(self, marks: Mapping[Hashable, Mark], now_s: float) -> Watch:
        """After a look that found these marks; whoever is not among them is forgotten."""
        since_s = 0.0 if self._looked_at_s is None else now_s - self._looked_at_s
        counted_s = min(max(since_s, 0.0), 2 * self.look_s)
        seen = {key: _after(self._seen.get(key), mark, counted_s) for key, mark in marks.items()}
        return Watch(self.look_s, seen, now_s)

    def blinded(self) -> Watch:
        """After a look that failed: the time until the next one counts for nobody."""
        return Watch(self.look_s, self._seen, None)

    def quiet_s(self, key: Hashable) -> float:
        """For how long a mark has certainly not changed; 0 for one that was never seen."""
        found = self._seen.get(key)
        return 0.0 if found is None else found.quiet_s


def _after(before: _Seen | None, mark: Mark, counted_s: float) -> _Seen:
    if before is None or before.mark != mark:
        return _Seen(mark, 0.0)
    return _Seen(mark, before.quiet_s + counted_s)


class Watcher:
    """One observer; `look` is called again and again.

    Args:
        me: the worker that this process is; what it holds itself it does not judge.
    """

    def __init__(
        self,
        store: Store,
        me: WorkerRecord,
        *,
        times: WorkerTimes = WORKER_TIMES,
        clock: Callable[[], float] = boot_time_s,
    ) -> None:
        self._store = store
        self._me = me
        self._times = times
        self._clock = clock
        self._watch = Watch(times.look_s)
        self._unreachable: set[int] = set()

    def look(self) -> None:
        """Sees who lives, and acts. A database that is away is looked at again later."""
        try:
            # Engines first: one that is recorded now belongs to a task that is held already.
            engines = self._store.workers.engines()
            tasks = self._store.tasks.running()
            workers = {worker.id: worker for worker in self._store.workers.all()}
            self._watch = self._watch.looked(_marks(tasks, workers), self._clock())
            for task in tasks:
                self._judge(task, workers, engines)
            self._end_orphans(tasks, engines, workers)
            for worker in workers.values():
                if worker.id != self._me.id and self._is_dead(worker, ("worker", worker.id)):
                    self._store.workers.forget(worker.id)
        except StoreError as error:
            self._watch = self._watch.blinded()
            _LOG.warning("the other workers cannot be seen: %s", error)

    def _judge(
        self,
        task: TaskRecord,
        workers: Mapping[str, WorkerRecord],
        engines: tuple[KeptHandle, ...],
    ) -> None:
        holder = workers.get(task.worker or "")
        if task.worker == self._me.id or not self._is_dead(holder, ("task", task.id)):
            return
        try:
            lease = self._store.tasks.take_over(task, self._me.id)
        except StoreUnavailableError:
            self._free_from(holder)
            raise
        if lease is None:
            return  # it lives, or another was faster
        status, reason = left_by_the_dead(lease.task, holder)
        _LOG.warning("task %d is taken from %s: %s", task.id, holder and holder.name, reason)
        for engine in engines:
            if engine.task_id == task.id and self._cannot_be_ended(engine):
                status = "failed"
                reason = f"the {engine.handle} of its dead worker cannot be ended"
        self._store.tasks.release(lease, status=status, reason=reason)

    def _free_from(self, holder: WorkerRecord | None) -> None:
        """Ends a holder of this machine that was stopped in the middle of a write: it would keep a
        SQLite database locked until somebody lets it go on."""
        if holder is None or not is_on(this_machine(), holder):
            return
        process = Process(holder.pid, holder.pid_started)
        if is_stopped(process):
            _LOG.warning("worker %s is stopped and may hold the database: killed", holder.name)
            os.kill(process.pid, signal.SIGKILL)

    def _is_dead(self, holder: WorkerRecord | None, key: Hashable) -> bool:
        return has_ended_here(holder) or self._watch.quiet_s(key) >= self._times.overdue_s

    def _end_orphans(
        self,
        tasks: tuple[TaskRecord, ...],
        engines: tuple[KeptHandle, ...],
        workers: Mapping[str, WorkerRecord],
    ) -> None:
        held = {(task.id, task.worker) for task in tasks}
        for engine in engines:
            if (engine.task_id, engine.worker) in held or engine.worker == self._me.id:
                continue
            try:
                if (
                    _reaped(self._store, engine) is Reaped.ELSEWHERE
                    and engine.worker not in workers
                ):
                    self._store.workers.forget_engine(engine)
            except LaunchError as error:
                self._warn_once(engine, error)

    def _cannot_be_ended(self, engine: KeptHandle) -> bool:
        """Tries to end an engine; whether it is there and lives on.

        One that nobody can ask after now, as its daemon is away, is tried again at each look. It
        holds back the devices of its machine, but not the task: that may go on elsewhere.
        """
        try:
            return _reaped(self._store, engine) is Reaped.ALIVE
        except LaunchError as error:
            self._warn_once(engine, error)
            return False

    def _warn_once(self, engine: KeptHandle, error: LaunchError) -> None:
        if engine.id not in self._unreachable:
            _LOG.warning("%s; its handle is kept", error)
        self._unreachable.add(engine.id)


def _marks(
    tasks: tuple[TaskRecord, ...], workers: Mapping[str, WorkerRecord]
) -> dict[Hashable, Mark]:
    marks: dict[Hashable, Mark] = {("task", t.id): (t.lease, t.heartbeat) for t in tasks}
    return marks | {("worker", w.id): (w.heartbeat,) for w in workers.values()}
