"""Wall time of a run, kept while it is worked on: a killed process leaves what it has taken."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from autotuner.errors import AutotunerError
from autotuner.store import Store, TaskRecord

KEPT_EVERY_S = 2.0


class RunTime:
    """Stores the wall time of a run every `KEPT_EVERY_S`, from a thread of its own.

    In real time, whatever the clock of the run's event loop says.
    """

    def __init__(self, store: Store, run: TaskRecord, *, every_s: float = KEPT_EVERY_S) -> None:
        self._store = store
        self._run = run
        self._every_s = every_s
        self._kept_s = 0.0
        self._began_s = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="run-time", daemon=True)

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
        self._thread.join()

    def left_s(self) -> float:
        """Seconds that are not stored yet; nothing more is stored from here."""
        self._over.set()
        self._thread.join()
        return time.monotonic() - self._began_s - self._kept_s

    def _keep(self) -> None:
        while not self._over.wait(self._every_s):
            taken_s = time.monotonic() - self._began_s
            try:
                self._store.tasks.keep_wall_time(self._run.id, self._run.wall_s + taken_s)
            except AutotunerError:
                return  # The run itself meets the same trouble, and says so.
            self._kept_s = taken_s
