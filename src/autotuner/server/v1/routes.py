"""All routes of the API, to be mounted under `/api`."""

from __future__ import annotations

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

ROUTERS = tuple(
    part.router
    for part in (tasks, logs, experiments, presets, runtime_params, dashboard, system, progress)
)
"""Every path of v1. The handlers find the service in `app.state.service`."""
