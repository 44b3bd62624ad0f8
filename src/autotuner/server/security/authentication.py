"""Authentication by tokens and browser sessions, the scopes that requests need, secrets kept out
of logs."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.middleware import OPEN_PATHS, SAFE_METHODS, is_ui, method_of
from autotuner.server.security.rate_limits import Buckets, Peers, refuse_for
from autotuner.server.settings import ServiceSettings
from autotuner.store.browser_sessions import PREFIX as SESSION_PREFIX
from autotuner.store.browser_sessions import BrowserSession
from autotuner.store.tokens import PREFIX, Token, TokenScope

_ANY = re.compile(r".*", re.DOTALL)
_TOKENS = re.compile(r"/api/v2/tokens(/.*)?", re.DOTALL)
_BACKUPS = re.compile(r"/api/v2/system/backups(/.*)?", re.DOTALL)
"""Backups hold all that the database does: hashes of tokens, sessions of browsers."""
_OPERATORS = re.compile(r"/api/(v2/(system|policy)|docker)(/.*)?", re.DOTALL)
SESSION_PATH = "/api/v2/session"
"""Path at which a browser signs in, asks who it is, and signs out: open to everybody."""
_SESSION = re.compile(SESSION_PATH)
RIGHTS = (
    (_SESSION, None, TokenScope.READ),
    (_TOKENS, None, TokenScope.ADMIN),
    (_BACKUPS, None, TokenScope.ADMIN),
    (_OPERATORS, SAFE_METHODS, TokenScope.READ),
    (_OPERATORS, None, TokenScope.ADMIN),
    (_ANY, SAFE_METHODS, TokenScope.READ),
    (_ANY, None, TokenScope.WRITE),
)
"""(path, methods or None for any, scope); the first match counts."""
FindToken = Callable[[str], Token | None]
"""Finds the token of a clear text; None if it is unknown, revoked or expired."""
FindSession = Callable[[str], BrowserSession | None]
"""Finds the session of the secret in a cookie; None if it is unknown or over."""
COOKIE, CSRF_HEADER = "autotuner_session", "X-CSRF-Token"
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
    (re.compile(rf"({PREFIX}|{SESSION_PREFIX})[\w-]{{8,}}"), _HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]*):\S+@"), rf"\1:{_HIDDEN}@"),
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
class Credential:
    """Credential of a request: a token, and the session if a browser signed in with it."""

    token: Token
    session: BrowserSession | None = None


@dataclass(frozen=True)
class Authentication:
    """Finds who sends a request.

    Attributes:
        required: whether a request without a token or a session is refused.
        attempts: of each address, with invalid tokens. A valid token is never refused because of
            the attempts of others at its address.
    """

    tokens: RememberedTokens
    find_session: FindSession
    required: bool
    attempts: Buckets
    peers: Peers

    @classmethod
    def of(
        cls, settings: ServiceSettings, *, find_token: FindToken, find_session: FindSession
    ) -> Self:
        """Authentication under the settings of the service."""
        return cls(
            RememberedTokens(find_token),
            find_session,
            settings.token_required,
            attempts(),
            Peers.behind(settings.trusted_proxies),
        )

    async def credential(self, connection: HTTPConnection) -> Credential | None:
        """The token in a request's header, else the session of its cookie; None if it has neither.

        A token that is not valid is refused. A session that is over is as good as none: the browser
        sends its cookie unasked. It is looked up each time, so that signing out ends it at once.

        Raises:
            ProblemError: the token is not valid, or too many of them were tried.
        """
        clear = bearer_of(connection.headers.getlist("authorization"))
        if clear is not None:
            return Credential(await self.token(clear, connection))
        secret = connection.cookies.get(COOKIE)
        if secret is None:
            return None
        session = await run_in_threadpool(self.find_session, secret)
        return None if session is None else Credential(session.token, session)

    async def token(self, clear: str, connection: HTTPConnection) -> Token:
        """The token of a clear text that came with a request.

        Raises:
            ProblemError: it is not valid, or too many such were tried.
        """
        found = self.tokens.known(clear) or await run_in_threadpool(self.tokens.find, clear)
        if found is None:
            refuse_for(self.attempts.take(self.peers.address_of(connection)))
            raise no_such_token()
        return found


@dataclass(frozen=True)
class CredentialCheck:
    """Passes requests that require no token, or whose token or session has the required scope.

    What is sent is checked even where none is required; it is then in `state.credential`, and its
    token in `state.token`.
    """

    authentication: Authentication

    async def __call__(self, connection: HTTPConnection) -> None:
        _refuse_in_address(connection.scope.get("query_string", b""))
        method, path = method_of(connection), connection.scope["path"]
        required = required_scope(method, path)
        if required is None:
            return
        found = await self.authentication.credential(connection)
        if found is None:
            if self.authentication.required and path != SESSION_PATH:
                raise _unauthorized(
                    "this service requires a token; a browser signs in with one", _REALM
                )
            return
        _require_scope(found.token, required)
        changes = method not in SAFE_METHODS and (method, path) != ("POST", SESSION_PATH)
        if found.session is not None and changes:
            _require_own_page(found.session, connection)
        connection.state.credential, connection.state.token = found, found.token


def _require_scope(token: Token, required: TokenScope) -> None:
    if not token.scope.covers(required):
        raise ProblemError(
            ProblemKind.FORBIDDEN,
            f"the token {token.name!r} has the scope {token.scope}, not {required}",
            headers={
                "WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{required}"'
            },
            required_scope=required,
        )


def _require_own_page(session: BrowserSession, connection: HTTPConnection) -> None:
    """Refuses what another page makes a browser send: the cookie comes along, the header cannot."""
    given = connection.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), session.csrf_token.encode()):
        raise ProblemError(
            ProblemKind.FORBIDDEN,
            f"the header {CSRF_HEADER} is {'not that of this session' if given else 'missing'}; "
            f"send the csrf_token that GET {SESSION_PATH} answers",
        )


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


def no_such_token() -> ProblemError:
    """Refusal of a token that is not valid."""
    return _unauthorized(
        "the token is unknown, revoked or expired", f'{_REALM}, error="invalid_token"'
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
