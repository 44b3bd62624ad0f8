"""Tasks by the profiles that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TableValuedAlias, func, select, true
from sqlalchemy.orm import Session

from autotuner.store.schema import TaskRow
from autotuner.store.sessions import Sessions


def task_counts(sessions: Sessions) -> Mapping[str, int]:
    """Name of a profile -> number of tasks that name it."""
    with sessions.reading() as session:
        listed = _named(session)
        name, number = listed.c.value, func.count(TaskRow.id.distinct())
        query = select(name, number).join_from(TaskRow, listed, true()).group_by(name)
        return {profile: int(tasks) for profile, tasks in session.execute(query)}


def tasks_naming(sessions: Sessions, profile: str, *, most: int) -> list[dict[str, Any]]:
    """The newest tasks that name a profile: id, name, status."""
    with sessions.reading() as session:
        listed = _named(session)
        query = (
            select(TaskRow.id, TaskRow.name, TaskRow.status)
            .distinct()
            .join_from(TaskRow, listed, true())
            .where(listed.c.value == profile)
            .order_by(TaskRow.id.desc())
            .limit(most)
        )
        return [dict(row._mapping) for row in session.execute(query)]


def _named(session: Session) -> TableValuedAlias:
    """Names of profiles of a task, a row each, in the words of the database."""
    if session.connection().dialect.name == "sqlite":
        return func.json_each(TaskRow.config, "$.profiles").table_valued("value")
    names = TaskRow.config["profiles"]
    return func.json_array_elements_text(names).table_valued("value").render_derived()
