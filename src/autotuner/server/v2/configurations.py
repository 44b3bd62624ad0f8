"""`/tasks/{task_id}/configuration`: every value of a stored task, and the layers that set it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response
from pydantic import JsonValue, TypeAdapter

from autotuner.catalog import resolve_model
from autotuner.config import GROUP_NAMES, parse_stored_task
from autotuner.errors import AutotunerError, StoreError
from autotuner.report.documents import config_document
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.profile_views import FieldView, SkippedView
from autotuner.server.v2.routing import ServiceDep, TaskId, View, json_response, problems, v2_router
from autotuner.server.v2.stored_tasks import base_of, require_allowed_again
from autotuner.server.v2.tasks import require_task
from autotuner.store import TaskRecord
from autotuner.store.experiment_listing import launched_settings
from autotuner.store.profiles import service_registry
from autotuner.tuning.checks import problems_from
from autotuner.tuning.prepare import prepare
from autotuner.tuning.replay import as_asked
from autotuner.tuning.resolve import Variant, resolve, workload_of
from autotuner.tuning.resources import with_gpus_of_home

router = v2_router("/tasks/{task_id}", "tasks")


class VariantView(View):
    """Configuration of a task on one engine, with one of its combinations."""

    engine: str
    engine_version: str
    combination: dict[str, JsonValue]
    """`group.field` -> value, of the fields by which the task's variants differ."""
    fields: dict[str, FieldView]
    """By `group.field`; a list is searched."""
    skipped: list[SkippedView]
    warnings: list[str]
    """Settings of profiles that the engine cannot express."""


class ConfigurationView(View):
    """Values of a task, as its profiles, engines and machine complete them now."""

    variants: list[VariantView]
    unresolved: str | None
    """Reason why the layers are unknown: the values are those that the task's document and its
    launches have. Null where they are known."""


CONFIGURATION: TypeAdapter[ConfigurationView] = TypeAdapter(ConfigurationView)


@router.get(
    "/configuration",
    response_model=ConfigurationView,
    responses=problems(ProblemKind.NOT_FOUND),
)
def get_configuration(service: ServiceDep, task_id: TaskId) -> Response:
    """Every value of a task with the layers that set it: engine, defaults, profiles, the task."""
    record = require_task(service, task_id)
    try:
        variants = _variants(service, record)
    except StoreError:
        raise
    except AutotunerError as error:
        why = "; ".join(map(str, problems_from(error)))
        return json_response(
            CONFIGURATION, {"variants": [_as_stored(service, record)], "unresolved": why}
        )
    views = [_view(variant, variants) for variant in variants]
    return json_response(CONFIGURATION, {"variants": views, "unresolved": None})


def _variants(service: Service, record: TaskRecord) -> Sequence[Variant]:
    """Configurations that the task is completed to.

    Raises:
        AutotunerError: a file of it lies where nothing may be read, or something of it is gone.
    """
    source = f"task {record.id}"
    task = with_gpus_of_home(parse_stored_task(record.config, source=source), service.folder)
    require_allowed_again(service, record, task)
    base = base_of(service, record)
    if task.replay is not None:
        return prepare(as_asked(task), base=base, source=source).variants
    model = resolve_model(task.model, base=base)
    registry = service_registry(service.store, service.folder)
    return resolve(task, model, workload_of(task, source), registry, source=source)


def _view(variant: Variant, among: Sequence[Variant]) -> dict[str, Any]:
    settings = variant.config.settings
    differing = [
        path
        for path, value in settings.items()
        if any(other.config.settings.get(path) != value for other in among)
    ]
    return {
        "engine": variant.engine.name,
        "engine_version": variant.installation.version,
        "combination": {path: settings[path] for path in differing},
        **config_document(variant.config, variant.engine, variant.installation.version),
    }


def _as_stored(service: Service, record: TaskRecord) -> dict[str, Any]:
    """Values of the task's document, and those that its launches had beside them."""
    tried: dict[str, list[Any]] = {}
    for settings in launched_settings(service.store.sessions, record.id):
        for path, value in settings.items():
            values = tried.setdefault(path, [])
            if value not in values:
                values.append(value)
    fields = {
        path: _alone("its launches", "launch", values[0] if len(values) == 1 else values)
        for path, values in tried.items()
    }
    fields |= {path: _alone("task", "user", value) for path, value in _written(record.config)}
    return {
        "engine": record.engine,
        "engine_version": record.engine_version,
        "combination": {},
        "fields": fields,
        "skipped": [],
        "warnings": [],
    }


def _written(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """`group.field` -> value, of the groups that a stored document has."""
    groups = ((name, document.get(name)) for name in GROUP_NAMES)
    return [
        (f"{name}.{field}", value)
        for name, fields in groups
        if isinstance(fields, Mapping)
        for field, value in fields.items()
    ]


def _alone(layer: str, origin: str, value: Any) -> dict[str, Any]:
    """A field that one layer sets."""
    word = {"layer": layer, "origin": origin, "value": value, "status": "set"}
    return {"value": value, "layers": [{**word, "why": "", "source": ""}], "unset": None}
