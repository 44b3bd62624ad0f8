"""ASGI middleware: checks of a request's head, security headers, the limit of a body's size."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autotuner.errors import AutotunerError
from autotuner.server.problems import ProblemError, ProblemKind, problem_of, problem_response

Check = Callable[[HTTPConnection], Awaitable[None]]
"""Raises `ProblemError` to refuse a request, or the error that prevents a decision."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset({"/health", "/healthz", "/readyz"})
"""Paths that need no token and count for no limit: a load balancer asks for them."""
SERVICE_PATHS = re.compile(r"/(api|health|healthz|readyz|metrics|openapi\.json)(/.*)?", re.DOTALL)
"""Paths of the service itself; every other one belongs to the web UI, which needs no token."""
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_POLICY, _CACHING = b"content-security-policy", b"cache-control"
_OURS = frozenset({name for name, _ in ALWAYS} | {_POLICY})
CONTENT_POLICIES = (
    # A report is one page with its own script; sandboxed, it has no origin to act in.
    (
        re.compile(r"/api/v2/tasks/[^/]+/report/?"),
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    ),
    (re.compile(r"/api/.*", re.DOTALL), "default-src 'none'; frame-ancestors 'none'"),
    (
        re.compile(r".*", re.DOTALL),
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
"""Path -> its `Content-Security-Policy`; the first full match counts."""
UPLOADS = re.compile(
    r"/api/(v2/)?[^/]+/import/?|/api/v2/verify(/.*)?"
    r"|/api/v2/tasks/migrate/upload(/tasks(/[^/]+)?)?|/api/v2/migrations/verify"
)
"""Paths that accept files."""
_LENGTH = re.compile("[0-9]{1,18}")


class Guard:
    """Runs checks in order before the application; the first refusal is the response."""

    def __init__(self, app: ASGIApp, checks: tuple[Check, ...]) -> None:
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            connection = HTTPConnection(scope)
            try:
                for check in self._checks:
                    await check(connection)
            except ProblemError as refused:
                return await refuse(refused, scope, receive, send)
            except AutotunerError as error:
                return await refuse(problem_of(error), scope, receive, send)
        return await self._app(scope, receive, send)


async def refuse(error: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the problem; closes an upgrade that cannot carry it (the server sends 403)."""
    denial = "websocket.http.response"
    if scope["type"] == "websocket" and denial not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.kind.slug})
        return
    await problem_response(error, scope["path"])(scope, receive, send)


def is_ui(path: str) -> bool:
    """Whether a path belongs to the web UI."""
    return SERVICE_PATHS.fullmatch(path) is None


def method_of(connection: HTTPConnection) -> str:
    """Method of a request; an upgrade to a WebSocket is a GET."""
    return str(connection.scope.get("method", "GET"))


class SecurityHeaders:
    """Adds security headers to every response, and `no-store` unless the API sets caching."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                given = [
                    (name, value) for name, value in message.get("headers", ()) if name not in _OURS
                ]
                cached = any(name == _CACHING for name, _ in given)
                private = scope["path"].startswith("/api/") and not cached
                policy = (_POLICY, content_policy(scope["path"]).encode())
                added = [*ALWAYS, policy, *([(_CACHING, b"no-store")] if private else [])]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def content_policy(path: str) -> str:
    """`Content-Security-Policy` of a path."""
    return next(policy for pattern, policy in CONTENT_POLICIES if pattern.fullmatch(path))


@dataclass(frozen=True)
class BodyLimits:
    """Maximum bytes of a body, and of an uploaded file."""

    usual: int
    upload: int

    def of(self, path: str) -> int:
        """Maximum bytes of a body for this path."""
        return self.upload if UPLOADS.fullmatch(path) else self.usual


class BodyLimit:
    """Refuses a body by its `Content-Length`, and one that turns out longer while it is read.

    The application sees a disconnect; its own response to that is dropped, and the client receives
    the limit. Starlette's own middleware answers in plain text.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.of(scope["path"])
        too_large = ProblemError(
            ProblemKind.BODY_TOO_LARGE,
            f"the body has more than {limit:,} bytes, the limit of this address",
            headers={"Connection": "close"},
            limit_bytes=limit,
        )
        declared = Headers(scope=scope).get("content-length", "0")
        if not _LENGTH.fullmatch(declared) or int(declared) > limit:
            await refuse(too_large, scope, receive, send)
            return
        read = 0
        started = False

        async def receive_within() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return message if read <= limit else {"type": "http.disconnect"}

        async def send_unless_too_large(message: Message) -> None:
            nonlocal started
            if read <= limit or started:
                started = True
                await send(message)

        try:
            await self._app(scope, receive_within, send_unless_too_large)
        except ClientDisconnect:
            if read <= limit:
                raise
        if read > limit and not started:
            await refuse(too_large, scope, receive, send)
