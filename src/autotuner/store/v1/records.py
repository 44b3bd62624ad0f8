"""Rows of v1's tables as immutable records; the names are v1's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import null
from sqlalchemy.engine import RowMapping

EXTRAS = "autotuner_v2"
"""Key of v1's `metadata` under which stands what v1's tables have no column for."""
LOG_BEGINS = "autotuner_log"
"""Key of v1's `metadata` for the last event of a run that its log no longer shows."""
OWN = "autotuner_"
"""Beginning of the keys that are ours."""
NO_STATUS = "PENDING"
"""State of a row without one."""
FRESH: dict[str, Any] = {
    "status": "PENDING",
    "total_experiments": 0,
    "successful_experiments": 0,
    "best_experiment_id": None,
    "started_at": None,
    "completed_at": None,
    "elapsed_time": None,
}
"""Results of a task that has none yet."""


@dataclass(frozen=True)
class V1TaskRecord:
    """One row of `tasks`. Times are naive UTC, `elapsed_time` is in seconds."""

    id: int
    task_name: str
    description: str | None
    status: str
    model_config: Any
    base_runtime: str
    runtime_image_tag: str | None
    parameters: Any
    optimization_config: Any
    benchmark_config: Any
    slo_config: Any
    quant_config: Any
    parallel_config: Any
    clusterbasemodel_config: Any
    clusterservingruntime_config: Any
    created_clusterbasemodel: str | None
    created_clusterservingruntime: str | None
    deployment_mode: str | None
    metadata: Any
    total_experiments: int | None
    successful_experiments: int | None
    best_experiment_id: int | None
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    elapsed_time: float | None

    @property
    def extras(self) -> Mapping[str, Any]:
        """Fields that v1 has no column for."""
        found = self.metadata.get(EXTRAS) if isinstance(self.metadata, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def log_begins(self) -> int | None:
        """The last event that the log no longer shows; None where it shows all."""
        found = self.metadata.get(LOG_BEGINS) if isinstance(self.metadata, dict) else None
        return found if isinstance(found, int) else None

    @property
    def own_metadata(self) -> Any:
        """The user's metadata alone; None where there is none."""
        if not isinstance(self.metadata, dict):
            return self.metadata
        own = {key: value for key, value in self.metadata.items() if not key.startswith(OWN)}
        return own or None


@dataclass(frozen=True)
class V1ExperimentRecord:
    """One row of `experiments`; `experiment_id` counts from 1 within its task."""

    id: int
    task_id: int
    experiment_id: int
    parameters: Any
    status: str
    error_message: str | None
    metrics: Any
    objective_score: float | None
    gpu_info: Any
    service_name: str | None
    service_url: str | None
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    elapsed_time: float | None


@dataclass(frozen=True)
class V1PresetRecord:
    """One row of `parameter_presets`."""

    id: int
    name: str
    description: str | None
    category: str | None
    runtime: str | None
    is_system: bool
    parameters: Any
    metadata: Any
    created_at: datetime | None
    updated_at: datetime | None


def task_record(row: RowMapping) -> V1TaskRecord:
    """A row of `tasks`; one without a status is pending."""
    return V1TaskRecord(**{**row, "status": row["status"] or NO_STATUS})


def experiment_record(row: RowMapping) -> V1ExperimentRecord:
    """A row of `experiments`; one without a status is pending."""
    return V1ExperimentRecord(**{**row, "status": row["status"] or NO_STATUS})


def preset_record(row: RowMapping) -> V1PresetRecord:
    """A row of `parameter_presets`."""
    return V1PresetRecord(**{**row, "is_system": bool(row["is_system"])})


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are written: what is absent is SQL's NULL, also in columns of JSON."""
    return {name: null() if value is None else value for name, value in values.items()}


def now() -> datetime:
    """Now, as v1 keeps times: naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def naive(moment: datetime | None) -> datetime | None:
    """A moment as v1 keeps it."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
