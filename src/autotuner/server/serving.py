"""The server process: uvicorn, which ends the streams that are open before it stops."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from autotuner.server.app import create_app
from autotuner.server.service import Service

_GRACE_S = 10
"""What requests that are being answered get when the service stops."""


class Server(uvicorn.Server):
    """Ends streams first: they would keep the service from stopping until its grace is over."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, ends the streams, and waits for the requests that are left."""
        self._app.state.feed.close()
        await super().shutdown(sockets)


def server_of(service: Service) -> Server:
    """The server of a service, on the address that its settings say; `run()` serves."""
    app = create_app(service)
    config = uvicorn.Config(
        app,
        host=service.settings.host,
        port=service.settings.port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return Server(app, config)
