"""Who sends a request: the bearer of a token, or whoever reaches a service that asks for none."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.guard import method_of
from autotuner.server.security.peers import Peers
from autotuner.server.security.rates import Buckets, refuse_for
from autotuner.server.security.rights import scope_needed
from autotuner.store.tokens import PREFIX, Token

FindToken = Callable[[str], Token | None]
"""The token of a clear text; None where it is unknown, revoked or has run out."""

_REMEMBERED_S = 5.0
"""How long a token that was found counts without asking again: revoking it acts within that."""
_MOST_REMEMBERED = 1_000
_ATTEMPTS_PER_S, _ATTEMPTS_BURST = 1.0, 20
"""Tokens that are not valid, of one address: more are told to wait."""
_REALM = 'Bearer realm="autotuner"'
_IN_ADDRESS = re.compile(r"(access_?|api_?)?token|api_?key|authorization|bearer", re.IGNORECASE)
_MAY_HOLD = re.compile(rb"token|key|authorization|bearer|at_|%", re.IGNORECASE)
"""What every such query has something of: most have nothing, and are not taken apart."""


class RememberedTokens:
    """Finds tokens, and for a few seconds knows those that it has found.

    Args:
        find: asks the store.
        clock: seconds; never goes back.
    """

    def __init__(self, find: FindToken, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._found: dict[bytes, tuple[Token, float]] = {}

    def known(self, clear: str) -> Token | None:
        """The token, if it was found a moment ago."""
        token, until = self._found.get(_digest(clear), (None, 0.0))
        return token if self._clock() < until else None

    def find(self, clear: str) -> Token | None:
        """The token by the store."""
        token = self._find(clear)
        if token is not None:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[_digest(clear)] = (token, self._clock() + _REMEMBERED_S)
        return token


@dataclass(frozen=True)
class TokenCheck:
    """Lets a request pass that needs no token, or whose token has the scope it needs.

    A token that is sent counts everywhere, also where none is asked for. Whose request it is then
    stands in `state.token`.

    Attributes:
        demanded: whether a request without a token is refused.
        attempts: of each address, with tokens that are not valid. A valid one is never refused for
            what others at its address have tried.
    """

    tokens: RememberedTokens
    demanded: bool
    attempts: Buckets
    peers: Peers

    async def __call__(self, connection: HTTPConnection) -> None:
        _refuse_in_address(connection.scope.get("query_string", b""))
        needed = scope_needed(method_of(connection), connection.scope["path"])
        clear = bearer_of(connection.headers.getlist("authorization"))
        if needed is None:
            return
        if clear is None:
            if self.demanded:
                raise _unauthorized("this service asks for a token", _REALM)
            return
        token = self.tokens.known(clear) or await self._asked(clear, connection)
        if not token.scope.covers(needed):
            raise ProblemError(
                ProblemKind.FORBIDDEN,
                f"the token {token.name!r} has the scope {token.scope}; {needed} is needed here",
                headers={
                    "WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{needed}"'
                },
                scope_needed=needed,
            )
        connection.state.token = token

    async def _asked(self, clear: str, connection: HTTPConnection) -> Token:
        found = await run_in_threadpool(self.tokens.find, clear)
        if found is None:
            refuse_for(self.attempts.take(self.peers.address_of(connection)))
            raise _unauthorized(
                "the token is unknown, revoked or has run out",
                f'{_REALM}, error="invalid_token"',
            )
        return found


def attempts() -> Buckets:
    """The buckets of tokens that are not valid."""
    return Buckets(_ATTEMPTS_PER_S, _ATTEMPTS_BURST)


def bearer_of(given: list[str]) -> str | None:
    """The token that `Authorization` carries; None where there is none."""
    if len(given) > 1:
        raise ProblemError(ProblemKind.BAD_REQUEST, "there are two Authorization headers; send one")
    scheme, _, clear = (given[0] if given else "").strip().partition(" ")
    return clear.strip() or None if scheme.lower() == "bearer" else None


def _refuse_in_address(query: bytes) -> None:
    """Addresses are kept in logs and histories: what stands in one is not secret any more."""
    if not _MAY_HOLD.search(query):
        return
    for name, value in parse_qsl(query.decode("latin-1")):
        if _IN_ADDRESS.fullmatch(name) or value.startswith(PREFIX):
            raise ProblemError(
                ProblemKind.BAD_REQUEST,
                f"a token stands in the address (parameter {name!r}): revoke it, and send another "
                "in the header `Authorization: Bearer TOKEN`",
            )


def _unauthorized(detail: str, challenge: str) -> ProblemError:
    return ProblemError(ProblemKind.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})


def _digest(clear: str) -> bytes:
    return hashlib.sha256(clear.encode("utf-8", "surrogateescape")).digest()
