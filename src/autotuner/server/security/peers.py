"""Where a request comes from: the address that reached the service, or what a proxy tells of it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from starlette.requests import HTTPConnection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FORWARDED = "x-forwarded-for"


@dataclass(frozen=True)
class Peers:
    """Tells clients apart by their addresses.

    Attributes:
        proxies: whose `X-Forwarded-For` counts. Anybody may send that header: what stands in it to
            the left of what a trusted proxy added is hearsay.
    """

    proxies: tuple[Network, ...] = ()

    @classmethod
    def behind(cls, proxies: tuple[str, ...]) -> Self:
        """With proxies as settings name them: addresses and networks."""
        return cls(tuple(ipaddress.ip_network(proxy) for proxy in proxies))

    def address_of(self, connection: HTTPConnection) -> str:
        """The client's address; of IPv6 the network, of which a client has all addresses."""
        host = connection.client.host if connection.client else ""
        address = _address(host)
        if address is None:
            return host
        hops = ",".join(connection.headers.getlist(FORWARDED)).split(",")
        while self._is_proxy(address) and hops:
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


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _without_port(hop: str) -> str:
    """An address that some proxies write with a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
