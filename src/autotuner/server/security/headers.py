"""What every answer tells a browser: load nothing from elsewhere, guess no type, no frames."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CONTENT_POLICIES = (
    # A report is one page with its own script; sandboxed, it has no origin to act in.
    (
        re.compile(r"/api/v2/tasks/[^/]+/report/?"),
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    ),
    (re.compile(r"/api/.*"), "default-src 'none'; frame-ancestors 'none'"),
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
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers.update(ALWAYS)
                headers["Content-Security-Policy"] = content_policy(scope["path"])
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def content_policy(path: str) -> str:
    """The `Content-Security-Policy` of a path."""
    return next(policy for pattern, policy in CONTENT_POLICIES if pattern.fullmatch(path))
