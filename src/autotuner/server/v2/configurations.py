"""`/tasks/{task_id}/configuration`: every value of a stored task, and the layers that set it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi.responses import Response
from pydantic import JsonValue, TypeAdapter

from autotuner.catalog import resolve_model
from autotuner.config import parse_task
from autotuner.report.documents import config_document
from autotuner.server.problems import ProblemKind, refuse_violations
from autotuner.server.service import Service
from autotuner.server.v2.profile_views import FieldView, SkippedView
from autotuner.server.v2.routing import ServiceDep, TaskId, View, json_response, problems, v2_router
from autotuner.server.v2.tasks import require_task
from autotuner.store import TaskRecord
from autotuner.store.profiles import service_registry
from autotuner.tuning.prepare import prepare
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


CONFIGURATION: TypeAdapter[ConfigurationView] = TypeAdapter(ConfigurationView)


@router.get(
    "/configuration",
    response_model=ConfigurationView,
    responses=problems(ProblemKind.NOT_FOUND, ProblemKind.TASK_INVALID, ProblemKind.POLICY_REFUSED),
)
def get_configuration(service: ServiceDep, task_id: TaskId) -> Response:
    """Every value of a task with the layers that set it: engine, defaults, profiles, the task."""
    variants = _variants(service, require_task(service, task_id))
    document = {"variants": [_view(variant, variants) for variant in variants]}
    return json_response(CONFIGURATION, document)


def _variants(service: Service, record: TaskRecord) -> Sequence[Variant]:
    source = f"task {record.id}"
    task = with_gpus_of_home(parse_task(record.config, source=source), service.folder)
    refuse_violations(service.violations(task))
    base = Path(record.base) if record.base else service.base
    if task.replay is not None:
        return prepare(task, base=base, source=source).variants
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
