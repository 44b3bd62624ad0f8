"""Names and addresses of hosts, as `Host` headers and settings write them."""

from __future__ import annotations

import ipaddress
import re

_HOST = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(:(?P<port>\d{1,5}))?")


def split_host(host: str) -> tuple[str, int | None] | None:
    """`[::1]:8700` -> `("::1", 8700)`; None where it is no host. Names are lower case."""
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    name = (match["v6"] or match["name"]).lower().removesuffix(".")
    return name, int(match["port"]) if match["port"] else None


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    return host == "localhost" or (is_digits(host) and ipaddress.ip_address(host).is_loopback)


def is_digits(address: str) -> bool:
    """Whether it is an IP address and no name."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
