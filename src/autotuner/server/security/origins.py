"""Whose web pages may send requests: the service's own, and those that the operator names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.guard import SAFE_METHODS, method_of

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class OriginCheck:
    """Refuses what a browser says comes from another page; who sends no `Origin` is no browser.

    A browser leaves `Origin` out where a page embeds or links to something; there it says in
    `Sec-Fetch-Site` and `Sec-Fetch-Mode` what it does, and only following a link may cross sites.

    Attributes:
        allowed: origins such as `https://tuner.example.org`, beside the service's own.
    """

    allowed: frozenset[str]

    async def __call__(self, connection: HTTPConnection) -> None:
        headers = connection.headers
        for origin in headers.getlist("origin"):
            if origin not in self.allowed and not is_same(origin, headers.get("host", "")):
                raise ProblemError(
                    ProblemKind.WRONG_ORIGIN,
                    f"Origin: {origin!r} is another page's; the operator may add it to "
                    "allowed_origins",
                )
        follows = method_of(connection) in SAFE_METHODS and _navigates(connection)
        crosses = headers.get("sec-fetch-site") == "cross-site" and "origin" not in headers
        if crosses and not follows:
            raise ProblemError(
                ProblemKind.WRONG_ORIGIN,
                "Sec-Fetch-Site: cross-site says that a page of another site sent this; open the "
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


def _navigates(connection: HTTPConnection) -> bool:
    return connection.headers.get("sec-fetch-mode") == "navigate"
