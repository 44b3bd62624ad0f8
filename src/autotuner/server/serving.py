"""The server process: uvicorn, which ends the streams that are open before it stops."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI


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
