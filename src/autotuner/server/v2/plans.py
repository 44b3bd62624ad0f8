"""`/tasks/validate` and `/tasks/plan`: the plan of a document that is not stored.

Both are limited in time and number, so that a request with millions of candidates does not keep
others waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import Body, Request
from fastapi.responses import Response
from pydantic import JsonValue, TypeAdapter

from autotuner.config import LoadLevel, TaskConfig, parse_task
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.report.plan_document import plan_of
from autotuner.server.problems import ProblemError, ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.routing import (
    WITH_BODY,
    FaultView,
    ServiceDep,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.store.profiles import service_registry
from autotuner.tuning.checks import problems_from, problems_in
from autotuner.tuning.estimate import MOST_CANDIDATES
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.resources import with_gpus_of_home

Settings = dict[str, JsonValue]
MOST_COMBINATIONS = 50_000
"""Most combinations of the axes of a task that is validated or planned here: a second or two."""
LONGEST_S = 20.0
"""Longest duration of a plan."""
LISTED = 200
"""Most candidates that a plan lists."""
_AT_ONCE = 2
_OTHERS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")
_RETRY_S = 5
router = v2_router("/tasks", "tasks")
_places = threading.BoundedSemaphore(_AT_ONCE)


class Validation(View):
    """Whether a document is a task that can run here."""

    valid: bool
    errors: list[FaultView]
    """Every fault, with the path of its field; empty where it is valid."""
    warnings: list[str]
    """Settings of profiles that the engine cannot express."""
    content_id: str | None
    """Hash of all that determines what is launched; null where it is not a task."""
    candidates: int | None
    """Number of candidates; null where it cannot be prepared."""


class PlannedCandidate(View):
    """Candidate and its command line."""

    id: str
    settings: Settings
    command: str


class PlannedBudget(View):
    """The limits of a task; null where there is none."""

    experiments: int | None
    minutes: float | None
    usd: float | None


class PredictedPoint(View):
    """Predicted operating point: a candidate at one load level.

    `*_log_std`: standard deviation of ln(measured / predicted).
    """

    candidate: str
    settings: Settings
    gpus: int
    load: LoadLevel
    ttft_ms: float
    tpot_ms: float | None
    """Null where every answer has one token, as `tok_s_per_user`."""
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float | None
    requests_per_s: float
    e2e_ms: float
    ttft_log_std: float
    tpot_log_std: float
    tok_s_log_std: float
    memory_gib: float | None
    source: str
    kind: str
    """The kind of data that `source` stands on; points of different kinds compare less well."""
    note: str
    on_frontier: bool


class PredictedLimit(View):
    """Limit of the SLO and the recommended point's prediction for it."""

    name: str
    limit_ms: float
    predicted_ms: float
    interval_ms: list[float]
    """80 % interval of the measurement."""
    verdict: Literal["meets", "unclear", "misses"]
    over: float
    """By what share the prediction is over the limit; 0 where it is not."""


class PredictedRecommendation(View):
    """Recommended point by prediction alone."""

    candidate: str
    settings: Settings
    gpus: int
    load: LoadLevel
    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    requests_per_s: float
    e2e_ms: float
    usd_per_million_tokens: float | None
    intervals: dict[str, list[float]]
    """Quantity -> bounds of its 80 % interval."""
    reason: str
    meets_slo: bool
    limits: list[PredictedLimit]
    command: str


class InfeasibleView(View):
    """Reason why a candidate is predicted to exceed memory."""

    why: str
    needed_gib: float | None
    available_gib: float | None


class PlanPredictionView(View):
    """Prediction of the task as a whole."""

    predictor: str | None
    why: str
    observations: int
    """Number of earlier measurements that corrected the predictions."""
    recommended: PredictedRecommendation | None
    mixed: str | None
    """Sentence about the kinds of data that are compared; null where it is one."""
    frontier: list[PredictedPoint]
    """Predicted Pareto frontier, the fastest for a user first."""
    out_of_memory: dict[str, InfeasibleView]
    refused: dict[str, str]
    """Candidate -> reason why it is not predicted."""
    asked: int
    """Number of predicted candidates: all, or a sample spread over the space."""
    minutes: float | None
    """Of tuning; null where nothing is predicted."""
    usd: float | None
    """Of tuning; null where no price is known."""
    warnings: list[str]


class TaskPlan(View):
    """Plan of a task, before anything is launched."""

    task: str
    replay: bool
    landscape: str | None
    content_id: str
    engine: str
    engine_version: str
    engine_origin: str
    installed: bool
    """Whether the engine is on the service's machine."""
    model: str
    model_path: str
    model_notes: list[str]
    """Unknown facts of the model, and contradictions to its files."""
    device: str
    strategy: str
    strategy_reason: str
    min_gain: float
    budget: PlannedBudget
    side_by_side: int
    """Engines that may run at once."""
    objectives: list[str]
    workload: str
    load: list[LoadLevel]
    """Load levels, all of one kind."""
    load_reason: str
    """Reason for these levels, where the task leaves them open; else empty."""
    combinations: int
    candidates: int
    launches: int
    """Most candidates that will be launched."""
    excluded: dict[str, int]
    """Why -> how many combinations."""
    profiles: list[str]
    warnings: list[str]
    axes: dict[str, list[JsonValue]]
    """`group.field` -> the values that differ among candidates."""
    expected_minutes: float | None
    """Duration of earlier tasks of the same document; null where there is none."""
    at_most_minutes: float | None
    """Duration if every level runs to its time limit; null where it is not finite."""
    experiments: list[PlannedCandidate]
    """The candidates in the order of the space; the first of them where there are many."""
    prediction: PlanPredictionView


VALIDATION: TypeAdapter[Validation] = TypeAdapter(Validation)
PLAN: TypeAdapter[TaskPlan] = TypeAdapter(TaskPlan)


@router.post("/validate", response_model=Validation, responses=WITH_BODY)
def validate_task(
    service: ServiceDep,
    document: Annotated[dict[str, JsonValue], Body(description="A task document, version 2.")],
) -> Response:
    """Checks whether a document is a task that can run here; lists every fault at once."""
    try:
        task = with_gpus_of_home(parse_task(document), service.folder)
    except ConfigError as error:
        return _validation_response(error.problems)
    forbidden = service.violations(task)
    if forbidden:
        # Forbidden files are not opened: they may lie outside the allowed folders.
        return _validation_response(forbidden, task)
    registry = service_registry(service.store, service.folder)
    faults = problems_in(task, base=service.base, registry=registry)
    if faults:
        return _validation_response(faults, task)
    try:
        with _turn():
            prepared = _prepared(service, task)
    except AutotunerError as error:
        return _validation_response(problems_from(error), task)
    return _validation_response((), task, prepared)


@router.post(
    "/plan",
    response_model=TaskPlan,
    responses=merged(WITH_BODY, problems(ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED)),
)
def plan_task(service: ServiceDep, task: Annotated[TaskConfig, Body()]) -> Response:
    """Plans a task without storing it: candidates, exclusions, predictions, time, cost."""
    refuse_violations(service.violations(task))
    task = with_gpus_of_home(task, service.folder)
    with _turn():
        ends = time.monotonic() + LONGEST_S
        prepared = _prepared(service, task)
        document, _ = plan_of(
            prepared,
            service.folder,
            service.store,
            tell=_deadline_callback(ends),
            most=MOST_CANDIDATES,
            listed=LISTED,
            measure=False,
        )
    return json_response(PLAN, document)


@router.api_route("/validate", methods=list(_OTHERS), include_in_schema=False)
@router.api_route("/plan", methods=list(_OTHERS), include_in_schema=False)
def only_post(request: Request) -> Response:
    """Answers that neither is a task."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": "POST"})
    raise ProblemError(
        ProblemKind.METHOD_NOT_ALLOWED,
        f"{request.url.path} does not accept {request.method}",
        headers={"Allow": "POST"},
    )


def _prepared(service: Service, task: TaskConfig) -> Prepared:
    registry = service_registry(service.store, service.folder)
    return prepare(task, base=service.base, registry=registry, most=MOST_COMBINATIONS)


@contextmanager
def _turn() -> Iterator[None]:
    if not _places.acquire(timeout=LONGEST_S):
        raise ProblemError(
            ProblemKind.UNAVAILABLE,
            f"{_AT_ONCE} other plans are being made; try again",
            headers={"Retry-After": str(_RETRY_S)},
        )
    try:
        yield
    finally:
        _places.release()


def _deadline_callback(ends: float) -> Callable[[int, int], None]:
    def check_deadline(asked: int, total: int) -> None:
        if time.monotonic() > ends:
            raise ProblemError(
                ProblemKind.TASK_INVALID,
                f"the plan takes more than {LONGEST_S:.0f} s: {asked} of {total} candidates were "
                "predicted by then; remove values from the axes, or set prediction.predictor to "
                "roofline or none",
            )

    return check_deadline


def _validation_response(
    faults: tuple[Problem, ...], task: TaskConfig | None = None, prepared: Prepared | None = None
) -> Response:
    document: dict[str, Any] = {
        "valid": not faults,
        "errors": [vars(fault) for fault in faults],
        "warnings": [] if prepared is None else prepared.warnings,
        "content_id": None if task is None else task.content_id,
        "candidates": None if prepared is None else len(prepared.space.candidates),
    }
    return json_response(VALIDATION, document)
