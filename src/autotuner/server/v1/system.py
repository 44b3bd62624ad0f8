"""`/api/system/`, `/health` and `/`: the service itself."""

from __future__ import annotations

from fastapi.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from autotuner import __version__
from autotuner.errors import StoreError
from autotuner.server.v1.lifecycle import tasks_of
from autotuner.server.v1.routing import (
    ServiceDep,
    V1Route,
    json_response,
    v1_router,
)
from autotuner.server.v1.runtimes import runtimes
from autotuner.server.web_ui import accepts

router = v1_router("/system")
root_router = v1_router("")
"""Routes outside `/api`."""
_NAME = "LLM Inference Autotuner API"
_OK = "ok"


class NotForBrowsers(V1Route):
    """Route that leaves whoever asks for HTML to the web UI."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As for any route, except that a browser's requests never match."""
        if scope["type"] == "http" and accepts(scope, "accept", "text/html"):
            return Match.NONE, {}
        return super().matches(scope)


def get_root() -> Response:
    """Name and state of the API; browsers get the web UI."""
    return json_response(
        {
            "name": _NAME,
            "version": __version__,
            "status": "running",
            "docs": "/openapi.json",
        },
        headers={"Vary": "Accept"},
    )


root_router.add_api_route("/", get_root, route_class_override=NotForBrowsers)


@root_router.get("/health")
def get_liveness() -> Response:
    """Whether the service runs."""
    return json_response({"status": "healthy"})


@router.get("/health")
def get_health(service: ServiceDep) -> Response:
    """Whether the service can work. Tasks wait in the database, for which `redis` stands too."""
    try:
        tasks_of(service).page(skip=0, limit=1, status=None)
    except StoreError as error:
        health = {"status": "unhealthy", "database": error.message, "redis": error.message}
        return json_response(health, 503)
    return json_response({"status": "healthy", "database": _OK, "redis": _OK})


@router.get("/info")
def get_info() -> Response:
    """Name, version and runtimes."""
    return json_response(
        {
            "app_name": _NAME,
            "version": __version__,
            "deployment_mode": "docker",
            "available_runtimes": list(runtimes()),
            "timezone": "UTC",
        }
    )
