"""All routes of the API, to be mounted under `/api`."""

from __future__ import annotations

from fastapi import APIRouter

from autotuner.server.v1 import (
    dashboard,
    experiments,
    logs,
    presets,
    progress,
    runtime_params,
    system,
    tasks,
)


def v1_router() -> APIRouter:
    """Every path of v1. Its handlers find the service in `app.state.service`."""
    router = APIRouter()
    for part in (tasks, logs, experiments, presets, runtime_params, dashboard, system, progress):
        router.include_router(part.router)
    return router
