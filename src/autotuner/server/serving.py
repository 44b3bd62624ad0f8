"""The server process: uvicorn, which ends the streams that are open before it stops."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

_BACKLOG = 2_048


def listening_on(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        OSError, OverflowError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # asyncio does it only for sockets that name their protocol. Without it, an answer's body waits
    # for its head to be acknowledged: 40 ms for each request of a connection that is kept open.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class Server(uvicorn.Server):
    """Ends streams first: they would keep the service from stopping until its grace is over.

    Args:
        app: what `create_app` made; it stands in `config` too, bare or behind something.
    """

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, ends the streams, and waits for the requests that are left."""
        self._app.state.feed.close()
        await super().shutdown(sockets)
