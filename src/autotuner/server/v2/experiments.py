"""`/tasks/{task_id}/experiments`: what was launched, and what it measured."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import Response

from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.cursors import cursor_of, place_of
from autotuner.server.v2.experiment_views import (
    EXPERIMENT,
    EXPERIMENT_PAGE,
    MEASUREMENTS,
    ExperimentDetail,
    ExperimentPage,
    ExperimentStatus,
    MeasurementList,
)
from autotuner.server.v2.routing import MOST_ID, Given, TaskId, answer, merged, problems, v2_router
from autotuner.server.v2.tasks import unknown_task
from autotuner.store import listing
from autotuner.tuning.accuracy import predictions_beside
from autotuner.tuning.points import outcome

router = v2_router("/tasks/{task_id}/experiments", "experiments")
Index = Annotated[int, Path(ge=1, le=MOST_ID, description="The experiment's place in its task.")]
_UNKNOWN = problems(ProblemKind.NOT_FOUND)
_ORDER = "index"


@router.get(
    "",
    response_model=ExperimentPage,
    responses=merged(_UNKNOWN, problems(ProblemKind.INVALID_CURSOR)),
)
def list_experiments(
    service: Given,
    task_id: TaskId,
    status: Annotated[list[ExperimentStatus], Query(description="Any of these.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Lists a task's experiments in the order of launch."""
    sessions = service.store.sessions
    after = 0 if cursor is None else place_of(cursor, _ORDER)[1]
    found = listing.experiment_page(
        sessions, task_id, statuses=status, limit=limit + 1, after=after
    )
    if not found and listing.task_status(sessions, task_id) is None:
        raise unknown_task(task_id)
    last = found[limit - 1]["index"] if len(found) > limit else None
    following = None if last is None else cursor_of(_ORDER, "", last)
    return answer(EXPERIMENT_PAGE, {"items": found[:limit], "next_cursor": following})


@router.get("/{index}", response_model=ExperimentDetail, responses=_UNKNOWN)
def get_experiment(service: Given, task_id: TaskId, index: Index) -> Response:
    """An experiment with its predictions and, where it failed, the end of its log."""
    row = existing_experiment(service, task_id, index)
    record = service.store.experiment(row["id"])
    points = outcome(record).points if record is not None else ()
    failure = {"kind": row["failure_kind"], "message": row["failure_message"] or ""}
    document = {
        **row,
        "failure": {**failure, "log_tail": row["log_tail"] or ""} if row["failure_kind"] else None,
        "predictions": predictions_beside(record, points) if record is not None else [],
    }
    return answer(EXPERIMENT, document)


@router.get("/{index}/measurements", response_model=MeasurementList, responses=_UNKNOWN)
def list_measurements(service: Given, task_id: TaskId, index: Index) -> Response:
    """Every load level that an experiment measured, with its whole distributions."""
    row = existing_experiment(service, task_id, index)
    found = listing.measurements(service.store.sessions, row["id"])
    return answer(MEASUREMENTS, {"items": found})


def existing_experiment(service: Service, task_id: int, index: int) -> listing.Row:
    """One experiment's columns.

    Raises:
        ProblemError: there is no such experiment.
    """
    found = listing.experiment(service.store.sessions, task_id, index)
    if found is None:
        raise ProblemError(
            ProblemKind.NOT_FOUND, f"there is no experiment {index} in a task {task_id}"
        )
    return found
