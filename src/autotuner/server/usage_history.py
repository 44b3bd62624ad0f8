"""How busy the service's machine and those of its workers were of late: samples in memory."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from autotuner.workers.machine import MachineReader, MachineUsage

_log = logging.getLogger(__name__)
EVERY_S = 5.0
_LONGEST_END_S = 5.0
"""Seconds that `stop` waits for a sample under way: a driver may hang."""
_KEPT = 360
"""Half an hour."""


T = TypeVar("T")
Others = Callable[[], Mapping[str, MachineUsage]]
"""Reads host -> how busy another machine is, as far as its workers say so."""


@dataclass(frozen=True)
class UsageSample:
    """How busy the machines were at a moment: the service's own, None where it could not be read,
    and by host those of workers."""

    at: datetime
    usage: MachineUsage | None
    others: Mapping[str, MachineUsage] = field(default_factory=dict)


class UsageHistory:
    """Samples of the machines, the oldest first. A thread takes them between `start` and `stop`.

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
        self._failed: dict[str, str] = {}
        """Machines -> error of their newest reading, so that a lasting fault is logged once."""

    def samples(self) -> tuple[UsageSample, ...]:
        """The samples that are kept; at least one, of now."""
        if not self._samples:
            self.take()
        with self._lock:
            return tuple(self._samples)

    def take(self, others: Others = dict) -> None:
        """Takes a sample of this machine, then of others; what either raises is logged, and costs
        the other nothing."""
        usage = self._read_or_log("the machine is", self._read)
        beside = self._read_or_log("the machines of workers are", others) or {}
        with self._lock:
            self._samples.append(UsageSample(self._now(), usage, beside))

    def start(self, others: Others = dict) -> None:
        """Takes a sample every few seconds from now on."""
        self.take(others)
        self._thread = threading.Thread(
            target=self._go_on, args=(others,), name="usage", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Takes no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_END_S)

    def _go_on(self, others: Others) -> None:
        while not self._ended.wait(self._every_s):
            self.take(others)

    def _read_or_log(self, whose: str, read: Callable[[], T]) -> T | None:
        try:
            found = read()
        except Exception as error:  # a driver may raise anything, and answer the next time
            failed = f"{type(error).__name__}: {error}"
            if failed != self._failed.get(whose):
                _log.warning("how busy %s cannot be read: %s", whose, failed)
            self._failed[whose] = failed
            return None
        self._failed.pop(whose, None)
        return found
