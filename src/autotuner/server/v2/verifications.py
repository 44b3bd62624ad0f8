"""`/verify`: predictions beside measurements, of all tasks and of results that others brought."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import File, Path, Query, UploadFile
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.errors import NotFoundError, Problem, VerifyError
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.plans import planning_turn
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    Text,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import require_task
from autotuner.server.v2.verification_views import (
    AccuracyView,
    ResultComparisonView,
    ResultFileList,
    ResultFileView,
    ResultPointsView,
    accuracy_view,
    comparison_view,
)
from autotuner.store.judged_levels import judged_levels, known_places
from autotuner.tuning.summarise import summarise
from autotuner.verify import FORMATS, PointFile, compare_files
from autotuner.verify.accuracy import accuracy
from autotuner.verify.autotuner_reader import measured_points
from autotuner.verify.csv_reader import stated
from autotuner.verify.point_views import point_views
from autotuner.verify.result_files import ResultFiles
from autotuner.verify.stored_predictions import predicted_file

router = v2_router("/verify", "verify")
MOST_ROWS = 60_000
"""Rows of the store that accuracy is computed from: about a second."""
_MOST_POINTS = 5_000
_MOST_LISTED = 200
_ID = "[0-9a-f]{16}"
_SIDE = rf"^(file:{_ID}|(measured|base|calibrated):[1-9][0-9]{{0,9}})$"
_SETTING = Annotated[Text, Query(max_length=200)]
_STATE = "state what a side does not say, or says otherwise, as FIELD=VALUE: tp=4, gpus=4"
_ACCURACY, _LIST = TypeAdapter(AccuracyView), TypeAdapter(ResultFileList)
_FILE, _POINTS = TypeAdapter(ResultFileView), TypeAdapter(ResultPointsView)
_COMPARISON = TypeAdapter(ResultComparisonView)

Name = Annotated[Text | None, Query(max_length=300)]
FileId = Annotated[str, Path(pattern=f"^{_ID}$", description="Id of uploaded results.")]
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
    )
    return json_response(_ACCURACY, view)


@router.get(
    "/comparison",
    response_model=ResultComparisonView,
    responses=merged(_NO_FILE, _UNUSABLE),
)
def get_comparison_of_results(
    service: ServiceDep,
    predicted: Side,
    actual: Side,
    within: Within = None,
    ttft_ms: Limit = None,
    tpot_ms: Limit = None,
    predicted_set: Stated = None,
    actual_set: Stated = None,
) -> Response:
    """Compares two sides, each of a task or of uploaded results; its address says it all."""
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
            found = compare_files(
                *sides,
                within=_limits(within),
                slo={name: limit for name, limit in slo.items() if limit is not None},
            )
        except VerifyError as error:
            raise _refused("query.actual", error.message, _STATE) from None
        view = comparison_view(found)
    return json_response(_COMPARISON, view)


@router.get("/files", response_model=ResultFileList)
def list_result_files(service: ServiceDep) -> Response:
    """Lists results of other programs that were uploaded, the newest first."""
    items = [vars(one) for one in _files(service).all()]
    return json_response(
        _LIST, {"items": items, "formats": {name: found.about for name, found in FORMATS.items()}}
    )


@router.post(
    "/files",
    response_model=ResultFileView,
    status_code=201,
    responses=merged(WITH_BODY, problems(ProblemKind.UNPROCESSABLE)),
)
def add_result_file(
    service: ServiceDep,
    file: Annotated[
        list[UploadFile],
        File(description="A file, or all files of one run: several parts of this name."),
    ],
    format: Annotated[  # noqa: A002  # the name of the parameter
        Literal[tuple(FORMATS)] | None,  # type: ignore[valid-type]  # the table's own names
        Query(description="The format, where it is not to be detected."),
    ] = None,
) -> Response:
    """Keeps results of another program, once it is known that they can be read."""
    files = [(one.filename or "results", one.file.read()) for one in file]
    try:
        found = _files(service).keep(files, format)
    except VerifyError as error:
        raise _refused("file", error.message, error.remedy) from None
    return json_response(_FILE, vars(found), status=201)


@router.get("/files/{file_id}", response_model=ResultPointsView, responses=_NO_FILE | _UNUSABLE)
def get_result_points(service: ServiceDep, file_id: FileId) -> Response:
    """Operating points of uploaded results, in the form of a task's points."""
    files = _files(service)
    about, found = files.about(file_id), files.points(file_id)
    points = list(itertools.islice(point_views(found), _MOST_POINTS))
    named = {
        f"{field}s": sorted({value for point in points if (value := getattr(point, field))})
        for field in ("model", "engine", "engine_version", "system", "workload")
    }
    view = {
        **named,
        "file": vars(about),
        "items": points,
        "excluded": [vars(one) for one in found.excluded[:_MOST_LISTED]],
        "notes": found.notes,
    }
    return json_response(_POINTS, view)


@router.delete(
    "/files/{file_id}",
    status_code=204,
    responses=merged(_NO_FILE, problems(ProblemKind.UNPROCESSABLE)),
)
def delete_result_file(service: ServiceDep, file_id: FileId) -> Response:
    """Forgets uploaded results; links to comparisons with them lead nowhere then."""
    _files(service).remove(file_id)
    return Response(status_code=204)


def _files(service: Service) -> ResultFiles:
    return ResultFiles(service.folder / "results", 4 * service.settings.max_upload_bytes)


def _limits(within: Sequence[float] | None) -> tuple[float, ...]:
    return tuple(sorted(set(within))) if within else (10.0, 15.0, 20.0)


def _side(service: Service, place: str, side: str) -> PointFile:
    kind, _, which = side.partition(":")
    if kind == "file":
        return _files(service).points(which)
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
        raise _refused(
            f"query.{place}",
            f"{name} has nothing that was {'measured' if kind == 'measured' else 'predicted'}",
            "choose another task, or another side of it",
        )
    return found


def _stated(file: PointFile, place: str, settings: Sequence[str]) -> PointFile:
    try:
        return stated(file, f"{place}_set", settings)
    except VerifyError as error:
        raise _refused(f"query.{place}_set", error.message, error.remedy) from None


def _refused(path: str, message: str, remedy: str) -> ProblemError:
    # What a file holds may be what no answer can.
    plain = message.encode("utf-8", "replace").decode()
    detail = f"{plain}; {remedy}" if remedy else plain
    return ProblemError(ProblemKind.UNPROCESSABLE, detail, errors=[Problem(path, plain)])
