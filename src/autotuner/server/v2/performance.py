"""`/tasks/{task_id}/performance`: where the time of a configuration goes, and what would help."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.config import LoadKind, LoadLevel, parse_stored_task
from autotuner.errors import AutotunerError, Problem, StoreError
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.plans import MOST_COMBINATIONS, planning_turn
from autotuner.server.v2.routing import ServiceDep, TaskId, json_response, problems, v2_router
from autotuner.server.v2.stored_tasks import require_allowed_again, require_allowed_as_resolved
from autotuner.server.v2.tasks import require_task
from autotuner.store import TaskRecord
from autotuner.store.profiles import service_registry
from autotuner.tuning.performance import PerformanceOf, PointChoice, performance_of
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.stored_task import prepared_again

router = v2_router("/tasks/{task_id}", "results")
PERFORMANCE = TypeAdapter(PerformanceView)


@router.get(
    "/performance",
    response_model=PerformanceView,
    responses=problems(
        ProblemKind.NOT_FOUND,
        ProblemKind.CONFLICT,
        ProblemKind.TASK_INVALID,
        ProblemKind.POLICY_REFUSED,
    ),
)
def get_performance(
    service: ServiceDep,
    task_id: TaskId,
    candidate: Annotated[
        str | None,
        Query(max_length=64, description="Id of a candidate; the recommended one where left out."),
    ] = None,
    concurrency: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="Load level: requests in flight.")
    ] = None,
    rate: Annotated[
        float | None, Query(gt=0, le=1_000_000, description="Load level: requests per second.")
    ] = None,
) -> Response:
    """Where the time of an operating point goes, what limits it, and what would help.

    409 where there is no such point, or where nothing was measured and nothing is predicted.
    """
    if concurrency is not None and rate is not None:
        raise ProblemError(
            ProblemKind.INVALID_PARAMETER,
            "concurrency and rate do not go together: a load level is one or the other; keep one",
            errors=(Problem("rate", "not beside concurrency"),),
        )
    load = None
    if concurrency is not None:
        load = LoadLevel(LoadKind.CONCURRENCY, concurrency)
    elif rate is not None:
        load = LoadLevel(LoadKind.RATE, rate)
    record = require_task(service, task_id)
    with planning_turn():
        found = _explaining(service, record).explained(PointChoice(candidate=candidate, load=load))
    return json_response(PERFORMANCE, found)


def performance_of_recommended(service: Service, record: TaskRecord) -> PerformanceView | None:
    """Where the time of a task's recommended point goes; None where that is unknown.

    Raises:
        ProblemError: as `planning_turn`.
    """
    with planning_turn():
        try:
            return _explaining(service, record).of_recommended()
        except StoreError:
            raise
        except AutotunerError:
            return None


def _explaining(service: Service, record: TaskRecord) -> PerformanceOf:
    """Explains a stored task.

    Raises:
        AutotunerError: a file of it lies where nothing may be read, or something of it is gone.
    """
    prepared = resolved(service, record)
    return performance_of(prepared, service.folder, service.store, record, measure=False)


def resolved(service: Service, record: TaskRecord) -> Prepared:
    """A stored task, resolved once more as far as the policy allows.

    Raises:
        AutotunerError: a file of it lies where nothing may be read, or something of it is gone.
    """
    source = f"task {record.id}"
    require_allowed_again(service, record, parse_stored_task(record.config, source=source))
    registry = service_registry(service.store, service.folder)
    prepared = prepared_again(record, service.folder, registry, most=MOST_COMBINATIONS)
    require_allowed_as_resolved(service, record, prepared)
    return prepared
