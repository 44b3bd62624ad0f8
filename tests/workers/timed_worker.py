"""A worker whose times are not those of users: `python timed_worker.py JSON`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from autotuner.cli.commands.worker import log_to_stderr
from autotuner.profiles import builtin_registry
from autotuner.server.settings import load_settings
from autotuner.store import Store
from autotuner.workers.child import when_asked_to_stop
from autotuner.workers.devices import Devices
from autotuner.workers.heartbeat import WorkerTimes
from autotuner.workers.run_task import WorkerSetup
from autotuner.workers.worker import Worker, this_worker


def main(given: dict[str, object]) -> None:
    log_to_stderr()
    home, devices = Path(str(given["home"])), Devices("cpu", ("cpu",))
    settings = load_settings(Path(str(given["config"])), environment=os.environ, flags={})
    folder = home / str(given["name"])
    # Locks of its own: two of them stand for workers on two machines.
    setup = WorkerSetup(folder, devices, settings.policy, builtin_registry, locks=folder / "locks")
    database = given["database"]
    with Store.open(home, None if database is None else str(database)) as store:
        me = this_worker(str(given["name"]), "worker", devices)
        worker = Worker(store, me, setup, times=WorkerTimes(**given["times"]))  # type: ignore[arg-type]
        when_asked_to_stop(worker.stop)
        worker.run()


main(json.loads(sys.argv[1]))
