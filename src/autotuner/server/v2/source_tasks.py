"""`/tasks/migrate/upload/tasks`: the tasks of an uploaded database of version 1, listed, and each
beside the task of version 2 that it would become. Nothing is written or kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, Query, UploadFile
from fastapi import Path as PathParameter
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.migrate.database.carried import carried
from autotuner.migrate.database.here import preview_task
from autotuner.migrate.database.source import SourceRow
from autotuner.migrate.runtimes import named_by
from autotuner.server.problems import ProblemKind
from autotuner.server.v2.form_requests import post_only
from autotuner.server.v2.migrations import Engine, MigratedTask, beside, known_engine, observer_of
from autotuner.server.v2.moves import WaitingTask, name_of, uploaded_database
from autotuner.server.v2.routing import (
    WITH_BODY,
    ServiceDep,
    Text,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)

router = v2_router("/tasks/migrate/upload/tasks", "tasks")
_MOST_ROWID = 2**63 - 1
"""The largest number of a row in SQLite; the smallest is as far below zero."""


class SourceTasks(View):
    """A page of the tasks of a database of version 1, by number."""

    items: list[WaitingTask]
    total: int
    """How many there are, on all pages."""


_PAGE, _TASK = TypeAdapter(SourceTasks), TypeAdapter(MigratedTask)


@router.post(
    "",
    response_model=SourceTasks,
    responses=merged(WITH_BODY, problems(ProblemKind.UNPROCESSABLE)),
)
def list_source_tasks(
    file: Annotated[UploadFile, File()],
    search: Annotated[Text, Query(description="Part of a name, or a number.", max_length=200)] = "",
    offset: Annotated[
        int, Query(ge=0, le=_MOST_ROWID, description="How many are left out before.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> Response:
    """Lists the tasks of a database of version 1, a page at a time; nothing is written."""
    with uploaded_database(file.file.read(), name_of(file)) as source:
        found = source.listed_tasks(search, offset=offset, limit=limit)
    items = [_listed(row, experiments) for row, experiments in found.rows]
    return json_response(_PAGE, {"items": items, "total": found.total})


@router.post(
    "/{source_task_id}",
    response_model=MigratedTask,
    responses=merged(
        WITH_BODY,
        problems(ProblemKind.NOT_FOUND, ProblemKind.UNPROCESSABLE, ProblemKind.TASK_INVALID),
    ),
)
def preview_source_task(
    service: ServiceDep,
    file: Annotated[UploadFile, File()],
    source_task_id: Annotated[
        int,
        PathParameter(ge=-_MOST_ROWID, le=_MOST_ROWID, description="Its number in the file."),
    ],
    engine: Engine = None,
) -> Response:
    """Shows a task of a database of version 1 beside what it would become; nothing is written."""
    asked = known_engine(engine)
    with uploaded_database(file.file.read(), name_of(file)) as source:
        found = preview_task(source, source_task_id, observer_of(service), engine=asked)
    return json_response(_TASK, {**beside(found), "v1_task_id": None})


post_only(router, "")


def _listed(row: SourceRow, experiments: int) -> dict[str, Any]:
    found = carried(row).parsed
    runtime = found["base_runtime"] or ""
    return {
        "v1_task_id": row.id,
        "name": found["task_name"],
        "status": found["status"] or "PENDING",
        "base_runtime": runtime,
        "engine": named_by(runtime),
        "experiments": experiments,
        "created_at": found["created_at"],
    }
