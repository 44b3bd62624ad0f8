"""Signs of life: how often they are given and looked for, and the threads that do so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_LONGEST_S = 10.0
"""To wait for a call that hangs, as in a database that answers nothing."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerTimes:
    """All times of this room, in seconds.

    A holder gives up before anybody takes over: `give_up_s` is well under `overdue_s`. What is
    taken over goes on within a minute: `overdue_s`, two looks, a claim.

    Attributes:
        heartbeat_s: from one heartbeat of a holder to the next.
        give_up_s: without a heartbeat that was written, after which a holder stops its engines.
        look_s: from one look at the others to the next.
        overdue_s: without a new heartbeat, after which a holder is taken for dead.
        poll_s: from one look for a task to the next, and from one try to the next where the
            database is away.
        registration_s: from one heartbeat of a worker itself to the next.
        blocked_s: that a worker which ends by itself waits at the least where it can take no task,
            or not learn whether one waits.
    """

    heartbeat_s: float = 2.0
    give_up_s: float = 40.0
    look_s: float = 2.0
    overdue_s: float = 50.0
    poll_s: float = 1.0
    registration_s: float = 5.0
    blocked_s: float = 300.0


WORKER_TIMES = WorkerTimes()


class PeriodicThread:
    """Calls `act` at once and then every `every_s` seconds while its block runs.

    What `act` raises is logged, and it is called again: a thread that ended unseen would make a
    worker look dead.
    """

    def __init__(self, act: Callable[[], None], every_s: float, *, name: str) -> None:
        self._act = act
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_LONGEST_S)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._act()
            except Exception:
                _LOG.exception("%s failed; it goes on", self._thread.name)
            self._over.wait(self._every_s)
