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
from autotuner.server.security.middleware import OPEN_PATHS, SAFE_METHODS, is_ui, method_of
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
"""(path, methods or None for any, scope); the first match counts."""
FindToken = Callable[[str], Token | None]
"""Finds the token of a clear text; None if it is unknown, revoked or expired."""
_REMEMBERED_S = 5.0
"""Time for which a found token is cached: revoking it takes effect within that."""
_MOST_REMEMBERED = 1_000
_ATTEMPTS_PER_S, _ATTEMPTS_BURST = 1.0, 20
"""Invalid tokens allowed from one address before it has to wait."""
_REALM = 'Bearer realm="autotuner"'
_IN_ADDRESS = re.compile(r"(access_?|api_?)?token|api_?key|authorization|bearer", re.IGNORECASE)
_MAY_HOLD = re.compile(rb"token|key|authorization|bearer|at_|%", re.IGNORECASE)
"""Matches part of every such query: most have none of it, and are not parsed."""
_HIDDEN = "***"
_PATH_ARGUMENTS = {"uvicorn.access": 2, "uvicorn.error": 1}
"""uvicorn's loggers -> index of the path among the arguments of a request's log line."""
_READS_ARGUMENTS = ("uvicorn.access",)
"""Loggers whose formatter reads the single arguments: they have to be kept."""
_SECRETS = (
    (re.compile(rf"{PREFIX}[\w-]{{8,}}"), _HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]+):\S+@"), rf"\1:{_HIDDEN}@"),
)


def required_scope(method: str, path: str) -> TokenScope | None:
    """Scope that a request requires; None if it requires no token."""
    if method in SAFE_METHODS and (path in OPEN_PATHS or is_ui(path)):
        return None
    return next(
        scope
        for pattern, methods, scope in RIGHTS
        if pattern.fullmatch(path) and (methods is None or method in methods)
    )


class RememberedTokens:
    """Cache of tokens that were found within the last seconds.

    Args:
        find: asks the store.
        clock: seconds; never goes back.
    """

    def __init__(self, find: FindToken, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._found: dict[bytes, tuple[Token, float]] = {}

    def known(self, clear: str) -> Token | None:
        """Cached token; None if there is none."""
        token, until = self._found.get(_digest(clear), (None, 0.0))
        return token if self._clock() < until else None

    def find(self, clear: str) -> Token | None:
        """Token from the store."""
        token = self._find(clear)
        if token is not None:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[_digest(clear)] = (token, self._clock() + _REMEMBERED_S)
        return token


@dataclass(frozen=True)
class TokenCheck:
    """Passes requests that require no token, or whose token has the required scope.

    A token that is sent is checked even where none is required; it is then in `state.token`.

    Attributes:
        required: whether a request without a token is refused.
        attempts: of each address, with invalid tokens. A valid token is never refused because of
            the attempts of others at its address.
    """

    tokens: RememberedTokens
    required: bool
    attempts: Buckets
    peers: Peers

    async def __call__(self, connection: HTTPConnection) -> None:
        _refuse_in_address(connection.scope.get("query_string", b""))
        required = required_scope(method_of(connection), connection.scope["path"])
        clear = bearer_of(connection.headers.getlist("authorization"))
        if required is None:
            return
        if clear is None:
            if self.required:
                raise _unauthorized("this service requires a token", _REALM)
            return
        token = self.tokens.known(clear) or await self._look_up(clear, connection)
        if not token.scope.covers(required):
            raise ProblemError(
                ProblemKind.FORBIDDEN,
                f"the token {token.name!r} has the scope {token.scope}, not {required}",
                headers={
                    "WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{required}"'
                },
                required_scope=required,
            )
        connection.state.token = token

    async def _look_up(self, clear: str, connection: HTTPConnection) -> Token:
        found = await run_in_threadpool(self.tokens.find, clear)
        if found is None:
            refuse_for(self.attempts.take(self.peers.address_of(connection)))
            raise _unauthorized(
                "the token is unknown, revoked or expired",
                f'{_REALM}, error="invalid_token"',
            )
        return found


def attempts() -> Buckets:
    """Buckets for attempts with invalid tokens."""
    return Buckets(_ATTEMPTS_PER_S, _ATTEMPTS_BURST)


def bearer_of(given: list[str]) -> str | None:
    """Token in `Authorization`; None if there is none."""
    if len(given) > 1:
        raise ProblemError(
            ProblemKind.BAD_REQUEST, "found more than one Authorization header; send one"
        )
    scheme, _, clear = (given[0] if given else "").strip().partition(" ")
    return clear.strip() or None if scheme.lower() == "bearer" else None


def _refuse_in_address(query: bytes) -> None:
    """Refuses tokens in the URL: logs and histories keep those, so they are no longer secret."""
    if not _MAY_HOLD.search(query):
        return
    for name, value in parse_qsl(query.decode("latin-1")):
        if _IN_ADDRESS.fullmatch(name) or value.startswith(PREFIX):
            raise ProblemError(
                ProblemKind.BAD_REQUEST,
                f"the URL contains a token (parameter {name!r}): revoke it, and send another "
                "in the header `Authorization: Bearer TOKEN`",
            )


def _unauthorized(detail: str, challenge: str) -> ProblemError:
    return ProblemError(ProblemKind.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})


def _digest(clear: str) -> bytes:
    return hashlib.sha256(clear.encode("utf-8", "surrogateescape")).digest()


class NoSecrets(logging.Filter):
    """Filter that removes secrets from a record before any handler formats it."""

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
    """Text with tokens, credentials and passwords in URLs replaced."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def keep_secrets_out(*loggers: str) -> None:
    """Adds the filter to loggers and their handlers; to uvicorn's and ours if none is named.

    A logger's filters see its own lines only, a handler's also those of the loggers below it.
    """
    for name in loggers or ("uvicorn", *_PATH_ARGUMENTS, "autotuner", ""):
        logger = logging.getLogger(name)
        for place in (logger, *logger.handlers):
            if not any(isinstance(each, NoSecrets) for each in place.filters):
                place.addFilter(NoSecrets())
