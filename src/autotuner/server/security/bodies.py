"""How large a request's body may be, whatever its head says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.security.guard import refuse

UPLOADS = re.compile(r"/api/(v2/)?[^/]+/import/?|/api/v2/verify(/.*)?")
"""Paths that take files."""
_LENGTH = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class BodyLimits:
    """Bytes of a body, and of one that is a file."""

    usual: int
    upload: int

    def of(self, path: str) -> int:
        """What this path takes."""
        return self.upload if UPLOADS.fullmatch(path) else self.usual


class BodyLimit:
    """Refuses a body by its `Content-Length`, and one that turns out longer while it is read.

    What the application answers to a body that ends early is dropped: it is told that the client
    has gone, and the client is told the limit. Starlette's own middleware answers in plain text.
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
            f"the body has more than {limit:,} bytes, which is what this address takes",
            headers={"Connection": "close"},
            limit_bytes=limit,
        )
        told = Headers(scope=scope).get("content-length", "0")
        if not _LENGTH.fullmatch(told) or int(told) > limit:
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
