"""A row of v1's `tasks` as the document that v1's files and API have."""

from __future__ import annotations

from typing import Any

from autotuner.store.v1 import V1TaskRecord

_COLUMNS = {
    "task_name": "task_name",
    "description": "description",
    "deployment_mode": "deployment_mode",
    "model": "model_config",
    "base_runtime": "base_runtime",
    "runtime_image_tag": "runtime_image_tag",
    "parameters": "parameters",
    "quant_config": "quant_config",
    "parallel_config": "parallel_config",
    "clusterbasemodel_config": "clusterbasemodel_config",
    "clusterservingruntime_config": "clusterservingruntime_config",
    "optimization": "optimization_config",
    "benchmark": "benchmark_config",
    "slo": "slo_config",
    "metadata": "own_metadata",
}
"""Key of the document -> column of the row; `slo_config` holds `slo`, as in v1."""


def v1_document(record: V1TaskRecord) -> dict[str, Any]:
    """The document; what the row does not say is left out."""
    told = {key: getattr(record, column) for key, column in _COLUMNS.items()}
    return {key: value for key, value in {**told, **record.extras}.items() if value is not None}
