"""A task's results, or the engine of one of its points, as files."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import Path, Query
from fastapi.responses import Response

from autotuner.deploy import (
    FORMATS,
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
    sized_wishes,
)
from autotuner.errors import ExportError, Problem
from autotuner.landscapes import landscape_csv
from autotuner.report.exports import commands_shell, points_csv, task_yaml
from autotuner.server.problems import ProblemKind, problem_of
from autotuner.server.service import Service
from autotuner.server.task_forecasts import TaskForecast
from autotuner.server.v2.export_views import (
    EXPORT_FILES,
    EXPORTS,
    PARAMETER_OF_WISH,
    ExportFilesView,
    ExportFormat,
    ExportQuery,
    ExportsView,
)
from autotuner.server.v2.performance import resolved
from autotuner.server.v2.plans import planning_turn
from autotuner.server.v2.results import task_of
from autotuner.server.v2.routing import (
    ServiceDep,
    TaskId,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import document_of_task
from autotuner.store import TaskRecord
from autotuner.tuning.recording import landscape_of
from autotuner.tuning.replicas import replicas_within_slo
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


@router.get("/exports", response_model=ExportsView, responses=_ERRORS)
def list_exports(
    service: ServiceDep, task_id: TaskId, asked: Annotated[ExportQuery, Query()]
) -> Response:
    """Formats to deploy the engine of a point with: which fit, why not, and their versions."""
    task = task_of(service, task_id)
    summary = summarise(service.store, task)
    with _refused_at_parameters():
        engine = _deployed(service, task, summary, asked.wishes())
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
        "replicas": engine.replicas,
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
    asked: Annotated[ExportQuery, Query()],
) -> Response:
    """The files that deploy the engine of a point, as text."""
    task = task_of(service, task_id)
    with _refused_at_parameters():
        found = _deployed(service, task, summarise(service.store, task), asked.wishes())
        files = format_named(form).files(found, asked.target_version)
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
    asked: Annotated[ExportQuery, Query()],
) -> Response:
    """A task's results, the task itself, or the engine of one of its points, as a file."""
    task, table = task_of(service, task_id), _TABLES.get(form)
    if table is not None:
        return _attachment(
            table.write(service, task), table.media_type, f"task-{task_id}.{table.ending}"
        )
    with _refused_at_parameters():
        engine = _deployed(service, task, summarise(service.store, task), asked.wishes())
        files = FORMATS[form].files(engine, asked.target_version)
    if len(files) > 1:
        return _attachment(_zip(files), _ZIP, f"task-{task_id}-{form}.zip")
    [file] = files
    ending = file.name.rpartition(".")[2]
    return _attachment(file.text, _MEDIA_OF_ENDINGS.get(ending, _PLAIN), file.name)


@contextlib.contextmanager
def _refused_at_parameters() -> Iterator[None]:
    """Names the parameter of a wish that cannot be met, as a form shows it beside its field."""
    try:
        yield
    except ExportError as error:
        problem = problem_of(error)
        wish, _, why = problem.detail.partition(": ")
        if wish in PARAMETER_OF_WISH:
            problem.errors = (Problem(f"query.{PARAMETER_OF_WISH[wish]}", why),)
        raise problem from None


def _deployed(
    service: Service, task: TaskRecord, summary: TaskSummary, wishes: ExportWishes
) -> DeployedEngine:
    wishes = sized_wishes(wishes, summary, lambda: replicas_within_slo(service.store, task))
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
