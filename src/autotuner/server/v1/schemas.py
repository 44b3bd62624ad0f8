"""Bodies that v1's clients send, and the answers that they get: v1's rows, with its keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autotuner.server.v1.runtimes import runtimes
from autotuner.server.v2.routing import is_storable
from autotuner.store.v1 import EXTRAS, OWN, V1ExperimentRecord, V1PresetRecord, V1TaskRecord

Document = dict[str, Any]
EXTRA_KEYS = (
    *("storage", "system_config", "quantization_config", "memory_config"),
    *("scheduling_config", "advanced_tuning_config", "slo_config"),
)
"""Keys of a task that v1's table has no column for; they stand in its `metadata`."""
_COLUMNS = {
    "model": "model_config",
    "optimization": "optimization_config",
    "benchmark": "benchmark_config",
    "slo": "slo_config",
}
"""Key of the body -> column, where the two differ."""
_COUNTS = ("total_experiments", "successful_experiments")


class TaskBody(BaseModel):
    """Body of a task, as in v1's files; unknown keys are ignored, as v1 did.

    v2's optional columns are among its keys.
    """

    model_config = ConfigDict(protected_namespaces=())

    task_name: str
    description: str | None = None
    deployment_mode: str = "docker"
    model: Document
    storage: Document | None = None
    base_runtime: str
    runtime_image_tag: str | None = None
    parameters: Document
    optimization: Document
    benchmark: Document
    slo: Document | None = None
    quant_config: Document | None = None
    parallel_config: Document | None = None
    clusterbasemodel_config: Document | None = None
    clusterservingruntime_config: Document | None = None
    system_config: Document | None = None
    quantization_config: Document | None = None
    memory_config: Document | None = None
    scheduling_config: Document | None = None
    advanced_tuning_config: Document | None = None
    slo_config: Document | None = None
    metadata: Document | None = None

    @model_validator(mode="after")
    def _leaves_room(self) -> TaskBody:
        if any(key.startswith(OWN) for key in self.metadata or {}):
            raise ValueError(f"keys of metadata that begin with {OWN!r} are the service's own")
        return self

    def columns(self) -> dict[str, Any]:
        """Columns of the row for this task."""
        columns = self.model_dump()
        extras = {key: columns.pop(key) for key in EXTRA_KEYS}
        given = {key: value for key, value in extras.items() if value is not None}
        if given:
            columns["metadata"] = {**(columns["metadata"] or {}), EXTRAS: given}
        return {_COLUMNS.get(key, key): value for key, value in columns.items()}


class V1Status(StrEnum):
    """Status of a task."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskChange(BaseModel):
    """Changes to a task that are possible at any time; what is null stays."""

    description: str | None = None
    status: V1Status | None = None


if TYPE_CHECKING:
    Runtime = str
else:
    Runtime = Literal[tuple(runtimes())]


class PresetBody(BaseModel):
    """A preset of parameters: name -> values to try."""

    name: str = Field(min_length=1, max_length=255)
    description: str | None = None
    category: str | None = Field(default=None, max_length=100)
    runtime: Runtime | None = None
    parameters: Document
    metadata: Document | None = None


class PresetChange(BaseModel):
    """Changes to a preset; what is null stays."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = None
    category: str | None = Field(default=None, max_length=100)
    runtime: Runtime | None = None
    parameters: Document | None = None
    metadata: Document | None = None


class MergeBody(BaseModel):
    """Presets to merge, and the strategy."""

    preset_ids: list[int] = Field(min_length=1)
    merge_strategy: str = Field(default="union", pattern="^(union|intersection|last_wins)$")


class ParameterName(BaseModel):
    """A runtime's parameter, to be looked up."""

    runtime: str
    parameter: str


def is_name(text: str) -> bool:
    """Whether a database can store a text from a URL."""
    return is_storable(text)


def task_document(record: V1TaskRecord) -> dict[str, Any]:
    """A task as a whole."""
    extras = {key: record.extras.get(key) for key in EXTRA_KEYS if key != "storage"}
    added = {**extras, "metadata": record.own_metadata}
    return {
        "id": record.id,
        "task_name": record.task_name,
        "description": record.description,
        "status": record.status.lower(),
        "model": record.model_config,
        "base_runtime": record.base_runtime,
        "runtime_image_tag": record.runtime_image_tag,
        "parameters": record.parameters,
        "optimization": record.optimization_config,
        "benchmark": record.benchmark_config,
        "slo": record.slo_config,
        "quant_config": record.quant_config,
        "parallel_config": record.parallel_config,
        "clusterbasemodel_config": record.clusterbasemodel_config,
        "clusterservingruntime_config": record.clusterservingruntime_config,
        "created_clusterbasemodel": record.created_clusterbasemodel,
        "created_clusterservingruntime": record.created_clusterservingruntime,
        "deployment_mode": record.deployment_mode,
        **{name: getattr(record, name) or 0 for name in _COUNTS},
        "best_experiment_id": record.best_experiment_id,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "completed_at": record.completed_at,
        "elapsed_time": record.elapsed_time,
        **{key: value for key, value in added.items() if value is not None},
    }


def task_row(record: V1TaskRecord) -> dict[str, Any]:
    """A task in a list."""
    return {
        "id": record.id,
        "task_name": record.task_name,
        "description": record.description,
        "status": record.status.lower(),
        "base_runtime": record.base_runtime,
        **{name: getattr(record, name) or 0 for name in _COUNTS},
        "best_experiment_id": record.best_experiment_id,
        "created_at": record.created_at,
        "elapsed_time": record.elapsed_time,
        "slo": record.slo_config,
    }


def experiment_document(record: V1ExperimentRecord) -> dict[str, Any]:
    """An experiment."""
    return {**vars(record), "status": record.status.lower()}


def preset_document(record: V1PresetRecord) -> dict[str, Any]:
    """A preset. Its times have no zone, as v1's."""
    keys = ("name", "description", "category", "runtime", "parameters", "metadata")
    return {
        **{key: getattr(record, key) for key in (*keys, "id", "is_system")},
        "created_at": _without_zone(record.created_at),
        "updated_at": _without_zone(record.updated_at),
    }


def _without_zone(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def preset_file(record: V1PresetRecord) -> dict[str, Any]:
    """A preset as it is exported."""
    keys = ("name", "description", "category", "parameters", "metadata")
    return {"version": "1.0", "preset": {key: getattr(record, key) for key in keys}}
