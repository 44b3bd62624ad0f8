"""How a call of the command line holds the run that it works on: as a worker does, for one task."""

from __future__ import annotations

from contextlib import ExitStack

from autotuner.errors import InUseError
from autotuner.store import Lease, Store
from autotuner.store.workers import WorkerRecord
from autotuner.workers.engines_here import EnginesHere, end_engine
from autotuner.workers.identity import Process, this_machine
from autotuner.workers.pace import PACE, Pace
from autotuner.workers.tenure import CANCEL, LEFT_BY_WORKERS, LOST, PAUSE, SHUTDOWN, Tenure
from autotuner.workers.watcher import has_ended_here, is_on
from autotuner.workers.worker import Presence

LEFT_BY_THE_COMMAND = {
    CANCEL: LEFT_BY_WORKERS[CANCEL],
    PAUSE: LEFT_BY_WORKERS[PAUSE],
    SHUTDOWN: ("interrupted", "interrupted by the user"),
    LOST: ("interrupted", "the database could not be reached"),
    "": ("interrupted", "interrupted by the user"),
}
"""Why a call ends early -> the state that its run is left in, and the reason as it is told."""


class Holding:
    """Claims a run when it is chosen, and holds it until `block` ends.

    Args:
        me: this process.
        block: the one in which the run is worked on.
    """

    def __init__(
        self, store: Store, me: WorkerRecord, block: ExitStack, *, pace: Pace = PACE
    ) -> None:
        self._store = store
        self._me = me
        self._block = block
        self._pace = pace
        self._tenure: Tenure | None = None

    @property
    def tenure(self) -> Tenure:
        """The time in which the run is this process's; begins with `hold`."""
        if self._tenure is None:
            raise RuntimeError("no run is held yet")
        return self._tenure

    def hold(self, task_id: int) -> Store:
        """Claims a run; see `Tuner.open_run`.

        Raises:
            InUseError: somebody works on it; says who.
        """
        presence = Presence(self._store, self._me, pace=self._pace, watch=False)
        presence.busy = True
        self._block.enter_context(presence)
        lease = self._claimed(task_id)
        engines = EnginesHere(self._store.workers, self._me, task_id)
        tenure = Tenure(self._store, lease, engines, pace=self._pace)
        self._tenure = self._block.enter_context(tenure)
        return self._tenure.store

    def engine_started(self, pid: int) -> None:
        """For the launcher."""
        self.tenure.engine_started(pid)

    def engine_gone(self, pid: int) -> None:
        """For the launcher."""
        self.tenure.engine_gone(pid)

    def _claimed(self, task_id: int) -> Lease:
        queue = self._store.tasks
        lease = queue.claim_this(task_id, self._me.id)
        if lease is not None:
            return lease
        seen = queue.get(task_id)
        holder = self._store.workers.get(seen.worker) if seen else None
        if seen is not None and (holder is None or has_ended_here(holder)):
            lease = queue.take_over(seen, self._me.id)
        if lease is None:
            who = f"{holder.name} on {holder.host} (pid {holder.pid})" if holder else "another"
            raise InUseError(
                f"run {task_id} is being worked on by {who}",
                remedy="wait until it ends, or cancel it; --fresh begins a new one",
            )
        for engine in self._store.workers.engines():
            if engine.task_id == task_id and is_on(this_machine(), engine):
                end_engine(Process(engine.pid, engine.pid_started), self._pace.stop_s)
                self._store.workers.forget_engine(engine)
        return lease
