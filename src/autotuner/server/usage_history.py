"""How busy the service's machine was of late: samples in memory, as many as are kept."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from autotuner.workers.machine import MachineReader, MachineUsage

_log = logging.getLogger(__name__)
EVERY_S = 5.0
_KEPT = 360
"""Half an hour."""


@dataclass(frozen=True)
class UsageSample:
    """How busy the machine was at a moment."""

    at: datetime
    usage: MachineUsage


class UsageHistory:
    """Samples of this machine, the oldest first. A thread takes them between `start` and `stop`.

    Args:
        read: reads how busy the machine is; a `MachineReader` where left out.
        every_s: seconds between two samples of the thread.
        now: the moment, in UTC.
    """

    def __init__(
        self,
        read: Callable[[], MachineUsage] | None = None,
        *,
        every_s: float = EVERY_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._read = read or MachineReader()
        self._every_s = every_s
        self._now = now
        self._samples: deque[UsageSample] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = ""
        """Error of the newest reading, so that a lasting fault is logged once."""

    def samples(self) -> tuple[UsageSample, ...]:
        """The samples that are kept; at least one, of now."""
        with self._lock:
            if not self._samples:
                self._add()
            return tuple(self._samples)

    def take(self) -> None:
        """Takes a sample."""
        with self._lock:
            self._add()

    def _add(self) -> None:
        self._samples.append(UsageSample(self._now(), self._read()))

    def start(self) -> None:
        """Takes a sample every few seconds from now on."""
        self._take_or_log()
        self._thread = threading.Thread(target=self._go_on, name="usage", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(self._every_s):
            self._take_or_log()

    def _take_or_log(self) -> None:
        try:
            self.take()
        except Exception as error:  # a driver may raise anything, and answer the next time
            failed = f"{type(error).__name__}: {error}"
            if failed != self._failed:
                _log.warning("how busy the machine is cannot be read: %s", failed)
            self._failed = failed
        else:
            self._failed = ""
