"""Checks of a request's head, before anything of the application sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from autotuner.errors import AutotunerError
from autotuner.server.problems import ProblemError, problem_of, problem_response

Check = Callable[[HTTPConnection], Awaitable[None]]
"""Raises `ProblemError` where the request is to be refused, or what keeps it from being judged."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Asks the checks in their order; the first that refuses answers, a WebSocket's upgrade too."""

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
    """Answers with the problem; a server that cannot say it on an upgrade closes with 403."""
    denial = "websocket.http.response"
    if scope["type"] == "websocket" and denial not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.kind.slug})
        return
    await problem_response(error, scope["path"])(scope, receive, send)


def method_of(connection: HTTPConnection) -> str:
    """The method; an upgrade to a WebSocket is a GET."""
    return str(connection.scope.get("method", "GET"))
