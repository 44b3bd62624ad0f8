"""The application: its listening socket, and WebSockets of unknown paths."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from autotuner.server.app import create_app, listening_on
from autotuner.server.service import Service
from autotuner.store import Store


def test_no_part_of_an_answer_waits_for_the_part_before_to_be_acknowledged() -> None:
    with (
        listening_on("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


PATHS = ("/", "/nothing", "/healthz", "/api/v2/tasks/", "/api/ws", "/api/ws/tasks/one", "/api/ws/x")


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_socket_is_not_found(path: str, tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        client = TestClient(create_app(Service(store, tmp_path)))
        with pytest.raises(WebSocketDenialResponse) as refused:
            client.websocket_connect(f"ws://127.0.0.1:8700{path}").__enter__()
    assert refused.value.status_code == 404
    assert path in refused.value.json()["detail"]


def test_a_server_that_cannot_answer_an_upgrade_closes_it(tmp_path: Path) -> None:
    """As ASGI has it: a close before the socket is accepted is 403 to the client."""
    sent = []

    async def send(message):  # type: ignore[no-untyped-def]
        sent.append(message)

    async def receive():  # type: ignore[no-untyped-def]
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket",
        "path": "/nothing",
        "raw_path": b"/nothing",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8700")],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 8700),
        "subprotocols": [],
        "extensions": {},
    }
    with Store.open(tmp_path) as store:
        asyncio.run(create_app(Service(store, tmp_path))(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
