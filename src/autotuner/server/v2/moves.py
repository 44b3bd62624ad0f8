"""`/migrations`: databases of version 1 that were moved here, compared and taken back, and tasks of
version 1 that wait for a task of version 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import PurePath
from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi import Path as PathParameter
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.errors import NotFoundError
from autotuner.migrate.database import UnitChoice, V1Source, opened
from autotuner.migrate.database.verify import verify
from autotuner.migrate.runtimes import named_by
from autotuner.scratch_folder import ScratchFolder
from autotuner.server.problems import ProblemKind
from autotuner.server.v2.routing import (
    MOST_ID,
    WITH_BODY,
    ServiceDep,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.store.v1.translating import waiting_tasks

router = v2_router("/migrations", "migrations")
_LONGEST_NAME = 200


class MigrationView(View):
    """A database of version 1 that was moved here."""

    id: int
    source: str
    """The file: its path, or of an upload its name."""
    started_at: datetime
    ended_at: datetime | None
    """Null where it was interrupted: moving the same file again goes on with it."""
    units: int
    """Tasks, presets and other rows that are here of it."""


class MigrationList(View):
    """Migrations of which anything is here, the newest first."""

    items: list[MigrationView]


class UndoneMigration(View):
    """Outcome of taking a migration back, or of a preview of that."""

    removed: int
    """Tasks, presets and other rows."""
    left: list[int]
    """Numbers of v1 tasks that were worked on here since, and stay."""
    counts: dict[str, int]
    """Rows that go: `v1_tasks`, `presets`, `other_rows` of version 1, and `tasks`, `experiments`,
    `measurements`, `observations`, `profiles` of version 2; no key of which none goes."""
    running: list[int]
    """Numbers of tasks that run, in a preview: they have to be cancelled first."""


class MovedComparisonView(View):
    """Comparison of a database of version 1 with what is here."""

    units: int
    """Tasks, presets and other rows that were compared."""
    worked_on: int
    """Tasks that were worked on here since, and are not compared."""
    leaves: dict[str, int]
    """How many values are here, `carried`, `verbatim`, `converted`, `translated` or `observed`."""
    differing: int
    differences: list[str]
    """The first of them, each with its place."""


class WaitingTask(View):
    """A task of version 1 that may become one of version 2."""

    v1_task_id: int
    name: str
    status: str
    """In version 1's words: `PENDING`, `RUNNING`, `COMPLETED`, `FAILED`, `CANCELLED`."""
    base_runtime: str
    engine: str | None
    """Engine that `base_runtime` names; null where it names none: one may be asked for then."""
    experiments: int
    created_at: datetime | None


class WaitingTasks(View):
    """Tasks of version 1 that wait, by number."""

    items: list[WaitingTask]
    total: int
    """How many wait, on all pages."""


_LIST, _UNDONE = TypeAdapter(MigrationList), TypeAdapter(UndoneMigration)
_COMPARED, _WAITING = TypeAdapter(MovedComparisonView), TypeAdapter(WaitingTasks)


@router.get("/", response_model=MigrationList)
def list_migrations(service: ServiceDep) -> Response:
    """Lists migrations of which anything is here, the newest first."""
    items = [vars(one) for one in service.store.migrations.all()]
    return json_response(_LIST, {"items": items})


@router.get("/waiting", response_model=WaitingTasks)
def list_waiting(
    service: ServiceDep,
    after: Annotated[int, Query(ge=0, le=MOST_ID, description="The last number read.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Lists tasks of version 1 that have no task of version 2, a page at a time."""
    total, rows = waiting_tasks(service.store.sessions, after=after, limit=limit)
    items = [{**row, "engine": named_by(row["base_runtime"])} for row in rows]
    return json_response(_WAITING, {"items": items, "total": total})


@router.post(
    "/verify",
    response_model=MovedComparisonView,
    responses=merged(WITH_BODY, problems(ProblemKind.UNPROCESSABLE)),
)
def verify_upload(service: ServiceDep, file: Annotated[UploadFile, File()]) -> Response:
    """Compares every value of a database of version 1 with what was moved here; nothing changes."""
    with uploaded_database(file.file.read(), name_of(file)) as source:
        found = verify(source, service.store, UnitChoice())
    return json_response(_COMPARED, found.to_json())


@router.post(
    "/{migration_id}/undo",
    response_model=UndoneMigration,
    responses=merged(problems(ProblemKind.NOT_FOUND, ProblemKind.WRONG_TRANSITION)),
)
def undo_migration(
    service: ServiceDep,
    migration_id: Annotated[int, PathParameter(ge=1, le=MOST_ID, description="Its number.")],
    force: Annotated[
        bool, Query(description="Removes also tasks that were worked on here since.")
    ] = False,
    preview: Annotated[
        bool, Query(description="Only says what would go; nothing is removed.")
    ] = False,
) -> Response:
    """Removes what a migration moved here; all else stays as it is.

    409 while one of its tasks runs.
    """
    migrations = service.store.migrations
    if migration_id not in {one.id for one in migrations.all()}:
        raise NotFoundError(f"nothing from migration {migration_id} is left here")
    foreseen = migrations.undo_preview(migration_id, force=force)
    found = {**vars(foreseen), "counts": dict(foreseen.counts)}
    if not preview:
        steps = list(migrations.undo(migration_id, force=force))
        found["removed"] = sum(step.removed for step in steps)
        found["left"] = [number for step in steps for number in step.left]
    return json_response(_UNDONE, found)


def name_of(file: UploadFile) -> str:
    """The name of an uploaded file, as its sender calls it."""
    name = PurePath((file.filename or "").replace("\\", "/")).name
    return name[:_LONGEST_NAME] or "uploaded.db"


@contextmanager
def uploaded_database(raw: bytes, name: str) -> Iterator[V1Source]:
    """A database of version 1 that came as bytes.

    Raises:
        MigrationError: it is no database of version 1, or damaged.
    """
    with ScratchFolder("upload") as folder:
        path = folder.path / "uploaded.db"
        path.write_bytes(raw)
        with opened(path, name) as source:
            yield source
