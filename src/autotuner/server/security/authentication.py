"""Authentication by tokens, the scopes that requests need, and secrets kept out of logs."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.middleware import OPEN_PATHS, SAFE_METHODS, method_of
from autotuner.server.security.rate_limits import Buckets, Peers, refuse_for
from autotuner.store.tokens import PREFIX, Token, TokenScope

_ANY = re.compile(r".*", re.DOTALL)
_TOKENS = re.compile(r"/api/v2/tokens(/.*)?", re.DOTALL)
_OPERATORS = re.compile(r"/api/v2/(system|policy)(/.*)?", re.DOTALL)
RIGHTS = (
    (_TOKENS, None, TokenScope.ADMIN),
    (_OPERATORS, SAFE_METHODS, TokenScope.READ),
    (_OPERATORS, None, TokenScope.ADMIN),
    (_ANY, SAFE_METHODS, TokenScope.READ),
    (_ANY, None, TokenScope.WRITE),
)
"""(path, methods or None for any, scope); the first row that matches counts."""


def scope_needed(method: str, path: str) -> TokenScope | None:
    """The scope that a request needs; None where it needs no token."""
    if path in OPEN_PATHS and method in SAFE_METHODS:
        return None
    return next(
        scope
        for pattern, methods, scope in RIGHTS
        if pattern.fullmatch(path) and (methods is None or method in methods)
    )


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


_HIDDEN = "***"
_PATH_ARGUMENTS = {"uvicorn.access": 2, "uvicorn.error": 1}
"""uvicorn's loggers -> the place of the path among the arguments of a line on a request."""
_READS_ARGUMENTS = ("uvicorn.access",)
"""Loggers whose formatter reads the arguments one by one: they have to stay."""
_SECRETS = (
    (re.compile(rf"{PREFIX}[\w-]{{8,}}"), _HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]+):\S+@"), rf"\1:{_HIDDEN}@"),
)


class NoSecrets(logging.Filter):
    """Takes secrets out of a line before any handler formats it; lets every line pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        place = _PATH_ARGUMENTS.get(record.name)
        if place is not None and isinstance(record.args, tuple):
            record.args = tuple(
                without_secrets(value.partition("?")[0])
                if index == place and isinstance(value, str)
                else value
                for index, value in enumerate(record.args)
            )
        if record.name not in _READS_ARGUMENTS:
            record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


def without_secrets(text: str) -> str:
    """The text with tokens, credentials and passwords of addresses replaced."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def keep_secrets_out(*loggers: str) -> None:
    """Cleans what the named loggers and their handlers write; those of uvicorn where none is named.

    A logger's filters see its own lines only, a handler's also those of the loggers below it.
    """
    for name in loggers or ("uvicorn", *_PATH_ARGUMENTS, "autotuner", ""):
        logger = logging.getLogger(name)
        for place in (logger, *logger.handlers):
            if not any(isinstance(each, NoSecrets) for each in place.filters):
                place.addFilter(NoSecrets())
