"""`/verify`: predictions beside measurements, of all tasks and of results that others brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import TypeAdapter

from autotuner.errors import NotFoundError, VerifyError
from autotuner.report.comparison import pairs_csv
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.plans import planning_turn
from autotuner.server.v2.routing import (
    ServiceDep,
    Text,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import require_task
from autotuner.server.v2.uploaded_results import RESULT_ID, refused, result_files
from autotuner.server.v2.verification_views import (
    AccuracyView,
    ResultComparisonView,
    accuracy_view,
    comparison_view,
)
from autotuner.store.judged_levels import judged_levels, known_places
from autotuner.tuning.summarise import summarise
from autotuner.verify import Comparison, PointFile, compare_files
from autotuner.verify.accuracy import accuracy
from autotuner.verify.autotuner_reader import measured_points
from autotuner.verify.csv_reader import stated
from autotuner.verify.stored_predictions import predicted_file

router = v2_router("/verify", "verify")
MOST_ROWS = 60_000
"""Rows of the store that accuracy is computed from: about a second."""
_SIDE = rf"^(file:{RESULT_ID}|(measured|base|calibrated):[1-9][0-9]{{0,9}})$"
_SETTING = Annotated[Text, Query(max_length=200)]
_STATE = "state what a side leaves out or states wrongly as FIELD=VALUE: tp=4, gpus=4"
_ACCURACY, _COMPARISON = TypeAdapter(AccuracyView), TypeAdapter(ResultComparisonView)

Name = Annotated[Text | None, Query(max_length=300)]
Within = Annotated[
    list[Annotated[float, Query(gt=0, le=1000)]] | None,
    Query(max_length=6, description="Errors in percent whose share is asked for; 10, 15 and 20."),
]
Side = Annotated[
    str,
    Query(
        pattern=_SIDE,
        description="`file:ID` of uploaded results, or of a task `measured:3`, `base:3` "
        "(as its predictor said) or `calibrated:3` (as corrected just before each launch).",
    ),
]
Limit = Annotated[float | None, Query(gt=0, le=1e9, description="SLO of the choice, ms.")]
Stated = Annotated[
    list[_SETTING] | None,
    Query(max_length=40, description="`FIELD=VALUE` that the side does not say, or says wrongly."),
]
_NO_FILE = problems(ProblemKind.NOT_FOUND)
_UNUSABLE = problems(ProblemKind.UNPROCESSABLE, ProblemKind.TASK_INVALID)


@router.get("/accuracy", response_model=AccuracyView)
def get_accuracy(
    service: ServiceDep,
    engine: Name = None,
    system: Name = None,
    model: Name = None,
    within: Within = None,
) -> Response:
    """Accuracy of predictions over every stored task, and how it grows from launch to launch."""
    asked = {"engine": engine, "system": system, "model": model}
    chosen = {name: value for name, value in asked.items() if value is not None}
    sessions = service.store.sessions
    judged = judged_levels(sessions, chosen=chosen, most=MOST_ROWS)
    view = accuracy_view(
        accuracy(judged.levels, _limits(within)),
        choices=known_places(sessions),
        is_whole=judged.is_whole,
        replayed=judged.replayed,
        disturbed=judged.disturbed,
    )
    return json_response(_ACCURACY, view)


def compared(
    service: ServiceDep,
    predicted: Side,
    actual: Side,
    within: Within = None,
    ttft_ms: Limit = None,
    tpot_ms: Limit = None,
    predicted_set: Stated = None,
    actual_set: Stated = None,
) -> Comparison:
    """The two sides that are asked for, compared.

    Raises:
        ProblemError: a side is not there, or their points cannot be paired.
    """
    slo = {"ttft_ms": ttft_ms, "tpot_ms": tpot_ms}
    with planning_turn():
        sides = [
            _stated(_side(service, place, side), place, settings or ())
            for place, side, settings in (
                ("predicted", predicted, predicted_set),
                ("actual", actual, actual_set),
            )
        ]
        try:
            return compare_files(
                *sides,
                within=_limits(within),
                slo={name: limit for name, limit in slo.items() if limit is not None},
            )
        except VerifyError as error:
            raise refused("query.actual", error.message, _STATE) from None


Compared = Annotated[Comparison, Depends(compared)]


@router.get(
    "/comparison",
    response_model=ResultComparisonView,
    responses=merged(_NO_FILE, _UNUSABLE),
)
def get_comparison_of_results(comparison: Compared) -> Response:
    """Compares two sides, each of a task or of uploaded results; its address says it all."""
    return json_response(_COMPARISON, comparison_view(comparison))


@router.get(
    "/comparison/pairs",
    response_class=StreamingResponse,
    responses=merged(_NO_FILE, _UNUSABLE)
    | {200: {"description": "A line a pair.", "content": {"text/csv": {}}}},
)
def get_pairs_of_results(comparison: Compared) -> StreamingResponse:
    """Every pair of the same comparison as CSV, however many there are."""
    return StreamingResponse(
        pairs_csv(comparison.pairs),
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="comparison.csv"'},
    )


def _limits(within: Sequence[float] | None) -> tuple[float, ...]:
    return tuple(sorted(set(within))) if within else (10.0, 15.0, 20.0)


def _side(service: Service, place: str, side: str) -> PointFile:
    kind, _, which = side.partition(":")
    if kind == "file":
        return result_files(service).points(which)
    number = int(which)
    if number >= 2**31:
        raise NotFoundError(f"there is no task {number}")
    task = require_task(service, number)
    summary = summarise(service.store, task)
    name = f"task {task.id} '{task.name}'"
    found = (
        measured_points(summary, name)
        if kind == "measured"
        else predicted_file(summary, calibrated=kind == "calibrated")
    )
    if not found.points:
        raise refused(
            f"query.{place}",
            f"{name} has nothing that was {'measured' if kind == 'measured' else 'predicted'}",
            "choose another task, or another side of it",
        )
    return found


def _stated(file: PointFile, place: str, settings: Sequence[str]) -> PointFile:
    try:
        return stated(file, f"{place}_set", settings)
    except VerifyError as error:
        raise refused(f"query.{place}_set", error.message, error.remedy) from None
