"""v2 tasks that measure the further traffic scenarios of a v1 task, beside the one that runs it."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from autotuner.store.schema import TaskRow

SCENARIO = "v1_scenario"
"""Key of a v2 task's metadata: the further scenario of its v1 task that it measures."""


def is_run() -> ColumnElement[bool]:
    """Whether a v2 task runs its v1 task: results of further scenarios are not written back."""
    marked: ColumnElement[str] = TaskRow.config[("metadata", SCENARIO)].as_string()
    return marked.is_(None)


def is_further(row: TaskRow) -> bool:
    """Whether a v2 task measures a further scenario."""
    return SCENARIO in (row.config.get("metadata") or {})
