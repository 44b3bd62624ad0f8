"""Looks at the other workers, and gives back what the dead ones held.

Their tasks go back to where any worker finds them; engines that they have left on this machine are
ended first. See `watch` for who is taken for dead.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Hashable, Mapping

from autotuner.errors import StoreError, StoreUnavailableError
from autotuner.store import Store, TaskRecord
from autotuner.store.workers import EngineProcess, WorkerRecord
from autotuner.workers.engines_here import end_engine
from autotuner.workers.identity import (
    Machine,
    Process,
    boot_time_s,
    is_gone,
    is_stopped,
    this_machine,
)
from autotuner.workers.pace import PACE, Pace
from autotuner.workers.tenure import LEFT_BY_WORKERS
from autotuner.workers.watch import Mark, Watch

CLI = "cli"
"""Kind of a worker that is a call of the command line: what it leaves is its user's to go on
with."""
_LOG = logging.getLogger(__name__)


def is_on(machine: Machine, who: WorkerRecord | EngineProcess) -> bool:
    """Whether a recorded process is, or was, one of `machine` since it was last started."""
    return bool(machine.boot) and (who.host, who.boot) == (machine.host, machine.boot)


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
    if task.wanted:
        return LEFT_BY_WORKERS[task.wanted]
    if holder is None or holder.kind == CLI:
        return "interrupted", "its tuner was killed"
    return "queued", f"its worker {holder.name} has died"


def end_leftovers(store: Store, pace: Pace) -> bool:
    """Ends the engines that dead workers have left on this machine.

    Returns:
        Whether none is left: the devices are free for another.
    """
    workers = {worker.id: worker for worker in store.workers.all()}
    left = [
        engine
        for engine in store.workers.engines()
        if is_on(this_machine(), engine)
        and (engine.worker not in workers or has_ended_here(workers[engine.worker]))
    ]
    return all(_ended_here(store, engine, pace) for engine in left)


def _ended_here(store: Store, engine: EngineProcess, pace: Pace) -> bool:
    if not end_engine(Process(engine.pid, engine.pid_started), pace.stop_s):
        return False
    store.workers.forget_engine(engine)
    return True


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
        pace: Pace = PACE,
        clock: Callable[[], float] = boot_time_s,
    ) -> None:
        self._store = store
        self._me = me
        self._pace = pace
        self._clock = clock
        self._watch = Watch(pace.look_s)

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
        engines: tuple[EngineProcess, ...],
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
        left = [engine for engine in engines if engine.task_id == task.id]
        for engine in left:
            if not self._ended(engine):
                status = "failed"
                reason = f"engine {engine.pid} of its dead worker on {engine.host} cannot be ended"
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
        return has_ended_here(holder) or self._watch.quiet_s(key) >= self._pace.overdue_s

    def _end_orphans(
        self,
        tasks: tuple[TaskRecord, ...],
        engines: tuple[EngineProcess, ...],
        workers: Mapping[str, WorkerRecord],
    ) -> None:
        held = {(task.id, task.worker) for task in tasks}
        for engine in engines:
            if (engine.task_id, engine.worker) in held or engine.worker == self._me.id:
                continue
            if is_on(this_machine(), engine):
                self._ended(engine)
            elif engine.worker not in workers:
                self._store.workers.forget_engine(engine)

    def _ended(self, engine: EngineProcess) -> bool:
        """Whether an engine has ended, or has to be believed to have: another machine's ends with
        its worker, or when that gives its task up."""
        return not is_on(this_machine(), engine) or _ended_here(self._store, engine, self._pace)


def _marks(
    tasks: tuple[TaskRecord, ...], workers: Mapping[str, WorkerRecord]
) -> dict[Hashable, Mark]:
    marks: dict[Hashable, Mark] = {("task", t.id): (t.lease, t.beat) for t in tasks}
    return marks | {("worker", w.id): (w.beat,) for w in workers.values()}
