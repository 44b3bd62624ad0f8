"""A tiny application behind the service's guards, and clients of it."""

import dataclasses
import time
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from autotuner.server.security import Authentication, protected
from autotuner.server.security.authentication import RememberedTokens
from autotuner.server.settings import ServiceSettings
from autotuner.store.tokens import Token, TokenScope

ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MADE = datetime(2026, 1, 1, tzinfo=UTC)
TOKENS = {
    "at_reader": Token("reader", TokenScope.READ, MADE),
    "at_writer": Token("writer", TokenScope.WRITE, MADE),
    "at_admin": Token("admin", TokenScope.ADMIN, MADE),
}
NETWORK = {"host": "0.0.0.0", "allowed_hosts": ["tuner.example.org"]}  # noqa: S104


async def echo(request: Request) -> JSONResponse:
    token = getattr(request.state, "token", None)
    body = await request.body()
    return JSONResponse({"bytes": len(body), "bearer": token and token.name})


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


async def page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("page")


def application():
    return Starlette(
        routes=[
            Route("/", page),
            WebSocketRoute("/api/ws/tasks/1", greet),
            Route("/{path:path}", echo, methods=ALL_METHODS),
        ]
    )


def client(
    *,
    find_token=TOKENS.get,
    find_session={}.get,
    base_url="http://localhost:8700",
    app=None,
    peer="testclient",
    clock=time.monotonic,
    **settings,
):
    """A client of the application behind guards with these settings; tokens are remembered by the
    clock."""
    stated = ServiceSettings.model_validate(settings)
    authentication = Authentication.of(stated, find_token=find_token, find_session=find_session)
    remembered = RememberedTokens(find_token, clock=clock)
    authentication = dataclasses.replace(authentication, tokens=remembered)
    app = protected(app or application(), settings=stated, authentication=authentication)
    return TestClient(app, base_url=base_url, client=(peer, 50_000))


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
