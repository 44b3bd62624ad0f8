"""The database of a worker that begins: waited for as its loop waits for one that is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from autotuner.errors import StoreRefusedError, StoreUnavailableError
from autotuner.launch.processes import boot_time_s
from autotuner.store import Store
from autotuner.workers.heartbeat import WORKER_TIMES, WorkerTimes
from autotuner.workers.worker import WorkerEnd

_LOG = logging.getLogger(__name__)


def opened(
    open_store: Callable[[], Store],
    stopping: threading.Event,
    *,
    until_idle_s: float | None,
    times: WorkerTimes = WORKER_TIMES,
    clock: Callable[[], float] = boot_time_s,
) -> Store | WorkerEnd:
    """The store, once its database answers; or the end of a worker that it did not answer.

    Args:
        until_idle_s: as of a `Worker`: one that ends by itself waits for as long, and for
            `WorkerTimes.blocked_s`.
        clock: seconds since any moment.

    Raises:
        StoreError: it can never be used so: it lets this user not in, or holds something else.
    """
    began, logged = clock(), ""
    while not stopping.is_set():
        try:
            return open_store()
        except StoreRefusedError:
            raise
        except StoreUnavailableError as error:
            if error.message != logged:
                _LOG.warning("this worker waits for its database: %s", error.message)
            logged = error.message
        if until_idle_s is not None and clock() - began >= max(until_idle_s, times.blocked_s):
            return WorkerEnd.BLOCKED
        stopping.wait(times.poll_s)
    return WorkerEnd.STOPPED
