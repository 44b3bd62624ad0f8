"""`/healthz`, `/readyz` and `/metrics`: what load balancers and monitoring ask for."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from autotuner.server.metrics import Metrics
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.v2.routing import Given, v2_router
from autotuner.server.v2.task_views import View
from autotuner.store.figures import database_state

router = v2_router("", "operations")


class Health(View):
    """That the service is there."""

    status: Literal["ok"] = "ok"


def metrics_of(request: Request) -> Metrics:
    """The metrics of the application that answers a request."""
    found: Metrics = request.app.state.metrics
    return found


@router.get("/healthz")
async def healthz() -> Health:
    """Says that the process lives; asks nobody else."""
    return Health()


@router.get("/readyz")
def readyz(service: Given) -> Health:
    """Says whether requests can be served: the database answers and has the newest schema."""
    state = database_state(service.store.sessions)
    if not state.is_current:
        raise ProblemError(
            ProblemKind.UNAVAILABLE,
            f"the database has revision {state.revision}, and this version needs {state.newest}; "
            "start the version that upgraded it",
        )
    return Health()


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"description": "Prometheus' text format."}},
)
def get_metrics(metrics: Annotated[Metrics, Depends(metrics_of)]) -> Response:
    """Metrics for Prometheus."""
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
