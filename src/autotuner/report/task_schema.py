"""The JSON Schema of task documents."""

from __future__ import annotations

from typing import Any

from autotuner.config import TaskConfig


def task_schema() -> dict[str, Any]:
    """For editors, and for who checks a document before it is sent."""
    return TaskConfig.model_json_schema() | {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    }
