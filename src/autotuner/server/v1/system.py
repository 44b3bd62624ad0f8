"""`/api/system/health` and `/api/system/info`."""

from __future__ import annotations

from fastapi.responses import Response

from autotuner import __version__
from autotuner.errors import StoreError
from autotuner.server.v1.routing import Given, answer, v1_part
from autotuner.server.v1.running import tasks_of
from autotuner.server.v1.runtime_params import runtimes

router = v1_part("/system")

NO_REDIS = "not used"
"""There is none: tasks wait in the database."""


@router.get("/health")
def get_health(service: Given) -> Response:
    """Whether the service can work; v1's keys."""
    try:
        tasks_of(service).page(skip=0, limit=1, status=None)
    except StoreError as error:
        told = {"status": "unhealthy", "database": error.message, "redis": NO_REDIS}
        return answer(told, 503)
    return answer({"status": "healthy", "database": "ok", "redis": NO_REDIS})


@router.get("/info")
def get_info(service: Given) -> Response:
    """What this service is."""
    return answer(
        {
            "app_name": "Inference Autotuner",
            "version": __version__,
            "api_version": "1",
            "deployment_modes": ["local"],
            "available_runtimes": list(runtimes()),
        }
    )
