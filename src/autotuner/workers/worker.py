"""The loop of a worker: register, claim, run, give back; beside it, look at the others."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import uuid

from autotuner import __version__
from autotuner.errors import InUseError, StoreError, StoreUnavailableError
from autotuner.store import Lease, Store, device_locks
from autotuner.store.workers import WorkerRecord
from autotuner.workers.devices import Devices
from autotuner.workers.engines_here import EnginesHere
from autotuner.workers.identity import process_of, this_machine
from autotuner.workers.pace import PACE, Pace
from autotuner.workers.pulse import Pulse
from autotuner.workers.run_task import Left, Setting, run_task
from autotuner.workers.tenure import SHUTDOWN, Tenure
from autotuner.workers.watcher import Watcher, end_leftovers

_LOG = logging.getLogger(__name__)


def this_worker(name: str, kind: str, devices: Devices) -> WorkerRecord:
    """This process as a worker, under an id that no other ever has."""
    machine, process = this_machine(), process_of(os.getpid())
    return WorkerRecord(
        id=uuid.uuid4().hex,
        name=name or f"{machine.host}:{process.pid}",
        kind=kind,
        host=machine.host,
        boot=machine.boot,
        pid=process.pid,
        pid_started=process.started,
        version=__version__,
        gpu=devices.gpu,
        devices=list(devices.names),
    )


class Presence:
    """Keeps a worker known for as long as its block runs.

    Args:
        watch: whether it looks at the others as well.
    """

    def __init__(
        self, store: Store, me: WorkerRecord, *, pace: Pace = PACE, watch: bool = True
    ) -> None:
        self._store = store
        self._me = me
        self.busy = False
        self._pulses = [Pulse(self._beat, pace.presence_s, name="presence")]
        if watch:
            watcher = Watcher(store, me, pace=pace)
            self._pulses.append(Pulse(watcher.look, pace.look_s, name="watch over workers"))

    def __enter__(self) -> Presence:
        try:
            self._store.workers.add(self._me)
        except StoreUnavailableError as error:
            _LOG.warning("this worker is not known yet: %s", error)  # its next beat tells of it
        for pulse in self._pulses:
            pulse.__enter__()
        return self

    def __exit__(self, *gone: object) -> None:
        for pulse in self._pulses:
            pulse.__exit__(None, None, None)
        try:
            self._store.workers.forget(self._me.id)
        except StoreError as error:
            _LOG.warning("that this worker has ended is not recorded: %s", error)

    def _beat(self) -> None:
        status = "busy" if self.busy else "idle"
        try:
            if not self._store.workers.beat(self._me.id, status):
                # Others took it for dead, as after a long sleep of the machine.
                self._store.workers.add(dataclasses.replace(self._me, status=status))
        except StoreError as error:
            _LOG.warning("no sign of life could be given: %s", error)


class Worker:
    """Runs queued tasks one after the other, until it is stopped.

    Args:
        once: ends when no task is waiting for it.
    """

    def __init__(
        self,
        store: Store,
        me: WorkerRecord,
        setting: Setting,
        *,
        pace: Pace = PACE,
        once: bool = False,
    ) -> None:
        self._store = store
        self._me = me
        self._setting = setting
        self._pace = pace
        self._once = once
        self._stopping = threading.Event()
        self._tenure: Tenure | None = None
        self._owed: list[tuple[Lease, Left]] = []
        self._told = ""

    def stop(self) -> None:
        """Has it give its task back and end; may be called from anywhere, also more than once."""
        self._stopping.set()
        tenure = self._tenure
        if tenure is not None:
            tenure.end(SHUTDOWN)

    def run(self) -> None:
        """Works until it is stopped."""
        with Presence(self._store, self._me, pace=self._pace) as presence:
            while not self._stopping.is_set():
                if not self._worked(presence):
                    if self._once and not self._owed:
                        break
                    self._stopping.wait(self._pace.poll_s)
            self._settle()

    def _worked(self, presence: Presence) -> bool:
        """Whether there was something to do, and the means to do it."""
        self._settle()
        devices, queue = self._setting.devices, self._store.tasks
        try:
            if self._owed or queue.next_for(gpu=devices.gpu, gpus=devices.gpus) is None:
                return False
            with device_locks(
                devices.names, self._me.name, kind="worker", folder=self._setting.locks
            ):
                if not end_leftovers(self._store, self._pace):
                    self._tell("a task waits: an engine of a dead worker cannot be ended")
                    return False
                lease = queue.claim(self._me.id, gpu=devices.gpu, gpus=devices.gpus)
                if lease is None:
                    return False
                presence.busy = True
                self._work_on(lease)
        except InUseError as error:
            self._tell(f"a task waits: {error.message}")
            return False
        except StoreError as error:
            _LOG.warning("no task can be taken: %s", error)
            return False
        finally:
            presence.busy = False
        self._told = ""
        return True

    def _work_on(self, lease: Lease) -> None:
        _LOG.info("task %d '%s' begins", lease.task.id, lease.task.name)
        engines = EnginesHere(self._store.workers, self._me, lease.task.id)
        with Tenure(self._store, lease, engines, pace=self._pace) as tenure:
            self._tenure = tenure
            if self._stopping.is_set():
                tenure.end(SHUTDOWN)
            left = run_task(lease, tenure, self._setting)
            self._tenure = None
            self._owed.append((lease, left))
            self._settle()
        _LOG.info("task %d is left: %s", lease.task.id, left[0])

    def _tell(self, why: str) -> None:
        """Once, as long as it stays so."""
        if why != self._told:
            _LOG.info("%s", why)
        self._told = why

    def _settle(self) -> None:
        """Leaves tasks as they are to be left. One that was left is not touched again."""
        while self._owed:
            lease, (status, reason) = self._owed[0]
            try:
                self._store.tasks.release(lease, status=status, reason=reason)
                self._setting.mirror(lease.task.id)
            except StoreError as error:
                _LOG.warning("task %d cannot be left yet: %s", lease.task.id, error)
                return
            self._owed.pop(0)
