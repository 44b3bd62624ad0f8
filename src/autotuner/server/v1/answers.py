"""What v1's clients are told: its rows, with its keys."""

from __future__ import annotations

from typing import Any

from autotuner.server.v1.bodies import EXTRA_KEYS
from autotuner.store.v1 import V1ExperimentRecord, V1PresetRecord, V1TaskRecord

_COUNTS = ("total_experiments", "successful_experiments")


def task_answer(record: V1TaskRecord) -> dict[str, Any]:
    """A task as a whole."""
    extras = {key: record.extras.get(key) for key in EXTRA_KEYS if key != "storage"}
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
        **extras,
        "metadata": record.own_metadata,
    }


def short_task_answer(record: V1TaskRecord) -> dict[str, Any]:
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


def experiment_answer(record: V1ExperimentRecord) -> dict[str, Any]:
    """An experiment."""
    return {**vars(record), "status": record.status.lower()}


def preset_answer(record: V1PresetRecord) -> dict[str, Any]:
    """A preset."""
    return dict(vars(record))


def preset_file(record: V1PresetRecord) -> dict[str, Any]:
    """A preset as it is exported."""
    keys = ("name", "description", "category", "runtime", "parameters", "metadata")
    return {"version": "1.0", "preset": {key: getattr(record, key) for key in keys}}
