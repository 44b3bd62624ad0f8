"""`/tasks/{task_id}/why`: what keeps points from the SLO, what is excluded, what would help."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.server.problems import ProblemKind
from autotuner.server.v2.performance import resolved
from autotuner.server.v2.plans import planning_turn
from autotuner.server.v2.routing import ServiceDep, TaskId, json_response, problems, v2_router
from autotuner.server.v2.tasks import require_task
from autotuner.store.profiles import service_registry
from autotuner.tuning.why import why_of_task
from autotuner.tuning.why_views import WhyView

router = v2_router("/tasks/{task_id}", "results")
WHY = TypeAdapter(WhyView)


@router.get(
    "/why",
    response_model=WhyView,
    responses=problems(ProblemKind.NOT_FOUND),
)
def get_why(
    service: ServiceDep,
    task_id: TaskId,
    elsewhere: Annotated[
        bool,
        Query(description="Whether other GPUs and weight formats are predicted; takes seconds."),
    ] = False,
) -> Response:
    """Which limits and rules keep points from the SLO, what is nearest, and what would change it.

    Measured and predicted points are counted apart. A task that cannot be resolved any more, or
    that the operator does not allow, is answered by its measurements alone, with a note.
    """
    record = require_task(service, task_id)
    with planning_turn():
        registry = service_registry(service.store, service.folder) if elsewhere else None
        found = why_of_task(
            record,
            lambda: resolved(service, record),
            service.folder,
            service.store,
            registry=registry,
            measure=False,
        )
    return json_response(WHY, found)
