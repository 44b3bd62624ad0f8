"""`/tasks/validate` and `/tasks/plan`: the plan of a document that is not stored.

Both are limited in time and number, so that a request with millions of candidates does not keep
others waiting.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Body, Header, Query
from fastapi.responses import Response
from pydantic import JsonValue

from autotuner.config import PartialTask, TaskConfig, parse_partly
from autotuner.errors import AutotunerError, Problem
from autotuner.report.plan_document import plan_of
from autotuner.server.problems import ProblemError, ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.events import EVENT_SCHEMA, EVENT_STREAM
from autotuner.server.v2.form_requests import post_only
from autotuner.server.v2.plan_stream import plan_stream
from autotuner.server.v2.plan_views import PLAN, VALIDATION, TaskPlan, Validation
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
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

MOST_COMBINATIONS = 50_000
"""Most combinations of the axes of a task that is validated or planned here: a second or two."""
LONGEST_S = 20.0
"""Longest duration of a plan."""
LISTED = 200
"""Most candidates that a plan lists."""
_AT_ONCE = 2
_PLACES = re.compile(r"^combinations\[\d+\]\.|\[\d+\]$")
_RETRY_S = 5
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The plan; with `Accept: text/event-stream` a stream of events: `progress` "
        "with `asked` and `total`, then `plan` with the plan, or `problem` with problem details.",
        "content": {EVENT_STREAM: {"schema": EVENT_SCHEMA}},
    }
}
router = v2_router("/tasks", "tasks")
_places = threading.BoundedSemaphore(_AT_ONCE)
Progress = Callable[[int, int], None]


@router.post("/validate", response_model=Validation, responses=WITH_BODY)
def validate_task(
    service: ServiceDep,
    document: Annotated[dict[str, JsonValue], Body(description="A task document, version 2.")],
) -> Response:
    """Checks whether a document is a task that can run here; lists every fault at once."""
    found = parse_partly(document)
    faults = list(found.faults)
    if found.task is None:
        return _validation_response(faults)
    task = with_gpus_of_home(found.task, service.folder)
    faults += _faults_of_meaning(service, task, found)
    prepared = None
    if not faults:
        try:
            with planning_turn():
                prepared = _prepared(service, task)
        except AutotunerError as error:
            faults += problems_from(error)
    return _validation_response(faults, None if found.faults else task, prepared)


@router.post(
    "/plan",
    response_model=TaskPlan,
    responses=merged(WITH_BODY, problems(ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED))
    | _STREAMED,
)
def plan_task(
    service: ServiceDep,
    task: Annotated[TaskConfig, Body()],
    commands: Annotated[
        bool, Query(description="Whether candidates are listed with their command lines.")
    ] = True,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Plans a task without storing it: candidates, exclusions, predictions, time, cost."""
    refuse_violations(service.violations(task))
    task = with_gpus_of_home(task, service.folder)

    def planned(progress: Progress) -> dict[str, Any]:
        return _plan(service, task, progress, commands=commands)

    if EVENT_STREAM in accept:
        return plan_stream(planned)
    return json_response(PLAN, planned(lambda asked, total: None))


post_only(router, "/validate")
post_only(router, "/plan")


def _faults_of_meaning(service: Service, task: TaskConfig, found: PartialTask) -> Iterator[Problem]:
    """Faults where the form is right: what is not available here, and what the operator forbids."""
    forbidden = service.violations(task)
    # Forbidden files are not opened: they may lie outside the allowed folders.
    opened = "model" not in found.replaced and not any(
        fault.path.startswith("model.") for fault in forbidden
    )
    registry = service_registry(service.store, service.folder)
    here = problems_in(task, base=service.base, registry=registry, with_model=opened)
    known = [fault.path for fault in found.faults if fault.path]
    for fault in here:
        if not any(map(fault.path.startswith, known)):
            yield fault
    fields_here = {_field(fault.path) for fault in here}
    for fault in forbidden:
        is_placeholder = fault.path.partition(".")[0] in found.replaced
        if not is_placeholder and _field(fault.path) not in fields_here:
            yield fault


def _field(path: str) -> str:
    """The field of a path, whatever combination and item of a list it is of."""
    return _PLACES.sub("", path)


def _plan(
    service: Service, task: TaskConfig, progress: Progress, *, commands: bool
) -> dict[str, Any]:
    """The plan as a document.

    Raises:
        AutotunerError, ProblemError: the task cannot be planned, or not in time.
    """
    with planning_turn():
        ends = time.monotonic() + LONGEST_S
        prepared = _prepared(service, task)

        def tell(asked: int, total: int) -> None:
            progress(asked, total)
            _check_deadline(ends, asked, total)

        document, _ = plan_of(
            prepared,
            service.folder,
            service.store,
            tell=tell,
            most=MOST_CANDIDATES,
            listed=LISTED,
            commands=commands,
            measure=False,
        )
    return document


def _prepared(service: Service, task: TaskConfig) -> Prepared:
    registry = service_registry(service.store, service.folder)
    return prepare(task, base=service.base, registry=registry, most=MOST_COMBINATIONS)


@contextmanager
def planning_turn() -> Iterator[None]:
    """A place among the few plans that are made at a time.

    Raises:
        ProblemError: none is free for as long as the longest plan takes.
    """
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


def _check_deadline(ends: float, asked: int, total: int) -> None:
    if time.monotonic() > ends:
        raise ProblemError(
            ProblemKind.TASK_INVALID,
            f"the plan takes more than {LONGEST_S:.0f} s: {asked} of {total} candidates were "
            "predicted by then; remove values from the axes, or set prediction.predictor to "
            "roofline or none",
        )


def _validation_response(
    faults: list[Problem], task: TaskConfig | None = None, prepared: Prepared | None = None
) -> Response:
    document: dict[str, Any] = {
        "valid": not faults,
        "errors": [vars(fault) for fault in faults],
        "warnings": [] if prepared is None else prepared.warnings,
        "content_id": None if task is None else task.content_id,
        "candidates": None if prepared is None else len(prepared.space.candidates),
    }
    return json_response(VALIDATION, document)
