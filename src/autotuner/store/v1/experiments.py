"""v1's experiments, and counts over its tables for its dashboard."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select

from autotuner.store.sessions import Sessions
from autotuner.store.v1.records import V1ExperimentRecord, experiment_record
from autotuner.store.v1_schema import experiments, tasks


class V1Experiments:
    """Reads `experiments`; only `project` writes them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def get(self, row_id: int) -> V1ExperimentRecord | None:
        """The experiment of that row."""
        query = select(experiments).where(experiments.c.id == row_id)
        with self._sessions.reading() as session:
            row = session.execute(query).mappings().first()
            return None if row is None else experiment_record(row)

    def of_task(self, task_id: int) -> tuple[V1ExperimentRecord, ...]:
        """A task's experiments, in order."""
        query = (
            select(experiments)
            .where(experiments.c.task_id == task_id)
            .order_by(experiments.c.experiment_id)
        )
        with self._sessions.reading() as session:
            return tuple(map(experiment_record, session.execute(query).mappings()))

    def page(self, *, skip: int, limit: int) -> tuple[V1ExperimentRecord, ...]:
        """Some of all experiments, newest first."""
        query = select(experiments).order_by(experiments.c.id.desc()).offset(skip).limit(limit)
        with self._sessions.reading() as session:
            return tuple(map(experiment_record, session.execute(query).mappings()))


class V1Statistics:
    """Reads only."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def tasks_by_status(self) -> dict[str, int]:
        """Status -> how many tasks are in it."""
        return self._by_status(tasks)

    def experiments_by_status(self) -> dict[str, int]:
        """Status -> how many experiments are in it."""
        return self._by_status(experiments)

    def mean_elapsed_s(self) -> float | None:
        """Mean duration of the successful experiments."""
        query = select(func.avg(experiments.c.elapsed_time)).where(
            experiments.c.status == "SUCCESS"
        )
        with self._sessions.reading() as session:
            return session.scalar(query)

    def experiments_since(
        self, moment: datetime, *, limit: int
    ) -> tuple[tuple[V1ExperimentRecord, str], ...]:
        """The newest experiments that began since, each with the name of its task."""
        query = (
            select(experiments, tasks.c.task_name)
            .join(tasks, tasks.c.id == experiments.c.task_id)
            .where(experiments.c.created_at >= moment)
            .order_by(experiments.c.created_at.desc(), experiments.c.id.desc())
            .limit(limit)
        )
        with self._sessions.reading() as session:
            found = session.execute(query).mappings()
            return tuple((experiment_record(_without_name(row)), row["task_name"]) for row in found)

    def _by_status(self, table: Table) -> dict[str, int]:
        query = select(table.c.status, func.count()).group_by(table.c.status)
        with self._sessions.reading() as session:
            return {status or "PENDING": count for status, count in session.execute(query)}


def _without_name(row: Any) -> Any:
    return {name: value for name, value in row.items() if name != "task_name"}
