"""Arrival processes: who decides when the next request of a level is sent.

In a closed loop it is the engine: so many users send one request after the other. In an open loop
it is a schedule, which does not wait: requests of an engine that is late queue up, and their
latency counts from the scheduled time, for a client that waits for a slow engine to take its next
request hides what its users would see.

A further process is one class with `due_s`, and a line in `_OF_KIND` or a plan that carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from autotuner.config import LoadKind, LoadLevel

# Users who start in the same millisecond get their tokens in the same millisecond, answer after
# answer: bursts that no traffic has, in which the last socket is read milliseconds late. Opening a
# connection and sending a prompt take 1 to 2 ms where CPUs are shared.
_BETWEEN_USERS_S = 0.005


class ArrivalProcess(Protocol):
    """Decides when the next request of a level is sent.

    Example:
        class Poisson:
            users = None

            def __init__(self, rate_s: float, seed: int) -> None:
                self._rng, self._rate_s = random.Random(seed), rate_s
                self._due_s = [0.0]

            def due_s(self, sent: int, in_flight: int) -> float:
                while len(self._due_s) <= sent:
                    self._due_s.append(self._due_s[-1] + self._rng.expovariate(self._rate_s))
                return self._due_s[sent]
    """

    @property
    def users(self) -> int | None:
        """Requests that it keeps in flight; None in an open loop, whose latencies count from the
        scheduled time."""

    def due_s(self, sent: int, in_flight: int) -> float | None:
        """Seconds after the start of the load at which the next request is due.

        None where it waits for one of those in flight to end; a time that has passed means at
        once. It is asked whenever a request has been sent or has ended.

        Args:
            sent: requests sent until now, warm-up included.
            in_flight: those of them that have not ended.
        """


@dataclass(frozen=True)
class ClosedLoop:
    """So many users, who begin one after the other and send the next when the last is answered."""

    users: int

    def due_s(self, sent: int, in_flight: int) -> float | None:
        """See `ArrivalProcess.due_s`."""
        return in_flight * _BETWEEN_USERS_S if in_flight < self.users else None


@dataclass(frozen=True)
class ConstantRate:
    """Requests at equal distances, `rate_s` of them a second."""

    rate_s: float
    users: None = None

    def due_s(self, sent: int, in_flight: int) -> float:
        """See `ArrivalProcess.due_s`."""
        return sent / self.rate_s


_OF_KIND: Mapping[LoadKind, Callable[[float], ArrivalProcess]] = MappingProxyType(
    {
        LoadKind.CONCURRENCY: lambda value: ClosedLoop(int(value)),
        LoadKind.RATE: ConstantRate,
    }
)
LOAD_KINDS = frozenset(_OF_KIND)
"""Kinds of load for which there is an arrival process."""


def arrival_process(load: LoadLevel) -> ArrivalProcess:
    """The arrival process of a load level."""
    return _OF_KIND[load.kind](load.value)
