"""How many requests a client may send: a bucket of permits for each, filled at a steady rate."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.peers import Peers
from autotuner.server.security.rights import OPEN_PATHS

_MOST_CLIENTS = 10_000
"""Buckets that are kept; the one that was used longest ago goes first, and it is full by then."""


class Buckets:
    """One bucket a client.

    Args:
        per_s: permits that come back each second; 0 limits nothing.
        burst: permits that a bucket holds.
        clock: seconds; never goes back.
    """

    def __init__(
        self,
        per_s: float,
        burst: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        most_clients: int = _MOST_CLIENTS,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._most_clients = most_clients
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Takes a permit; 0 where there is one, else the seconds until there is."""
        waiting_s, permits = self.waiting_s(client), self._permits(client)
        if self._per_s and not waiting_s:
            self._filled[client] = (permits - 1, self._clock())
            self._filled.move_to_end(client)
            if len(self._filled) > self._most_clients:
                self._filled.popitem(last=False)
        return waiting_s

    def waiting_s(self, client: str) -> float:
        """Seconds until there is a permit; 0 where there is one, which stays."""
        permits = self._permits(client)
        return (1 - permits) / self._per_s if self._per_s and permits < 1 else 0.0

    def _permits(self, client: str) -> float:
        had, since = self._filled.get(client, (float(self._burst), 0.0))
        return min(self._burst, had + (self._clock() - since) * self._per_s)

    def __len__(self) -> int:
        return len(self._filled)


@dataclass(frozen=True)
class RateCheck:
    """Refuses who has no permit left: a token's bearer by its name, others by their address."""

    buckets: Buckets
    peers: Peers

    async def __call__(self, connection: HTTPConnection) -> None:
        if connection.scope["path"] not in OPEN_PATHS:
            token = getattr(connection.state, "token", None)
            who = f"token {token.name}" if token else self.peers.address_of(connection)
            refuse_for(self.buckets.take(who))


def refuse_for(waiting_s: float) -> None:
    """Refuses a request whose client has to wait so long; lets it pass where that is 0.

    Raises:
        ProblemError: with the whole seconds to wait.
    """
    if waiting_s > 0:
        seconds = math.ceil(waiting_s)
        raise ProblemError(
            ProblemKind.RATE_LIMITED,
            f"ask again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )
