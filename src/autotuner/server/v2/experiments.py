"""`/tasks/{task_id}/experiments`: experiments of a task and their measurements."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from autotuner.config.containers import docker_options
from autotuner.engines import sample_request
from autotuner.landscapes import unserved
from autotuner.measure.results import Measurement
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.conditional_requests import NOT_MODIFIED
from autotuner.server.v2.paging import (
    decode_cursor,
    encode_cursor,
    query_parameters,
    query_reader,
)
from autotuner.server.v2.result_versions import ResultCondition
from autotuner.server.v2.routing import (
    MOST_ID,
    ServiceDep,
    TaskId,
    Text,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import task_not_found
from autotuner.store import experiment_listing
from autotuner.store.experiment_listing import TEXT_ORDERS, ExperimentFilter, experiment_page
from autotuner.store.listing import Row
from autotuner.tuning.host_command import engine_of, host_command, version_of
from autotuner.tuning.points import outcome
from autotuner.tuning.prediction_errors import predictions_beside
from autotuner.tuning.summary import FailureView, PredictionView, Scalar

ExperimentStatus = Literal["running", "completed", "failed", "interrupted"]
router = v2_router("/tasks/{task_id}/experiments", "experiments")
Index = Annotated[int, Path(ge=1, le=MOST_ID, description="The experiment's place in its task.")]
_UNKNOWN = problems(ProblemKind.NOT_FOUND)
ExperimentSort = Literal[
    "index",
    "-index",
    "status",
    "-status",
    "tok_s",
    "-tok_s",
    "ttft_ms",
    "-ttft_ms",
    "tpot_ms",
    "-tpot_ms",
    "e2e_p90_ms",
    "-e2e_p90_ms",
    "frontier_points",
    "-frontier_points",
    "startup_s",
    "-startup_s",
    "measure_s",
    "-measure_s",
]


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
    differs: dict[str, Scalar]
    """Of the settings those that differ among the task's candidates; null where not set."""
    command: str
    """Line for a shell of the machine: of a launch in a container, its `docker run`."""
    engine_command: str
    """Line of the engine itself, as it was launched."""
    unserved: str | None
    """Reason why the command does not serve what was measured; null where it does."""
    failure_kind: str | None
    failure_message: str | None
    unpredicted: str | None
    """Reason why nothing was predicted; null where something was."""
    cut_short: str | None
    """Reason why load levels were left out: they could not improve the frontier."""
    startup_s: float | None
    measure_s: float | None
    lost_s: float
    """Seconds that launches of it took in vain, because their machine was lost."""
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
    frontier_points: int
    """Number of its operating points on the measured frontier."""


class ExperimentPage(View):
    """Page of a task's experiments, in the requested order."""

    items: list[ExperimentItem]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""


class ExperimentDetail(ExperimentItem):
    """An experiment as a whole."""

    sample_request: str | None
    """A `curl` that tries the engine once the command serves; null where there is none."""
    failure: FailureView | None
    predictions: list[PredictionView]
    """Prediction of each load level, beside its measurement."""


class MeasurementItem(Measurement):
    """One load level; `repeat` counts from 0 where the sweep was measured several times."""

    repeat: int


class MeasurementList(View):
    """All measurements of an experiment, in their order."""

    items: list[MeasurementItem]


class ExperimentQuery(BaseModel):
    """The query of a list of experiments."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    status: list[ExperimentStatus] = []
    """Any of these."""
    search: Text = Field(default="", max_length=200)
    """Text in the candidate's id, its settings or its command, or in the reason why it was launched
    or failed; case-insensitive."""
    sort: ExperimentSort = "index"
    """`-`: descending; figures are those of the representative point. What has none comes last."""
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = None
    """`next_cursor` of the page before, in the same order."""


EXPERIMENT_PAGE = TypeAdapter(ExperimentPage)
EXPERIMENT = TypeAdapter(ExperimentDetail)
MEASUREMENTS = TypeAdapter(MeasurementList)


@router.get(
    "",
    response_model=ExperimentPage,
    responses=merged(_UNKNOWN, problems(ProblemKind.INVALID_CURSOR)) | NOT_MODIFIED,
    openapi_extra=query_parameters(ExperimentQuery),
)
def list_experiments(
    service: ServiceDep,
    task_id: TaskId,
    condition: ResultCondition,
    query: Annotated[ExperimentQuery, Depends(query_reader(ExperimentQuery))],
) -> Response:
    """Lists a task's experiments, a page at a time."""
    return condition.answered(
        lambda: json_response(EXPERIMENT_PAGE, _page(service, task_id, query))
    )


def _page(service: Service, task_id: int, query: ExperimentQuery) -> dict[str, object]:
    order, limit = query.sort, query.limit
    after = None
    if query.cursor is not None:
        after = decode_cursor(query.cursor, order, is_number=order not in TEXT_ORDERS)
    found = experiment_page(
        service.store.sessions,
        task_id,
        ExperimentFilter(query.status, query.search),
        order=order,
        limit=limit + 1,
        after=after,
    )
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = encode_cursor(order, str(last["sorted_by"]), last["index"])
    axes = _axes(service, task_id)
    launching = experiment_listing.launching(service.store.sessions, task_id)
    items = [_item(row, axes, launching) for row in found[:limit]]
    return {"items": items, "next_cursor": following}


def _axes(service: Service, task_id: int) -> Row:
    axes = experiment_listing.axes(service.store.sessions, task_id)
    if axes is None:
        raise task_not_found(task_id)
    return axes


def _item(row: Row, axes: Row, launching: Row) -> dict[str, object]:
    settings, own = row["settings"], row["command"]
    version = version_of(settings, launching["engine"], launching["engine_version"])
    return {
        **row,
        "differs": {field: settings.get(field) for field in axes},
        "command": host_command(own, settings, docker_options(launching), version=version),
        "engine_command": own,
        "unserved": unserved(own),
    }


@router.get("/{index}", response_model=ExperimentDetail, responses=_UNKNOWN)
def get_experiment(service: ServiceDep, task_id: TaskId, index: Index) -> Response:
    """An experiment with its predictions and, where it failed, the end of its log."""
    row = require_experiment(service, task_id, index)
    record = service.store.experiment(row["id"])
    launching = experiment_listing.launching(service.store.sessions, task_id)
    engine = engine_of(row["settings"], launching["engine"])
    points = outcome(record).points if record is not None else ()
    failure = {"kind": row["failure_kind"], "message": row["failure_message"] or ""}
    document = {
        **_item(row, _axes(service, task_id), launching),
        "sample_request": sample_request(row["command"], engine),
        "failure": {**failure, "log_tail": row["log_tail"] or ""} if row["failure_kind"] else None,
        "predictions": predictions_beside(record, points) if record is not None else [],
    }
    return json_response(EXPERIMENT, document)


@router.get("/{index}/measurements", response_model=MeasurementList, responses=_UNKNOWN)
def list_measurements(service: ServiceDep, task_id: TaskId, index: Index) -> Response:
    """Every load level that an experiment measured, with its whole distributions."""
    row = require_experiment(service, task_id, index)
    found = experiment_listing.measurements(service.store.sessions, row["id"])
    return json_response(MEASUREMENTS, {"items": found})


def require_experiment(service: Service, task_id: int, index: int) -> Row:
    """Columns of an experiment.

    Raises:
        ProblemError: there is no such experiment.
    """
    found = experiment_listing.experiment(service.store.sessions, task_id, index)
    if found is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"task {task_id} has no experiment {index}")
    return found
