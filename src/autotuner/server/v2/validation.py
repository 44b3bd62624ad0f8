"""`/tasks/validate` and `/tasks/plan`: what a document would do, without keeping it.

Both work for as long as they may, and only a few at once: whoever asks about millions of
candidates keeps nobody else from an answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Body, Request
from fastapi.responses import Response
from pydantic import JsonValue

from autotuner.config import TaskConfig, parse_task
from autotuner.errors import AutotunerError, ConfigError, Problem
from autotuner.report.plan_document import plan_of
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.forbidden import refuse_forbidden
from autotuner.server.v2.plan_views import PLAN, VALIDATION, TaskPlan, Validation
from autotuner.server.v2.routing import (
    WITH_BODY,
    Given,
    answer,
    merged,
    problems,
    v2_router,
)
from autotuner.store.profiles_kept import service_registry
from autotuner.tuning.faults import faults_in, problems_from
from autotuner.tuning.home_gpus import with_gpus_of_home
from autotuner.tuning.outlook import MOST_CANDIDATES
from autotuner.tuning.prepare import Prepared, prepare

MOST_COMBINATIONS = 50_000
"""Combinations of the axes of a task that is validated or planned here: a second or two."""
LONGEST_S = 20.0
"""Seconds after which a plan is given up."""
LISTED = 200
"""Candidates that a plan lists."""
_AT_ONCE = 2
_OTHERS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")
_RETRY_S = 5

router = v2_router("/tasks", "tasks")
_places = threading.BoundedSemaphore(_AT_ONCE)


@router.post("/validate", response_model=Validation, responses=WITH_BODY)
def validate_task(
    service: Given,
    document: Annotated[dict[str, JsonValue], Body(description="A task document, version 2.")],
) -> Response:
    """Says whether a document is a task that can run here, with every fault at once."""
    try:
        task = with_gpus_of_home(parse_task(document), service.folder)
    except ConfigError as error:
        return _told(error.problems)
    forbidden = service.violations(task)
    if forbidden:
        # Nothing of what is forbidden is looked at: it may be a file outside the folders.
        return _told(forbidden, task)
    registry = service_registry(service.store, service.folder)
    faults = faults_in(task, base=service.base, registry=registry)
    if faults:
        return _told(faults, task)
    try:
        with _turn():
            prepared = _prepared(service, task)
    except AutotunerError as error:
        return _told(problems_from(error), task)
    return _told((), task, prepared)


@router.post(
    "/plan",
    response_model=TaskPlan,
    responses=merged(WITH_BODY, problems(ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED)),
)
def plan_task(service: Given, task: Annotated[TaskConfig, Body()]) -> Response:
    """Says what a task would do: candidates, what is excluded and why, predictions, time, cost."""
    refuse_forbidden(service, task)
    task = with_gpus_of_home(task, service.folder)
    with _turn():
        ends = time.monotonic() + LONGEST_S
        prepared = _prepared(service, task)
        document, _ = plan_of(
            prepared,
            service.folder,
            service.store,
            tell=_until(ends),
            most=MOST_CANDIDATES,
            listed=LISTED,
            measure=False,
        )
    return answer(PLAN, document)


@router.api_route("/validate", methods=list(_OTHERS), include_in_schema=False)
@router.api_route("/plan", methods=list(_OTHERS), include_in_schema=False)
def only_post(request: Request) -> Response:
    """Says that neither is a task."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": "POST"})
    raise ProblemError(
        ProblemKind.METHOD_NOT_ALLOWED,
        f"{request.url.path} does not take {request.method}",
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
            f"{_AT_ONCE} other plans are being made; ask again",
            headers={"Retry-After": str(_RETRY_S)},
        )
    try:
        yield
    finally:
        _places.release()


def _until(ends: float) -> Callable[[int, int], None]:
    def tell(asked: int, wanted: int) -> None:
        if time.monotonic() > ends:
            raise ProblemError(
                ProblemKind.TASK_INVALID,
                f"the plan takes more than {LONGEST_S:.0f} s: {asked} of {wanted} candidates are "
                "predicted by then; take values out of the axes, or say prediction.predictor: "
                "roofline or none",
            )

    return tell


def _told(
    faults: tuple[Problem, ...], task: TaskConfig | None = None, prepared: Prepared | None = None
) -> Response:
    document: dict[str, Any] = {
        "valid": not faults,
        "errors": [vars(fault) for fault in faults],
        "warnings": [] if prepared is None else prepared.warnings,
        "content_id": None if task is None else task.content_id,
        "candidates": None if prepared is None else len(prepared.space.candidates),
    }
    return answer(VALIDATION, document)
