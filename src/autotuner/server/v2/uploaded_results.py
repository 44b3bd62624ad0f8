"""`/verify/files`: results of other programs, uploaded or read from a folder of this machine."""

from __future__ import annotations

import itertools
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import File, Path, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field, TypeAdapter

from autotuner.errors import Problem, VerifyError
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.form_requests import FormBody, post_only
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    Text,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.verification_views import (
    ResultFileList,
    ResultFileView,
    ResultPointsView,
)
from autotuner.verify import FORMATS
from autotuner.verify.point_views import point_views
from autotuner.verify.result_files import ResultFiles
from autotuner.workers.violations import OutsideRootsError, confined

router = v2_router("/verify/files", "verify")
RESULT_ID = "[0-9a-f]{16}"
_MOST_POINTS = 5_000
_MOST_LISTED = 200
_LIST, _FILE = TypeAdapter(ResultFileList), TypeAdapter(ResultFileView)
_POINTS = TypeAdapter(ResultPointsView)

FileId = Annotated[str, Path(pattern=f"^{RESULT_ID}$", description="Id of results.")]
_NAMES = tuple(FORMATS)
_NO_FILE = problems(ProblemKind.NOT_FOUND)
_UNUSABLE = problems(ProblemKind.UNPROCESSABLE, ProblemKind.TASK_INVALID)


class PlacedResults(FormBody):
    """Results that lie on the service's machine."""

    path: Annotated[Text, Field(min_length=1, max_length=1_000)]
    """A file, or the folder of one run, in one of the folders of `roots`; a relative path starts
    from the home: `imports/run1`."""
    format: Literal[_NAMES] | None = None  # type: ignore[valid-type]  # the table's own names
    """The format, where it is not to be detected."""


@router.get("", response_model=ResultFileList)
def list_result_files(service: ServiceDep) -> Response:
    """Lists results of other programs that are kept, the newest first."""
    found = {
        "items": [vars(one) for one in result_files(service).all()],
        "formats": {name: format_.about for name, format_ in FORMATS.items()},
        "roots": list(map(str, service.policy.result_roots)),
    }
    return json_response(_LIST, found)


@router.post(
    "",
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
        Literal[_NAMES] | None,  # type: ignore[valid-type]  # the table's own names
        Query(description="The format, where it is not to be detected."),
    ] = None,
) -> Response:
    """Keeps uploaded results of another program, once it is known that they can be read."""
    files = [(one.filename or "results", one.file.read()) for one in file]
    try:
        found = result_files(service).keep(files, format)
    except VerifyError as error:
        raise refused("file", error.message, error.remedy) from None
    return json_response(_FILE, vars(found), status=201)


@router.post(
    "/placed",
    response_model=ResultFileView,
    status_code=201,
    responses=merged(WITH_BODY, problems(ProblemKind.UNPROCESSABLE)),
)
def add_placed_results(service: ServiceDep, body: PlacedResults) -> Response:
    """Keeps a copy of results that lie on the service's machine, in a folder that may be read."""
    try:
        path, root = _allowed(service, body.path)
        found = result_files(service).keep_placed(path, root, body.format)
    except OutsideRootsError as error:
        raise refused("path", f"{body.path!r} {error}", "") from None
    except VerifyError as error:
        raise refused("path", error.message, error.remedy) from None
    return json_response(_FILE, vars(found), status=201)


post_only(router, "/placed")


def _allowed(service: Service, written: str) -> tuple[FilePath, FilePath]:
    """The path that is meant, and the folder that allows it, both with every link followed.

    Raises:
        OutsideRootsError: no folder does.
    """
    roots = service.policy.result_roots
    path = confined(written, roots, setting="result_roots", base=service.base)
    return path, next(real for root in roots if path.is_relative_to(real := root.resolve()))


@router.get("/{file_id}", response_model=ResultPointsView, responses=_NO_FILE | _UNUSABLE)
def get_result_points(service: ServiceDep, file_id: FileId) -> Response:
    """Operating points of results that are kept, in the form of a task's points."""
    files = result_files(service)
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
    "/{file_id}",
    status_code=204,
    responses=merged(_NO_FILE, problems(ProblemKind.UNPROCESSABLE)),
)
def delete_result_file(service: ServiceDep, file_id: FileId) -> Response:
    """Deletes results that are kept; links to comparisons with them lead nowhere then."""
    result_files(service).remove(file_id)
    return Response(status_code=204)


def result_files(service: Service) -> ResultFiles:
    """Results that the service keeps in its home."""
    return ResultFiles(service.folder / "results", 4 * service.settings.max_upload_bytes)


def refused(path: str, message: str, remedy: str) -> ProblemError:
    """Problem of a field whose results cannot be used."""
    # What a file holds may be what no answer can.
    plain = message.encode("utf-8", "replace").decode()
    detail = f"{plain}; {remedy}" if remedy else plain
    return ProblemError(ProblemKind.UNPROCESSABLE, detail, errors=[Problem(path, plain)])
