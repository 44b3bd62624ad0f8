"""How busy this machine is, as its worker reports it with each heartbeat."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autotuner.workers.machine import MachineReader, MachineUsage

_LOG = logging.getLogger(__name__)
_OUTDATED_S = 30.0
_USAGE = TypeAdapter(MachineUsage)


class UsageReport:
    """The newest reading of this machine.

    It is read by a thread that gives no heartbeat: a driver may hang, and a worker whose heartbeat
    waited for it would be taken for dead.

    Args:
        read: reads how busy the machine is; a `MachineReader` where left out.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        read: Callable[[], MachineUsage] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read or MachineReader()
        self._clock = clock
        self._newest: tuple[float, MachineUsage] | None = None
        self._failed = ""
        """Error of the newest reading, so that a lasting fault is logged once."""

    def take(self) -> None:
        """Reads the machine; what a driver raises is logged."""
        try:
            usage = self._read()
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
            if failed != self._failed:
                _LOG.warning("how busy this machine is cannot be read: %s", failed)
            self._failed = failed
        else:
            self._failed = ""
            self._newest = (self._clock(), usage)

    def to_json(self) -> dict[str, Any] | None:
        """The newest reading as it is stored; None where there is none of late."""
        newest = self._newest
        if newest is None or self._clock() - newest[0] > _OUTDATED_S:
            return None
        return asdict(newest[1])


def reported_usage(stored: dict[str, Any] | None) -> MachineUsage | None:
    """A reading as a worker stored it; None of none, and of one in another version's form."""
    if stored is None:
        return None
    try:
        return _USAGE.validate_python(stored)
    except ValidationError:
        return None
