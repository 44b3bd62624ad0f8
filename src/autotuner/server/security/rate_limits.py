"""Rate limits: who a client is, and how many requests it may send."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.middleware import OPEN_PATHS

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED = "x-forwarded-for"
_MOST_CLIENTS = 10_000
"""Most buckets kept; the least recently used one is dropped, and it is full by then."""
_ADDRESSES = 1_000
"""Addresses kept as they were read: a client sends many requests."""


@dataclass(frozen=True)
class Peers:
    """Distinguishes clients by their addresses.

    Attributes:
        proxies: whose `X-Forwarded-For` is trusted. Anybody may send that header: entries to the
            left of what a trusted proxy added are not trustworthy.
    """

    proxies: tuple[Network, ...] = ()

    @classmethod
    def behind(cls, proxies: tuple[str, ...]) -> Self:
        """Peers behind the proxies of the settings: addresses and networks."""
        return cls(tuple(ipaddress.ip_network(proxy) for proxy in proxies))

    def address_of(self, connection: HTTPConnection) -> str:
        """Address of the client; for IPv6 its /64 network, all of which a client may use."""
        host = connection.client.host if connection.client else ""
        address = _address(host)
        if address is None:
            return host
        hops = self.proxies and ",".join(connection.headers.getlist(FORWARDED)).split(",")
        while hops and self._is_proxy(address):
            before = _address(_without_port(hops.pop().strip()))
            if before is None:
                break
            address = before
        if address.version == 4:
            return str(address)
        return str(ipaddress.ip_network((int(address), 64), strict=False))

    def _is_proxy(self, address: Address) -> bool:
        return any(
            address in network for network in self.proxies if network.version == address.version
        )


@lru_cache(maxsize=_ADDRESSES)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _without_port(hop: str) -> str:
    """Address without the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


class Buckets:
    """Token buckets, one for each client.

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
        """Takes a permit and returns 0, or returns the seconds until there is one."""
        permits = self._permits(client)
        waiting_s = self._until_one_s(permits)
        if self._per_s and not waiting_s:
            self._filled[client] = (permits - 1, self._clock())
            self._filled.move_to_end(client)
            if len(self._filled) > self._most_clients:
                self._filled.popitem(last=False)
        return waiting_s

    def waiting_s(self, client: str) -> float:
        """Seconds until there is a permit, 0 if there is one; takes none."""
        return self._until_one_s(self._permits(client))

    def _until_one_s(self, permits: float) -> float:
        return (1 - permits) / self._per_s if self._per_s and permits < 1 else 0.0

    def _permits(self, client: str) -> float:
        had, since = self._filled.get(client, (float(self._burst), 0.0))
        return min(self._burst, had + (self._clock() - since) * self._per_s)

    def __len__(self) -> int:
        return len(self._filled)


@dataclass(frozen=True)
class RateCheck:
    """Refuses clients without a permit: known by the name of their token, else by their address."""

    buckets: Buckets
    peers: Peers

    async def __call__(self, connection: HTTPConnection) -> None:
        if connection.scope["path"] not in OPEN_PATHS:
            token = getattr(connection.state, "token", None)
            who = f"token {token.name}" if token else self.peers.address_of(connection)
            refuse_for(self.buckets.take(who))


def refuse_for(waiting_s: float) -> None:
    """Refuses a request whose client has to wait; passes it if the wait is 0.

    Raises:
        ProblemError: with the seconds to wait, rounded up.
    """
    if waiting_s > 0:
        seconds = math.ceil(waiting_s)
        raise ProblemError(
            ProblemKind.RATE_LIMITED,
            f"try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )
