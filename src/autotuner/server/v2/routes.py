"""Every router of API v2."""

from __future__ import annotations

from fastapi import APIRouter

from autotuner.server.v2 import (
    catalog,
    events,
    experiments,
    logs,
    profiles,
    results,
    system,
    tasks,
    validation,
)

ROUTERS: tuple[APIRouter, ...] = (
    validation.router,
    tasks.router,
    experiments.router,
    results.router,
    logs.router,
    events.router,
    profiles.router,
    catalog.catalog,
    catalog.engines,
    catalog.predictors,
    catalog.schemas,
    system.router,
)
