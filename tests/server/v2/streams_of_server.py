"""Streams of a real server, as browsers read them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from autotuner.server.app import Server, create_app
from autotuner.server.event_feed import EventFeed
from autotuner.server.service import Service

PATIENCE_S = 60.0


class Streams:
    """A server on a port of its own, and streams of it."""

    def __init__(self, app: FastAPI, server: Server, port: int) -> None:
        self.feed: EventFeed = app.state.feed
        self.server = server
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S)

    @contextmanager
    def opened(self, path: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a stream, as they come; comments are told as events without a kind."""
        with self.http.stream("GET", f"/api/v2{path}", headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield parsed(answer.iter_lines())


def parsed(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            found[name] = f"{found[name]}\n{value}" if name in found else value
        elif found:
            yield found
            found = {}


@contextmanager
def served(
    service: Service, feed: Callable[[FastAPI], EventFeed] | None = None
) -> Iterator[Streams]:
    app = create_app(service)
    if feed is not None:
        app.state.feed = feed(app)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = Server(app, uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: server.started)
        found = Streams(app, server, port)
        try:
            yield found
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            found.http.close()
            assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def numbered(events: Iterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The next events that have a number."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        event = next(events)
        if "id" in event:
            found.append(event)
    return found
