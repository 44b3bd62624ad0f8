"""v1's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from autotuner.store.schema import TaskRow
from autotuner.store.sessions import Sessions
from autotuner.store.v1.records import FRESH, V1TaskRecord, now, task_record, written
from autotuner.store.v1_schema import tasks


class V1Tasks:
    """Reads and writes `tasks`. Values are of v1's columns; statuses are upper-case names."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def create(self, values: Mapping[str, Any]) -> V1TaskRecord | None:
        """A new pending task; None where the name is taken."""
        with self._sessions.writing() as session:
            if session.scalar(select(exists().where(tasks.c.task_name == values["task_name"]))):
                return None
            row = {**FRESH, "created_at": now(), **values}
            try:
                made = session.execute(insert(tasks).values(written(row)).returning(tasks.c.id))
            except IntegrityError:  # it was made this moment
                return None
            return _found(session, made.scalar_one())

    def get(self, task_id: int) -> V1TaskRecord | None:
        """The task of that number."""
        with self._sessions.reading() as session:
            return _found(session, task_id)

    def named(self, name: str) -> V1TaskRecord | None:
        """The task of that name."""
        query = select(tasks).where(tasks.c.task_name == name)
        with self._sessions.reading() as session:
            row = session.execute(query).mappings().first()
            return None if row is None else task_record(row)

    def page(self, *, skip: int, limit: int, status: str | None) -> tuple[V1TaskRecord, ...]:
        """Some of the tasks, newest first."""
        query = select(tasks).order_by(tasks.c.created_at.desc(), tasks.c.id.desc())
        if status is not None:
            query = query.where(_in_states(status))
        with self._sessions.reading() as session:
            rows = session.execute(query.offset(skip).limit(limit)).mappings()
            return tuple(map(task_record, rows))

    def change(self, task_id: int, values: Mapping[str, Any], *, only: Sequence[str] = ()) -> bool:
        """Sets columns, where the task is in one of the states `only`; says whether it was."""
        change = update(tasks).where(tasks.c.id == task_id).values(written(values))
        if only:
            change = change.where(_in_states(*only))
        with self._sessions.writing() as session:
            return session.connection().execute(change).rowcount == 1

    def run_of(self, task_id: int) -> int | None:
        """The newest v2 task that runs a v1 task."""
        runs = self.runs_of(task_id)
        return runs[-1] if runs else None

    def runs_of(self, task_id: int) -> tuple[int, ...]:
        """Every v2 task that runs or ran a v1 task, oldest first."""
        query = select(TaskRow.id).where(TaskRow.v1_task_id == task_id).order_by(TaskRow.id)
        with self._sessions.reading() as session:
            return tuple(session.scalars(query))

    def running(self) -> tuple[int, ...]:
        """The v2 tasks behind those v1 tasks that are running."""
        query = (
            select(TaskRow.id)
            .join(tasks, tasks.c.id == TaskRow.v1_task_id)
            .where(tasks.c.status == "RUNNING")
            .order_by(TaskRow.id)
        )
        with self._sessions.reading() as session:
            return tuple(session.scalars(query))


def _in_states(*statuses: str) -> ColumnElement[bool]:
    """Whether a task is in one of these; one without a status is pending."""
    named = tasks.c.status.in_(statuses)
    return or_(named, tasks.c.status.is_(None)) if FRESH["status"] in statuses else named


def _found(session: Session, task_id: int) -> V1TaskRecord | None:
    row = session.execute(select(tasks).where(tasks.c.id == task_id)).mappings().first()
    return None if row is None else task_record(row)
