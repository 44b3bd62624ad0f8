"""Every router of API v2."""

from __future__ import annotations

from fastapi import APIRouter

from autotuner.server.v2 import catalog, profiles, system, tasks, validation

ROUTERS: tuple[APIRouter, ...] = (
    validation.router,
    tasks.router,
    profiles.router,
    catalog.catalog,
    catalog.engines,
    catalog.predictors,
    catalog.schemas,
    system.router,
)
