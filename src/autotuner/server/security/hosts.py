"""Checks of `Host` and `Origin`: the service's names, and pages that may send requests to it.

A page elsewhere can point a name of its own at this machine (DNS rebinding) and then counts as the
same origin; its requests still carry that name in `Host`. An address in digits cannot be rebound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.middleware import SAFE_METHODS, method_of
from autotuner.server.settings import is_digits, split_host

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
LOOPBACK_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
"""Pattern of the origins of this machine's pages."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class HostCheck:
    """Refuses host names other than loopback ones, the connected address, and `allowed`.

    Attributes:
        allowed: `name`, at any port, or `name:port`.
        port: the service's own, for servers that do not report it.
    """

    allowed: frozenset[str]
    port: int

    async def __call__(self, connection: HTTPConnection) -> None:
        given = connection.headers.getlist("host")
        if len(given) != 1:
            raise ProblemError(
                ProblemKind.BAD_REQUEST, f"found {len(given)} Host headers; send one"
            )
        address, port = connection.scope.get("server") or ("", None)
        if not answers_to(given[0], self.allowed, address=address, port=port or self.port):
            raise ProblemError(
                ProblemKind.WRONG_HOST,
                f"Host: {given[0]!r} is not one of this service's names; use "
                f"localhost:{port or self.port}, or ask the operator to add it to allowed_hosts",
            )


@lru_cache(maxsize=64)
def answers_to(host: str, allowed: frozenset[str], *, address: str, port: int) -> bool:
    """Whether a service at `address` and `port` answers to this `Host` header."""
    found = split_host(host)
    if found is None:
        return False
    name, asked_port = found
    if name in allowed or f"{name}:{asked_port or 80}" in allowed:
        return True
    own = name in LOOPBACK_NAMES or (name == address and is_digits(address))
    return own and (asked_port or 80) == port


@dataclass(frozen=True)
class OriginCheck:
    """Refuses requests that a browser sends for another page; other clients send no `Origin`.

    The service's own page may be open under another of its loopback names than the one that it
    sends requests to; it may then read.

    A browser omits `Origin` when a page embeds or links to something; `Sec-Fetch-Site` and
    `Sec-Fetch-Mode` then describe the request, and only following a link may cross sites.

    Attributes:
        allowed: origins such as `https://tuner.example.org`, beside the service's own.
    """

    allowed: frozenset[str]

    async def __call__(self, connection: HTTPConnection) -> None:
        headers = connection.headers
        host, reads = headers.get("host", ""), method_of(connection) in SAFE_METHODS
        for origin in headers.getlist("origin"):
            if not (
                origin in self.allowed
                or is_same(origin, host)
                or (reads and is_same_but_for_loopback_name(origin, host))
            ):
                raise ProblemError(
                    ProblemKind.WRONG_ORIGIN,
                    f"Origin: {origin!r} belongs to another page; the operator can add it to "
                    "allowed_origins",
                )
        follows = reads and _navigates(connection)
        crosses = headers.get("sec-fetch-site") == "cross-site" and "origin" not in headers
        if crosses and not follows:
            raise ProblemError(
                ProblemKind.WRONG_ORIGIN,
                "Sec-Fetch-Site: cross-site means that a page of another site sent this; open the "
                "service's own address",
            )


def is_same(origin: str, host: str) -> bool:
    """Whether an `Origin` is the one that `Host` names.

    The scheme is not compared: a proxy that speaks TLS stands before a service that does not.
    """
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return False
    default = _DEFAULT_PORTS[parts.scheme]
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    written = {f"{name}:{port or default}"} | ({name} if port in (None, default) else set())
    return host.lower() in written


def is_same_but_for_loopback_name(origin: str, host: str) -> bool:
    """Whether an `Origin` and `Host` are two names of this machine, at the same port."""
    found = split_host(host)
    if found is None or found[0] not in LOOPBACK_NAMES:
        return False
    names = ("localhost", "127.0.0.1", "[::1]")
    port = "" if found[1] is None else f":{found[1]}"
    return any(is_same(origin, f"{name}{port}") for name in names)


def _navigates(connection: HTTPConnection) -> bool:
    return connection.headers.get("sec-fetch-mode") == "navigate"
