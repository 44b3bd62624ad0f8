"""What every answer tells a browser: load nothing from elsewhere, guess no type, no frames."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
"""Path -> its `Content-Security-Policy`; the first that matches in full counts."""


class SecurityHeaders:
    """Adds them to every answer; what of the API may be kept by a cache, the API says itself."""

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
    """The `Content-Security-Policy` of a path."""
    return next(policy for pattern, policy in CONTENT_POLICIES if pattern.fullmatch(path))
