"""`autotuner worker`: take queued tasks and run them."""

from __future__ import annotations

import logging
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from autotuner.cli import exit_codes
from autotuner.cli.home import lock_folder, state_folder
from autotuner.launch.devices import allowed_gpus
from autotuner.migrate import mirror
from autotuner.server.security import keep_secrets_out
from autotuner.server.settings import ServiceSettings, load_settings
from autotuner.store import Store
from autotuner.store.maintenance import EVERY_S, remove_expired
from autotuner.store.profiles import service_registry
from autotuner.tuning.former_tasks import FormerTasks
from autotuner.tuning.resources import gpus_of_home
from autotuner.workers.child import when_asked_to_stop, when_parent_ends
from autotuner.workers.devices import Devices, devices_of
from autotuner.workers.heartbeat import PeriodicThread
from autotuner.workers.opening import opened
from autotuner.workers.run_task import WorkerSetup
from autotuner.workers.worker import Worker, WorkerEnd, this_worker

_LOG = logging.getLogger("autotuner.worker")
_CODES = {
    WorkerEnd.IDLE: 0,
    WorkerEnd.STOPPED: exit_codes.INTERRUPTED,
    WorkerEnd.BLOCKED: exit_codes.NOTHING,
}
_REASONS = {
    WorkerEnd.IDLE: ": no task waits",
    WorkerEnd.STOPPED: "",
    WorkerEnd.BLOCKED: ": it could take no task, see the lines above; work may be left",
}


def worker(
    *,
    name: str | None,
    devices: str,
    gpu: str | None,
    database: str | None,
    home: Path | None,
    config: Path | None,
    until_idle_s: float | None,
    is_child: bool,
) -> int:
    """Works until it is asked to stop, or has been idle for long enough; returns the exit code.

    One that was to end by itself and was stopped before is interrupted, and one that was blocked
    has done nothing: a scheduler that starts jobs again knows by these codes that there may be
    work left.
    """
    log_to_stderr()
    folder = state_folder(home)
    settings = load_settings(config, environment=os.environ, flags={})
    found = devices_here(devices, gpu, folder)
    me = this_worker(name or "", "worker", found)
    stopping = threading.Event()
    working: list[Worker] = []

    def stop() -> None:
        stopping.set()
        for each in working:
            each.stop()

    when_asked_to_stop(stop)
    if is_child:
        when_parent_ends(stop)
    store = opened(lambda: Store.open(folder, database), stopping, until_idle_s=until_idle_s)
    if isinstance(store, WorkerEnd):
        _LOG.info("worker %s has ended%s", me.name, _REASONS[store])
        return exit_code(store, until_idle_s)
    with store:
        setup = WorkerSetup(
            home=folder,
            devices=found,
            policy=settings.policy,
            registry=lambda: service_registry(store, folder),
            mirror=lambda task_id: mirror(store, task_id),
            locks=lock_folder(),
        )
        working.append(Worker(store, me, setup, until_idle_s=until_idle_s, stopping=stopping))
        _LOG.info("worker %s works on %s %s", me.name, found.gpu, ", ".join(found.names))
        with upkeep_of(store, settings):
            end = working[0].run()
    _LOG.info("worker %s has ended%s", me.name, _REASONS[end])
    return exit_code(end, until_idle_s)


def devices_here(devices: str, gpu: str | None, folder: Path) -> Devices:
    """The devices that a worker of this process, with that home, works on.

    Raises:
        AutotunerError: as `devices_of`.
    """
    described, allowed = gpus_of_home(folder), allowed_gpus(os.environ)
    return devices_of(devices, gpu=gpu, described=described, allowed=allowed)


def exit_code(end: WorkerEnd, until_idle_s: float | None) -> int:
    """The code of a worker that has ended so; one that runs until it is stopped has done its work
    then."""
    return 0 if until_idle_s is None else _CODES[end]


def upkeep_of(store: Store, settings: ServiceSettings) -> PeriodicThread:
    """Removes what is too old, and completes tasks of former versions, now and then, while its
    block runs."""
    days, former = settings.keep_events_days, FormerTasks(store)

    def keep_up() -> None:
        remove_expired(store.sessions, datetime.now(UTC), keep_events_days=days)
        former.settle()

    return PeriodicThread(keep_up, EVERY_S, name="upkeep")


def log_to_stderr() -> None:
    """Lines of the service and its workers, without secrets."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    keep_secrets_out()
