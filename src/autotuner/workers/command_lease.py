"""The lease of a task that a call of the command line works on, held as a worker holds its own."""

from __future__ import annotations

from contextlib import ExitStack

from autotuner.errors import InUseError
from autotuner.launch import EngineHandle, Reaped, reap
from autotuner.store import Lease, Store
from autotuner.store.workers import WorkerRecord
from autotuner.workers.heartbeat import WORKER_TIMES, WorkerTimes
from autotuner.workers.lease import (
    CANCEL,
    LEFT_BY_WORKERS,
    LOST,
    PAUSE,
    SHUTDOWN,
    LeaseKeeper,
    TaskEngines,
)
from autotuner.workers.watcher import has_ended_here
from autotuner.workers.worker import Registration

LEFT_BY_THE_COMMAND = {
    CANCEL: LEFT_BY_WORKERS[CANCEL],
    PAUSE: LEFT_BY_WORKERS[PAUSE],
    SHUTDOWN: ("interrupted", "interrupted by the user"),
    LOST: ("interrupted", "the database could not be reached"),
    "": ("interrupted", "interrupted by the user"),
}
"""Why a call ends early -> the state that its task is left in, and the reason that is stored."""


class CommandLease:
    """Claims a task when it is chosen, and keeps its lease until `block` ends.

    Args:
        me: this process.
        block: the one in which the task is worked on.
    """

    def __init__(
        self, store: Store, me: WorkerRecord, block: ExitStack, *, times: WorkerTimes = WORKER_TIMES
    ) -> None:
        self._store = store
        self._me = me
        self._block = block
        self._times = times
        self._keeper: LeaseKeeper | None = None

    @property
    def keeper(self) -> LeaseKeeper:
        """The time in which the task is this process's; begins with `hold`."""
        if self._keeper is None:
            raise RuntimeError("no task is held yet")
        return self._keeper

    def hold(self, task_id: int) -> Store:
        """Claims a task; see `Tuner.open_task`.

        Raises:
            InUseError: somebody works on it; says who.
        """
        registration = Registration(self._store, self._me, times=self._times, watch=False)
        registration.busy = True
        self._block.enter_context(registration)
        lease = self._claimed(task_id)
        engines = TaskEngines(self._store.workers, self._me, task_id)
        keeper = LeaseKeeper(self._store, lease, engines, times=self._times)
        self._keeper = self._block.enter_context(keeper)
        return self._keeper.store

    def labels(self) -> dict[str, str]:
        """For the launcher."""
        return self.keeper.labels()

    def engine_started(self, handle: EngineHandle) -> None:
        """For the launcher."""
        self.keeper.engine_started(handle)

    def engine_gone(self, handle: EngineHandle) -> None:
        """For the launcher."""
        self.keeper.engine_gone(handle)

    def _claimed(self, task_id: int) -> Lease:
        queue = self._store.tasks
        lease = queue.claim_this(task_id, self._me.id)
        if lease is not None:
            return lease
        seen = queue.get(task_id)
        holder = self._store.workers.get(seen.worker) if seen else None
        if seen is not None and (holder is None or has_ended_here(holder)):
            self._end_engines_of(task_id)
            lease = queue.take_over(seen, self._me.id)
        if lease is None:
            who = f"{holder.name} on {holder.host} (pid {holder.pid})" if holder else "another"
            raise InUseError(
                f"task {task_id} is being worked on by {who}",
                remedy="wait until it ends, or cancel it; --fresh begins a new one",
            )
        return lease

    def _end_engines_of(self, task_id: int) -> None:
        """Ends what a dead holder has left.

        Raises:
            LaunchError: the launcher of an engine is not installed here; its handle is kept.
            InUseError: an engine cannot be ended.
        """
        for engine in self._store.workers.engines():
            if engine.task_id != task_id:
                continue
            reaped = reap(engine.handle)
            if reaped is Reaped.ALIVE:
                raise InUseError(
                    f"the {engine.handle} of task {task_id} cannot be ended",
                    remedy="end it by hand, then say the same again",
                )
            if reaped is Reaped.GONE:
                self._store.workers.forget_engine(engine)
