"""`/tasks/migrate`: tasks of version 1 as tasks of version 2, from this service or from a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from fastapi import File, Query, UploadFile
from fastapi.responses import Response
from pydantic import Field, TypeAdapter, ValidationError

from autotuner.config import DocumentError, parse_document, problems_of
from autotuner.errors import ConfigError, NotFoundError
from autotuner.migrate import Note, v1_document
from autotuner.migrate.convert import OF_V1
from autotuner.migrate.database import Observer, UnitChoice, engine_named, move, preview
from autotuner.migrate.database.here import TranslatedHere, translate_here
from autotuner.migrate.database.tasks import task_translations
from autotuner.migrate.runtimes import asked_for
from autotuner.server.problems import ProblemError, ProblemKind
from autotuner.server.service import Service
from autotuner.server.v1.schemas import TaskBody
from autotuner.server.v2.conversions import MOST_CHARACTERS
from autotuner.server.v2.form_requests import FormBody, post_only
from autotuner.server.v2.moves import name_of, uploaded_database
from autotuner.server.v2.routing import (
    MOST_ID,
    WITH_BODY,
    ServiceDep,
    TaskId,
    View,
    document_of,
    json_response,
    merged,
    problems,
    require_storable,
    v2_router,
)
from autotuner.store.v1 import V1TaskRecord, V1Tasks
from autotuner.tuning.forecast import PREDICTION_CACHE

router = v2_router("/tasks/migrate", "tasks")
_MOST_AT_ONCE = 100
_NO_ENGINE = problems(ProblemKind.UNPROCESSABLE, ProblemKind.TASK_INVALID)
_SQLITE = b"SQLite format 3\0"
Preview = Annotated[bool, Query(description="Only says what would be made; nothing is written.")]
Engine = Annotated[
    str | None,
    Query(description="Engine of tasks whose `base_runtime` names none.", max_length=200),
]


class MigrationNote(View):
    """Outcome of one key of a task of version 1."""

    path: str
    """Dotted: `parameters.tp-size`."""
    outcome: Literal[
        "translated", "changed", "extra_args", "empty", "overruled", "kept", "lost", "open"
    ]
    text: str


class FurtherTask(View):
    """A task of version 2 that measures a further traffic scenario of a task of version 1."""

    task_id: int | None
    """Its number; null where it is not made."""
    document: dict[str, Any]


class MigratedTask(View):
    """A task of version 1 beside its task of version 2."""

    v1_task_id: int | None
    """Its number in `/api/tasks/`; null of a file's task that is only previewed."""
    task_id: int | None
    """The number of its task of version 2; null where none is made."""
    created: bool
    """Whether that was made by this request."""
    v1_document: dict[str, Any]
    """The task of version 1, as its API says it."""
    document: dict[str, Any] | None
    """The task of version 2; null where it becomes none, and a note says why."""
    further: list[FurtherTask]
    """Tasks of its further traffic scenarios, since a task of version 2 measures one."""
    notes: list[MigrationNote]


class MigrationFault(View):
    """A task that could not be migrated."""

    v1_task_id: int
    detail: str


class MigratedTasks(View):
    """The tasks that were asked for, each in one of the two lists."""

    items: list[MigratedTask]
    faults: list[MigrationFault]


class MigratedFile(View):
    """An uploaded file of version 1."""

    kind: Literal["task", "database"]
    task: MigratedTask | None
    """Of a task file."""
    report: dict[str, Any] | None
    """Of a database: counts, notes by outcome, what is kept verbatim; see `docs/migration.md`."""


class MigrateRequest(FormBody):
    """Tasks of version 1 to be migrated."""

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=MOST_ID)]],
        Field(min_length=1, max_length=_MOST_AT_ONCE),
    ]
    """Their numbers in `/api/tasks/`."""


_TASK, _TASKS = TypeAdapter(MigratedTask), TypeAdapter(MigratedTasks)
_FILE = TypeAdapter(MigratedFile)


@router.post(
    "",
    response_model=MigratedTasks,
    responses=merged(WITH_BODY, _NO_ENGINE),
)
def migrate_tasks(
    service: ServiceDep, body: MigrateRequest, preview: Preview = False, engine: Engine = None
) -> Response:
    """Migrates tasks of version 1; each stays, and a second request finds what the first made."""
    items, faults = [], []
    for number in dict.fromkeys(body.ids):
        try:
            items.append(_translated_here(service, number, engine, only_look=preview))
        except NotFoundError as error:
            faults.append({"v1_task_id": number, "detail": error.message})
    return json_response(_TASKS, {"items": items, "faults": faults})


@router.post(
    "/upload",
    response_model=MigratedFile,
    responses=merged(
        WITH_BODY,
        problems(ProblemKind.UNPROCESSABLE, ProblemKind.TASK_INVALID, ProblemKind.DUPLICATE_NAME),
    ),
)
def migrate_upload(
    service: ServiceDep,
    file: Annotated[UploadFile, File()],
    preview: Preview = False,
    engine: Engine = None,
) -> Response:
    """Migrates a file of version 1: a task in JSON or YAML, or a whole database."""
    raw = file.file.read()
    found: dict[str, Any] = {"kind": "task", "task": None, "report": None}
    if raw.startswith(_SQLITE):
        found |= {
            "kind": "database",
            "report": _database(service, raw, name_of(file), engine, only_look=preview),
        }
    else:
        found["task"] = _task_file(service, _v1_task_of(raw), engine, only_look=preview)
    return json_response(_FILE, found)


@router.post(
    "/{task_id}",
    response_model=MigratedTask,
    responses=merged(problems(ProblemKind.NOT_FOUND), _NO_ENGINE),
)
def migrate_task(
    service: ServiceDep, task_id: TaskId, preview: Preview = False, engine: Engine = None
) -> Response:
    """Migrates a task of version 1 with its results; it stays, and the new task names it."""
    return json_response(_TASK, _translated_here(service, task_id, engine, only_look=preview))


for _path in ("", "/upload"):
    post_only(router, _path)


def _translated_here(
    service: Service, number: int, engine: str | None, *, only_look: bool
) -> dict[str, Any]:
    found = translate_here(
        service.store, number, observer_of(service), preview=only_look, engine=known_engine(engine)
    )
    return beside(found)


def beside(found: TranslatedHere) -> dict[str, Any]:
    """A task of both versions, as `MigratedTask` has it."""
    return {
        **vars(found),
        "further": [vars(one) for one in found.further],
        "notes": _notes(found.notes),
    }


def known_engine(engine: str | None) -> str | None:
    """The engine that is asked for.

    Raises:
        ConfigError: there is none of that name.
    """
    return None if engine is None else engine_named(engine)


def _v1_task_of(raw: bytes) -> dict[str, Any]:
    """The task that a file of version 1 holds: JSON where it begins with a brace, else YAML.

    Raises:
        ProblemError: it is broken JSON, too long, a task of version 2, or no file of version 1.
    """
    try:
        text = raw.decode("utf-8")
        if len(text) > MOST_CHARACTERS:
            raise ProblemError(
                ProblemKind.UNPROCESSABLE,
                f"this is no version 1 database, and longer than a task file may be: {len(text):,} "
                f"characters, at most {MOST_CHARACTERS:,}",
            )
        is_json = text.lstrip().startswith("{")
        document = document_of(raw) if is_json else parse_document(text)
    except (UnicodeDecodeError, DocumentError):
        document = None
    if isinstance(document, dict) and not set(document) & set(OF_V1):
        if "version" in document:
            raise ProblemError(
                ProblemKind.UNPROCESSABLE,
                "this is a task file of version 2: open it under New task → Import",
            )
        document = None
    if not isinstance(document, dict):
        raise ProblemError(
            ProblemKind.UNPROCESSABLE,
            "this is neither a version 1 database nor a version 1 task file",
        )
    require_storable(document)
    return document


def _task_file(
    service: Service, document: dict[str, Any], engine: str | None, *, only_look: bool
) -> dict[str, Any]:
    """A task file of version 1; where it is applied, it becomes a task of both versions.

    Raises:
        ConfigError: it is no task of version 1.
        ProblemError: there is a task of its name.
    """
    asked = asked_for(known_engine(engine), document.get("base_runtime"))
    translation, *further = task_translations(document, asked)
    if only_look:
        return {
            "v1_task_id": None,
            "task_id": None,
            "created": False,
            "v1_document": document,
            "document": translation.task,
            "further": [{"task_id": None, "document": one.task} for one in further],
            "notes": _notes(translation.notes),
        }
    number = _kept(service, document, translation.task, asked)
    return _translated_here(service, number, asked, only_look=False)


def _kept(
    service: Service, document: dict[str, Any], translated: Mapping[str, Any], asked: str | None
) -> int:
    """The number of the v1 task that a file says: the one that is here, or a new one.

    Raises:
        ConfigError: version 1's API would not take it.
        ProblemError: there is another task of its name.
    """
    tasks = V1Tasks(service.store.sessions)
    try:
        columns = TaskBody.model_validate(document).columns()
    except ValidationError as error:
        raise ConfigError("file", problems_of(error)) from None
    made = tasks.create(columns)
    if made is not None:
        return made.id
    name = str(document["task_name"])
    there = tasks.named(name)
    if there is None or _translated(there, asked) != translated:
        raise ProblemError(
            ProblemKind.DUPLICATE_NAME, f"there is already a different v1 task named {name!r}"
        )
    return there.id


def _translated(record: V1TaskRecord, asked: str | None) -> Mapping[str, Any] | None:
    try:
        return task_translations(v1_document(record), asked)[0].task
    except ConfigError:
        return None


def _database(
    service: Service, raw: bytes, name: str, engine: str | None, *, only_look: bool
) -> dict[str, Any]:
    """Report of an uploaded database.

    Raises:
        ConfigError: there is no such engine.
        MigrationError: it is no database of version 1, or damaged.
    """
    with uploaded_database(raw, name) as source:
        observer, choice, asked = observer_of(service), UnitChoice(), known_engine(engine)
        if only_look:
            return preview(source, choice, observer, engine=asked).to_json()
        number, report = move(source, service.store, choice, observer, engine=asked)
        return {"migration": number, **report.to_json()}


def observer_of(service: Service) -> Observer:
    """The service's own observer of migrated measurements."""
    return Observer(service.folder / PREDICTION_CACHE)


def _notes(notes: Iterable[Note]) -> list[Mapping[str, str]]:
    return [{"path": n.path, "outcome": n.done.value, "text": n.text} for n in notes]
