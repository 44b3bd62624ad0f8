"""The loop of a worker: register, claim, run, give back; beside it, look at the others."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from enum import Enum, auto

from autotuner import __version__
from autotuner.errors import InUseError, StoreError, StoreUnavailableError
from autotuner.launch.processes import boot_time_s, process_of, this_machine
from autotuner.store import Lease, Store, device_locks
from autotuner.store.workers import WorkerRecord
from autotuner.workers.devices import Devices
from autotuner.workers.heartbeat import WORKER_TIMES, PeriodicThread, WorkerTimes
from autotuner.workers.lease import SHUTDOWN, LeaseKeeper, TaskEngines
from autotuner.workers.run_task import Left, WorkerSetup, run_task
from autotuner.workers.usage_report import UsageReport
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


class Registration:
    """Keeps a worker known for as long as its block runs.

    Args:
        watch: whether it looks at the others as well.
        usage: how busy its machine is, reported with each heartbeat.
    """

    def __init__(
        self,
        store: Store,
        me: WorkerRecord,
        *,
        times: WorkerTimes = WORKER_TIMES,
        watch: bool = True,
        usage: UsageReport | None = None,
    ) -> None:
        self._store = store
        self._me = me
        self.busy = False
        self._usage = usage or UsageReport()
        self._running = ExitStack()
        every_s = times.registration_s
        self._threads = [
            PeriodicThread(self._usage.take, every_s, name="usage"),
            PeriodicThread(self._give_heartbeat, every_s, name="registration"),
        ]
        if watch:
            look = Watcher(store, me, times=times).look
            self._threads.append(PeriodicThread(look, times.look_s, name="watch over workers"))

    def __enter__(self) -> Registration:
        try:
            self._store.workers.add(self._me)
        except StoreUnavailableError as error:
            _LOG.warning("this worker is not known yet: %s", error)  # its next heartbeat adds it
        for thread in self._threads:
            self._running.enter_context(thread)
        return self

    def __exit__(self, *gone: object) -> None:
        self._running.close()
        try:
            self._store.workers.forget(self._me.id)
        except StoreError as error:
            _LOG.warning("that this worker has ended is not recorded: %s", error)

    def _give_heartbeat(self) -> None:
        status = "busy" if self.busy else "idle"
        try:
            if not self._store.workers.heartbeat(self._me.id, status, self._usage.to_json()):
                # Others took it for dead, as after a long sleep of the machine.
                self._store.workers.add(dataclasses.replace(self._me, status=status))
        except StoreError as error:
            _LOG.warning("no heartbeat could be given: %s", error)


class WorkerEnd(Enum):
    """Why a worker has ended."""

    IDLE = auto()
    STOPPED = auto()
    BLOCKED = auto()
    """For too long it could take no task, or not learn whether one waits."""


class _Look(Enum):
    """The answer of a look for a task."""

    WORKED = auto()
    NOTHING_WAITS = auto()
    UNKNOWN = auto()
    """A task waits that cannot be taken now, or nobody knows whether one does."""


class Worker:
    """Runs queued tasks one after the other, until it is stopped.

    Args:
        until_idle_s: ends when no task has been waiting for so long, 0 at once; None: never. One
            that ends by itself ends too where it is blocked for as long, and for
            `WorkerTimes.blocked_s`.
        clock: seconds since any moment.
        stopping: set where it is stopped, maybe before it begins.
    """

    def __init__(
        self,
        store: Store,
        me: WorkerRecord,
        setup: WorkerSetup,
        *,
        times: WorkerTimes = WORKER_TIMES,
        until_idle_s: float | None = None,
        clock: Callable[[], float] = boot_time_s,
        stopping: threading.Event | None = None,
    ) -> None:
        self._store = store
        self._me = me
        self._setup = setup
        self._times = times
        self._until_idle_s = until_idle_s
        self._clock = clock
        self._stopping = stopping or threading.Event()
        self._keeper: LeaseKeeper | None = None
        self._owed: list[tuple[Lease, Left]] = []
        self._logged = ""

    def stop(self) -> None:
        """Has it give its task back and end; may be called from anywhere, also more than once."""
        self._stopping.set()
        keeper = self._keeper
        if keeper is not None:
            keeper.end(SHUTDOWN)

    def run(self) -> WorkerEnd:
        """Works until it is stopped, has been idle for long enough, or blocked for too long."""
        with Registration(self._store, self._me, times=self._times) as registration:
            end = self._work(registration)
            self._settle()
        return end

    def _work(self, registration: Registration) -> WorkerEnd:
        idle_since = known_since = self._clock()
        while not self._stopping.is_set():
            look, now = self._look(registration), self._clock()
            if look is not _Look.NOTHING_WAITS:
                idle_since = now
            if look is not _Look.UNKNOWN:
                known_since = now
            if look is _Look.NOTHING_WAITS and self._is_over(now - idle_since, 0):
                return WorkerEnd.IDLE
            if look is _Look.UNKNOWN and self._is_over(now - known_since, self._times.blocked_s):
                return WorkerEnd.BLOCKED
            if look is not _Look.WORKED:
                self._stopping.wait(self._times.poll_s)
        return WorkerEnd.STOPPED

    def _is_over(self, without_s: float, at_least_s: float) -> bool:
        """Whether one that has been without work for so long ends by itself."""
        return self._until_idle_s is not None and without_s >= max(self._until_idle_s, at_least_s)

    def _look(self, registration: Registration) -> _Look:
        """Looks for a task and works on it, where that can be."""
        self._settle()
        devices, queue = self._setup.devices, self._store.tasks
        try:
            if self._owed:
                return _Look.UNKNOWN
            if queue.next_for(gpu=devices.gpu, gpus=devices.gpus) is None:
                self._logged = ""
                return _Look.NOTHING_WAITS
            with device_locks(
                devices.names, self._me.name, kind="worker", folder=self._setup.locks
            ):
                if held := end_leftovers(self._store):
                    self._log_once(f"a task waits: {held}")
                    return _Look.UNKNOWN
                lease = queue.claim(self._me.id, gpu=devices.gpu, gpus=devices.gpus)
                if lease is None:
                    return _Look.UNKNOWN
                registration.busy = True
                self._work_on(lease)
        except InUseError as error:
            self._log_once(f"a task waits: {error.message}")
            return _Look.UNKNOWN
        except StoreError as error:
            _LOG.warning("no task can be taken: %s", error)
            return _Look.UNKNOWN
        finally:
            registration.busy = False
        self._logged = ""
        return _Look.WORKED

    def _work_on(self, lease: Lease) -> None:
        _LOG.info("task %d '%s' begins", lease.task.id, lease.task.name)
        engines = TaskEngines(self._store.workers, self._me, lease.task.id)
        with LeaseKeeper(self._store, lease, engines, times=self._times) as keeper:
            self._keeper = keeper
            if self._stopping.is_set():
                keeper.end(SHUTDOWN)
            left = run_task(lease, keeper, self._setup)
            self._keeper = None
            self._owed.append((lease, left))
            self._settle()
        _LOG.info("task %d is left: %s", lease.task.id, left[0])

    def _log_once(self, why: str) -> None:
        """Once, as long as it stays so."""
        if why != self._logged:
            _LOG.info("%s", why)
        self._logged = why

    def _settle(self) -> None:
        """Leaves tasks as they are to be left. One that was left is not touched again."""
        while self._owed:
            lease, (status, reason) = self._owed[0]
            try:
                self._store.tasks.release(lease, status=status, reason=reason)
                self._setup.mirror(lease.task.id)
            except StoreError as error:
                _LOG.warning("task %d cannot be left yet: %s", lease.task.id, error)
                return
            self._owed.pop(0)
