"""A task's results, or the engine of one of its points, as files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import TypeAdapter

from autotuner.config import LoadLevel
from autotuner.deploy import (
    FORMATS,
    MOST_REPLICAS,
    DeployedEngine,
    DeployFileText,
    ExportWishes,
    LaunchSource,
    deployed_engine,
    exportable_points,
    format_fits,
    format_named,
    is_predicted,
    point_name,
    predicted_sources,
)
from autotuner.landscapes import landscape_csv
from autotuner.report.exports import commands_shell, points_csv, task_yaml
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.task_forecasts import TaskForecast
from autotuner.server.v2.performance import resolved
from autotuner.server.v2.plans import planning_turn
from autotuner.server.v2.results import task_of
from autotuner.server.v2.routing import (
    ServiceDep,
    TaskId,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import document_of_task
from autotuner.store import TaskRecord
from autotuner.tuning.recording import landscape_of
from autotuner.tuning.stored_task import estimate_again
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import TaskSummary

router = v2_router("/tasks/{task_id}", "results")
_ERRORS = merged(
    problems(ProblemKind.NOT_FOUND),
    problems(ProblemKind.TASK_INVALID),
    problems(ProblemKind.UNPROCESSABLE),
    problems(ProblemKind.CONFLICT),
    problems(ProblemKind.POLICY_REFUSED),
)


class ExportFormat(StrEnum):
    """Formats in which a task can be exported."""

    JSON = "json"
    CSV = "csv"
    LANDSCAPE = "landscape"
    FRONTIER = "frontier"
    YAML = "yaml"
    SHELL = "shell"
    DOCKER = "docker"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    LLM_D = "llm-d"
    KSERVE = "kserve"
    DYNAMO = "dynamo"
    SKY = "sky"
    SYSTEMD = "systemd"
    LLAMA_SWAP = "llama-swap"
    CONFIG_FILE = "vllm-config"
    AICONFIGURATOR = "aiconfigurator"


class ExportPointView(View):
    """A point whose engine can be deployed."""

    point: str
    """As `point` takes it: `CANDIDATE@LOAD`."""
    label: str
    """The settings that tell its candidate from the others."""
    load: LoadLevel
    on_frontier: bool
    recommended: bool


class ExportFormatView(View):
    """A format to deploy with."""

    format: str
    title: str
    summary: str
    fits: bool
    why_not: str | None
    """Why it does not fit the engine of the point; null where it does."""
    needs_image: bool
    """Whether it runs a container."""
    one_replica: bool
    """Whether it is of one engine only."""
    versions: list[str]
    """Values that `target_version` takes, the newest first."""


class ExportsView(View):
    """Points of a task and formats for the engine of one of them."""

    point: str
    measured: bool
    """Whether the figures of the point are of launches; false where they are only predicted."""
    points: list[ExportPointView]
    image: str | None
    """The container image, with its tag; null where none is known."""
    takes_key: bool
    """Whether its requests can be made to carry a key."""
    formats: list[ExportFormatView]


class ExportFileView(View):
    """A file of an export."""

    name: str
    text: str


class ExportFilesView(View):
    """The files of an export, for a look before they are saved."""

    format: str
    point: str
    measured: bool
    """Whether the figures of the point are of launches; false where they are only predicted."""
    files: list[ExportFileView]


EXPORTS = TypeAdapter(ExportsView)
EXPORT_FILES = TypeAdapter(ExportFilesView)


class _Table(NamedTuple):
    media_type: str
    ending: str
    write: Callable[[Service, TaskRecord], str]


_TABLES: Mapping[ExportFormat, _Table] = {
    ExportFormat.JSON: _Table(
        "application/json",
        "json",
        lambda service, task: summarise(service.store, task).model_dump_json(indent=2) + "\n",
    ),
    ExportFormat.CSV: _Table(
        "text/csv", "csv", lambda service, task: points_csv(summarise(service.store, task))
    ),
    ExportFormat.LANDSCAPE: _Table(
        "text/csv",
        "landscape.csv",
        lambda service, task: landscape_csv(landscape_of(service.store, task)),
    ),
    ExportFormat.FRONTIER: _Table(
        "text/x-shellscript",
        "frontier.sh",
        lambda service, task: commands_shell(summarise(service.store, task)),
    ),
    ExportFormat.YAML: _Table(
        "application/yaml", "yaml", lambda service, task: task_yaml(document_of_task(task))
    ),
}
_ZIP = "application/zip"
_MEDIA_OF_ENDINGS = {
    "sh": "text/x-shellscript",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}
_PLAIN = "text/plain"
_MEDIA = (
    *(table.media_type for table in _TABLES.values()),
    *_MEDIA_OF_ENDINGS.values(),
    _PLAIN,
    _ZIP,
)


def _schema(media: str) -> dict[str, Any]:
    if media == _ZIP:
        return {"type": "string", "format": "binary"}
    return {"type": "object" if media.endswith(("json", "yaml")) else "string"}


_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A file to keep; a zip where a format has several.",
        "content": {media: {"schema": _schema(media)} for media in dict.fromkeys(_MEDIA)},
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
    }
}
Point = Annotated[
    str | None,
    Query(
        max_length=200,
        description="The point to deploy, `CANDIDATE` or `CANDIDATE@LOAD`; the recommended one "
        "where left out. `predicted`: the one to expect most of that was never measured, or "
        "`predicted:CANDIDATE[@LOAD]`; `disagg`: a draft of a prefill and a decode engine.",
    ),
]
Replicas = Annotated[
    int | None, Query(ge=1, le=MOST_REPLICAS, description="How many engines; 1 where left out.")
]
Image = Annotated[
    str | None,
    Query(
        max_length=400,
        description="Container image with its tag; the engine's of the measured version where "
        "left out.",
    ),
]
RequiresKey = Annotated[
    bool,
    Query(description="Whether requests must carry a key, which the files take from a secret."),
]
TargetVersion = Annotated[
    str | None,
    Query(
        max_length=60,
        description="Version of the target, or of the engine whose flags have other names; "
        "`exports` lists them.",
    ),
]


@router.get("/exports", response_model=ExportsView, responses=_ERRORS)
def list_exports(
    service: ServiceDep,
    task_id: TaskId,
    point: Point = None,
    replicas: Replicas = None,
    image: Image = None,
    requires_key: RequiresKey = False,
) -> Response:
    """Formats to deploy the engine of a point with: which fit, why not, and their versions."""
    task = task_of(service, task_id)
    summary = summarise(service.store, task)
    wishes = ExportWishes(point, replicas, image, api_key=requires_key)
    engine = _deployed(service, task, summary, wishes)
    document = {
        "point": engine.provenance.point,
        "measured": engine.provenance.measured,
        "points": [
            {
                "point": point_name(found),
                "label": found.label,
                "load": found.load,
                "on_frontier": found.on_frontier,
                "recommended": found.recommended,
            }
            for found in exportable_points(summary)
        ],
        "image": engine.image,
        "takes_key": bool(engine.deploy.api_key),
        "formats": [
            {
                **fit.document(),
                "needs_image": fit.form.needs_image,
                "one_replica": fit.form.one_replica,
            }
            for fit in format_fits(engine)
        ],
    }
    return json_response(EXPORTS, document)


@router.get("/exports/{form}", response_model=ExportFilesView, responses=_ERRORS)
def preview_export(
    service: ServiceDep,
    task_id: TaskId,
    form: Annotated[str, Path(max_length=40, description="A format that `exports` lists.")],
    point: Point = None,
    target_version: TargetVersion = None,
    replicas: Replicas = None,
    image: Image = None,
    requires_key: RequiresKey = False,
) -> Response:
    """The files that deploy the engine of a point, as text."""
    wishes = ExportWishes(point, replicas, image, api_key=requires_key)
    task = task_of(service, task_id)
    found = _deployed(service, task, summarise(service.store, task), wishes)
    files = format_named(form).files(found, target_version)
    shown = [{"name": file.name, "text": file.text} for file in files]
    made = found.provenance
    document = {"format": form, "point": made.point, "measured": made.measured, "files": shown}
    return json_response(EXPORT_FILES, document)


@router.get("/export/{form}", response_class=Response, responses=_ERRORS | _EXPORTED)
def export_task(
    service: ServiceDep,
    task_id: TaskId,
    form: Annotated[
        ExportFormat,
        Path(
            description="`json`: the summary; `csv`: every level that was measured; `landscape`: a "
            "table that a task can replay; `frontier`: a script with the commands of the frontier; "
            "`yaml`: the task itself. The others deploy the engine of a point. What there is not "
            "yet is refused (409)."
        ),
    ],
    point: Point = None,
    target_version: TargetVersion = None,
    replicas: Replicas = None,
    image: Image = None,
    requires_key: RequiresKey = False,
) -> Response:
    """A task's results, the task itself, or the engine of one of its points, as a file."""
    task, table = task_of(service, task_id), _TABLES.get(form)
    if table is not None:
        return _attachment(
            table.write(service, task), table.media_type, f"task-{task_id}.{table.ending}"
        )
    wishes = ExportWishes(point, replicas, image, api_key=requires_key)
    engine = _deployed(service, task, summarise(service.store, task), wishes)
    files = FORMATS[form].files(engine, target_version)
    if len(files) > 1:
        return _attachment(_zip(files), _ZIP, f"task-{task_id}-{form}.zip")
    [file] = files
    ending = file.name.rpartition(".")[2]
    return _attachment(file.text, _MEDIA_OF_ENDINGS.get(ending, _PLAIN), file.name)


def _deployed(
    service: Service, task: TaskRecord, summary: TaskSummary, wishes: ExportWishes
) -> DeployedEngine:
    sources: tuple[LaunchSource, ...] = ()
    if wishes.point is not None and is_predicted(wishes.point):
        forecast = service.forecasts.read(service.store, task.id, lambda: _forecast(service, task))
        sources = predicted_sources(summary, forecast.prepared, forecast.estimate, wishes.point)
    return deployed_engine(summary, wishes, v1_task_id=task.v1_task_id, predicted=sources)


def _forecast(service: Service, task: TaskRecord) -> TaskForecast:
    with planning_turn():
        prepared = resolved(service, task)
        return TaskForecast(prepared, estimate_again(prepared, service.folder, service.store))


def _attachment(content: str | bytes, media_type: str, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=disposition)


def _zip(files: tuple[DeployFileText, ...]) -> bytes:
    """The files as an archive that is the same each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name), file.text)
    return packed.getvalue()
