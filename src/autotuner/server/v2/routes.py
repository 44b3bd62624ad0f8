"""Every router of API v2."""

from __future__ import annotations

from fastapi import APIRouter

from autotuner.server.v2 import events, experiments, logs, results, tasks

ROUTERS: tuple[APIRouter, ...] = (
    tasks.router,
    experiments.router,
    results.router,
    logs.router,
    events.router,
)
