"""`autotuner serve`: the service, with a worker beside it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from autotuner.cli.commands.worker import devices_here, log_to_stderr, upkeep_of
from autotuner.cli.home import DATABASE, state_folder
from autotuner.errors import AutotunerError
from autotuner.server.app import Server, create_app, listening_on
from autotuner.server.built_ui import is_built
from autotuner.server.security import keep_secrets_out
from autotuner.server.service import Service
from autotuner.server.settings import ServiceSettings, load_settings
from autotuner.store import Store
from autotuner.workers.child import WorkerChild
from autotuner.workers.devices import ALL

_GRACE_S = 5
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
_MESSAGE_BYTES = 64 * 1024
"""A client's WebSocket message at the most: none says much."""
_LOG = logging.getLogger("autotuner.serve")


def serve(
    *,
    host: str | None,
    port: int | None,
    database: str | None,
    home: Path | None,
    config: Path | None,
    v1_origins: bool,
    with_worker: bool,
    devices: str,
    gpu: str | None,
) -> int:
    """Serves until it is asked to stop; returns the exit code."""
    log_to_stderr()
    folder = state_folder(home)
    flags = {"host": host, "port": port, "v1_origins": v1_origins or None}
    settings = load_settings(config, environment=os.environ, flags=flags)
    if with_worker and (devices, gpu) != (ALL, None):
        # Else the worker would be refused, and started again, for ever.
        devices_here(devices, gpu, folder)
    with (
        Store.open(folder, database) as store,
        _listening(settings) as listening,
        ExitStack() as beside,
    ):
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        app = create_app(Service(store, folder, settings))
        server = Server(
            app,
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                # Whom to believe where a request comes from is a setting: `trusted_proxies`.
                proxy_headers=False,
                ws_max_size=_MESSAGE_BYTES,
                timeout_graceful_shutdown=_GRACE_S,
            ),
        )
        keep_secrets_out()
        # uvicorn has its own handlers while it serves, and raises what came again after that.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        beside.enter_context(upkeep_of(store, settings))
        if with_worker:
            beside.enter_context(_worker(folder, database, config, devices, gpu))
        _LOG.info("serves on %s", _address(settings.host, settings.port))
        _LOG.info("%s", _where_the_ui_is(settings))
        server.run(sockets=[listening])
    return 0


def _listening(settings: ServiceSettings) -> socket.socket:
    try:
        return listening_on(settings.host, settings.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AutotunerError(
            f"the service cannot listen on {settings.host}, port {settings.port}: {reason}",
            remedy="choose another with --host and --port; port 0 takes a free one",
        ) from None


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _where_the_ui_is(settings: ServiceSettings) -> str:
    """Line that says how to open the UI; from this machine where all addresses are listened on."""
    host = "localhost" if settings.host in _ANY_ADDRESS else settings.host
    if is_built():
        return f"the web UI is at {_address(host, settings.port)}/"
    return "the web UI is not built here; in a checkout, `make ui-build` builds it"


def _worker(
    folder: Path, database: str | None, config: Path | None, devices: str, gpu: str | None
) -> WorkerChild:
    words = ["--home", str(folder), "--devices", devices, "--child"]
    words += [] if gpu is None else ["--gpu", gpu]
    words += [] if config is None else ["--config", str(config.resolve())]
    # Not among the words: they are shown to everybody on this machine.
    environment = os.environ | ({} if database is None else {DATABASE: database})
    return WorkerChild([sys.executable, "-m", "autotuner", "worker", *words], environment)
