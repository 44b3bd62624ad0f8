"""`/tasks/{task_id}/experiments`: experiments of a task and their measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.measure.results import Measurement
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.paging import decode_cursor, encode_cursor
from autotuner.server.v2.routing import (
    MOST_ID,
    ServiceDep,
    TaskId,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import task_not_found
from autotuner.store import listing
from autotuner.tuning.points import outcome
from autotuner.tuning.summarise import predictions_beside
from autotuner.tuning.summary import FailureView, PredictionView, Scalar

ExperimentStatus = Literal["running", "completed", "failed", "interrupted"]
router = v2_router("/tasks/{task_id}/experiments", "experiments")
Index = Annotated[int, Path(ge=1, le=MOST_ID, description="The experiment's place in its task.")]
_UNKNOWN = problems(ProblemKind.NOT_FOUND)
_ORDER = "index"


class ExperimentItem(View):
    """Experiment with the figures of its representative operating point.

    Throughput in output tokens per second of the whole deployment, latencies in ms: means, and the
    90th percentile end to end. `predicted_*` was predicted before the launch.
    """

    index: int
    """Counts from 1 in the order of launch."""
    candidate_id: str
    status: ExperimentStatus
    phase: str
    selection_reason: str
    """Reason why it was launched."""
    settings: dict[str, Scalar]
    """`group.field` -> value."""
    command: str
    failure_kind: str | None
    failure_message: str | None
    unpredicted: str | None
    """Reason why nothing was predicted; null where something was."""
    cut_short: str | None
    """Reason why load levels were left out: they could not improve the frontier."""
    startup_s: float | None
    measure_s: float | None
    began_s: float
    """Time of the launch, in seconds of the task's work."""
    started_at: datetime
    ended_at: datetime | None
    predicted_throughput_tok_s: float | None
    predicted_ttft_ms: float | None
    predicted_tpot_ms: float | None
    predicted_latency_p90_ms: float | None
    actual_throughput_tok_s: float | None
    actual_ttft_ms: float | None
    actual_tpot_ms: float | None
    actual_latency_p90_ms: float | None
    is_on_predicted_frontier: bool
    is_on_actual_frontier: bool


class ExperimentPage(View):
    """Page of a task's experiments, in the order of launch."""

    items: list[ExperimentItem]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""


class ExperimentDetail(ExperimentItem):
    """An experiment as a whole."""

    failure: FailureView | None
    predictions: list[PredictionView]
    """Prediction of each load level, beside its measurement."""


class MeasurementItem(Measurement):
    """One load level; `repeat` counts from 0 where the sweep was measured several times."""

    repeat: int


class MeasurementList(View):
    """All measurements of an experiment, in their order."""

    items: list[MeasurementItem]


EXPERIMENT_PAGE = TypeAdapter(ExperimentPage)
EXPERIMENT = TypeAdapter(ExperimentDetail)
MEASUREMENTS = TypeAdapter(MeasurementList)


@router.get(
    "",
    response_model=ExperimentPage,
    responses=merged(_UNKNOWN, problems(ProblemKind.INVALID_CURSOR)),
)
def list_experiments(
    service: ServiceDep,
    task_id: TaskId,
    status: Annotated[list[ExperimentStatus], Query(description="Any of these.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Lists a task's experiments in the order of launch."""
    sessions = service.store.sessions
    after = 0 if cursor is None else decode_cursor(cursor, _ORDER)[1]
    found = listing.experiment_page(
        sessions, task_id, statuses=status, limit=limit + 1, after=after
    )
    if not found and listing.task_status(sessions, task_id) is None:
        raise task_not_found(task_id)
    last = found[limit - 1]["index"] if len(found) > limit else None
    following = None if last is None else encode_cursor(_ORDER, "", last)
    return json_response(EXPERIMENT_PAGE, {"items": found[:limit], "next_cursor": following})


@router.get("/{index}", response_model=ExperimentDetail, responses=_UNKNOWN)
def get_experiment(service: ServiceDep, task_id: TaskId, index: Index) -> Response:
    """An experiment with its predictions and, where it failed, the end of its log."""
    row = require_experiment(service, task_id, index)
    record = service.store.experiment(row["id"])
    points = outcome(record).points if record is not None else ()
    failure = {"kind": row["failure_kind"], "message": row["failure_message"] or ""}
    document = {
        **row,
        "failure": {**failure, "log_tail": row["log_tail"] or ""} if row["failure_kind"] else None,
        "predictions": predictions_beside(record, points) if record is not None else [],
    }
    return json_response(EXPERIMENT, document)


@router.get("/{index}/measurements", response_model=MeasurementList, responses=_UNKNOWN)
def list_measurements(service: ServiceDep, task_id: TaskId, index: Index) -> Response:
    """Every load level that an experiment measured, with its whole distributions."""
    row = require_experiment(service, task_id, index)
    found = listing.measurements(service.store.sessions, row["id"])
    return json_response(MEASUREMENTS, {"items": found})


def require_experiment(service: Service, task_id: int, index: int) -> listing.Row:
    """Columns of an experiment.

    Raises:
        ProblemError: there is no such experiment.
    """
    found = listing.experiment(service.store.sessions, task_id, index)
    if found is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"task {task_id} has no experiment {index}")
    return found
