"""Under which names the service answers.

A page elsewhere can point a name of its own at this machine (DNS rebinding) and then counts as the
same origin; its requests still carry that name in `Host`. An address in digits cannot be rebound.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from autotuner.server.addresses import is_digits, split_host
from autotuner.server.problems import ProblemError, ProblemKind

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class HostCheck:
    """Refuses other names than the loopback's, the address that was reached, and `allowed`.

    Attributes:
        allowed: `name`, at any port, or `name:port`.
        port: the service's own, where the server does not tell it.
    """

    allowed: frozenset[str]
    port: int

    async def __call__(self, connection: HTTPConnection) -> None:
        given = connection.headers.getlist("host")
        if len(given) != 1:
            raise ProblemError(
                ProblemKind.BAD_REQUEST, f"there are {len(given)} Host headers; send one"
            )
        address, port = connection.scope.get("server") or ("", None)
        if not answers_to(given[0], self.allowed, address=address, port=port or self.port):
            raise ProblemError(
                ProblemKind.WRONG_HOST,
                f"Host: {given[0]!r} is not one of this service's names; use "
                f"localhost:{port or self.port}, or let the operator add it to allowed_hosts",
            )


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
