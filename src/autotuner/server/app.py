"""The application: routes, OpenAPI, and the server process that runs it.

`create_app(service)` is all that a server needs: `uvicorn.run(create_app(service))`.
"""

from __future__ import annotations

import functools
import socket
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from autotuner import __version__
from autotuner.server.built_ui import FOLDER
from autotuner.server.error_handlers import add_error_handlers
from autotuner.server.event_feed import EventFeed
from autotuner.server.monitoring import Metered, Metrics
from autotuner.server.monitoring import router as probes
from autotuner.server.problems import MEDIA_TYPE
from autotuner.server.security import Authentication, protected
from autotuner.server.security.authentication import COOKIE, CSRF_HEADER
from autotuner.server.service import Service
from autotuner.server.v1 import dashboard as v1_dashboard
from autotuner.server.v1 import docker as v1_docker
from autotuner.server.v1 import experiments as v1_experiments
from autotuner.server.v1 import logs as v1_logs
from autotuner.server.v1 import ome as v1_ome
from autotuner.server.v1 import presets as v1_presets
from autotuner.server.v1 import progress as v1_progress
from autotuner.server.v1 import runtime_params as v1_runtime_params
from autotuner.server.v1 import system as v1_system
from autotuner.server.v1 import tasks as v1_tasks
from autotuner.server.v2 import (
    catalog,
    configurations,
    containers,
    conversions,
    events,
    experiments,
    exports,
    launchers,
    logs,
    migrations,
    moves,
    operation,
    performance,
    plans,
    points,
    profile_previews,
    profiles,
    ray_clusters,
    recommendations,
    results,
    session,
    sizing,
    source_tasks,
    suggestions,
    system,
    tasks,
    tokens,
    uploaded_results,
    verifications,
    why,
)
from autotuner.server.web_ui import WebUi

API_V1 = "/api"
API_V2 = "/api/v2"
V1_ROUTERS = (
    v1_tasks.router,
    v1_logs.router,
    v1_experiments.router,
    v1_presets.router,
    v1_runtime_params.router,
    v1_dashboard.router,
    v1_docker.router,
    v1_ome.router,
    v1_system.router,
    v1_progress.router,
)
V2_ROUTERS = (
    # Before the tasks: `validate`, `plan`, `suggest` and others are no numbers of tasks.
    plans.router,
    suggestions.router,
    conversions.router,
    recommendations.router,
    migrations.router,
    source_tasks.router,
    moves.router,
    uploaded_results.router,
    verifications.router,
    tasks.router,
    configurations.router,
    experiments.router,
    performance.router,
    why.router,
    sizing.router,
    results.router,
    exports.router,
    points.router,
    logs.router,
    events.router,
    # Before the profiles: `preview` is no name of one.
    profile_previews.router,
    profiles.router,
    catalog.catalog,
    catalog.engines,
    catalog.predictors,
    catalog.schemas,
    system.router,
    operation.router,
    launchers.router,
    containers.router,
    ray_clusters.router,
    tokens.router,
    session.router,
)

_JSON = "application/json"
_BACKLOG = 2_048


def create_app(service: Service, *, web_ui: Path = FOLDER) -> FastAPI:
    """The service as an ASGI application; handlers find `service` in `app.state.service`.

    Args:
        web_ui: the folder of the built UI.
    """
    app = FastAPI(
        title="Inference Autotuner",
        version=__version__,
        description="Finds how to serve an LLM: tasks, their experiments, and what came out.",
        openapi_url=f"{API_V2}/openapi.json",
        # The framework's pages load scripts from a network that there may not be.
        docs_url=None,
        redoc_url=None,
        # A task is the same document in requests and in responses.
        separate_input_output_schemas=False,
    )
    app.state.service = service
    app.state.metrics = Metrics(service)
    app.state.feed = EventFeed(service.store.sessions)
    app.state.authentication = Authentication.of(
        service.settings,
        find_token=service.tokens.find,
        find_session=service.browser_sessions.find,
    )
    app.router.routes.extend(_api().routes)
    app.add_api_route("/openapi.json", lambda: JSONResponse(app.openapi()), include_in_schema=False)
    app.router.routes.append(WebUi(web_ui))
    add_error_handlers(app)
    customise_openapi(app)
    app.add_middleware(
        protected, settings=service.settings, authentication=app.state.authentication
    )
    app.add_middleware(Metered, metrics=app.state.metrics)
    return app


@functools.cache
def _api() -> APIRouter:
    """The routes of both versions. Applications share them: the first request of any makes their
    readers of parameters and bodies, which takes 0.2 s."""
    api = APIRouter()
    for router in V2_ROUTERS:
        api.include_router(router, prefix=API_V2)
    api.include_router(probes)
    for router in V1_ROUTERS:
        api.include_router(router, prefix=API_V1)
    api.include_router(v1_system.root_router)
    return api


def customise_openapi(app: FastAPI) -> None:
    """Adds the media type of problem details and the security schemes to the OpenAPI document.

    The framework gives every response of a route one media type.
    """
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = with_security_schemes(with_problem_type(plain()))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def with_security_schemes(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the security schemes of tokens and browsers, which are optional."""
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Made by `autotuner token create`; needed only where the service is "
            "reached from other machines.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": f"Of a browser that signed in (`POST {API_V2}/session`). Beside it, "
            f"every method but GET sends the session's `csrf_token` in `{CSRF_HEADER}`.",
        },
    }
    # Any will do: a token, a session, or neither where none is required.
    document["security"] = [{"token": []}, {"session": []}, {}]
    return document


def with_problem_type(document: dict[str, Any]) -> dict[str, Any]:
    """The document with problem details under their own media type."""
    for operations in document["paths"].values():
        for described in operations.values():
            for response in described["responses"].values():
                content = response.get("content", {})
                if MEDIA_TYPE in content and _JSON in content:
                    content[MEDIA_TYPE] = content.pop(_JSON)
    return document


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
    """Server that samples how busy its machine is, and ends open streams first: they would hold a
    shutdown until its grace period ends.

    Args:
        app: what `create_app` made; it stands in `config` too, bare or behind something.
    """

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and begins to sample."""
        service: Service = self._app.state.service
        service.usage.start(service.usage_of_others)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, ends the streams, and waits for the requests that are left."""
        self._app.state.feed.close()
        self._app.state.service.usage.stop()
        await super().shutdown(sockets)
