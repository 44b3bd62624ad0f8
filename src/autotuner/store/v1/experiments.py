"""v1's experiments, and counts over its tables for its dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select

from autotuner.store.sessions import Sessions
from autotuner.store.v1.records import NO_STATUS, V1ExperimentRecord, experiment_record
from autotuner.store.v1_schema import experiments, tasks

_NEWEST_FIRST = (experiments.c.created_at.desc(), experiments.c.id.desc())


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
        """A task's experiments, newest first."""
        query = select(experiments).where(experiments.c.task_id == task_id)
        with self._sessions.reading() as session:
            found = session.execute(query.order_by(*_NEWEST_FIRST)).mappings()
            return tuple(map(experiment_record, found))

    def newest_ids(self) -> list[int]:
        """The rows of all experiments, newest first."""
        with self._sessions.reading() as session:
            return list(session.scalars(select(experiments.c.id).order_by(*_NEWEST_FIRST)))

    def some(self, row_ids: Sequence[int]) -> tuple[V1ExperimentRecord, ...]:
        """Those of these rows that there are, in this order."""
        query = select(experiments).where(experiments.c.id.in_(row_ids))
        with self._sessions.reading() as session:
            found = {row["id"]: experiment_record(row) for row in session.execute(query).mappings()}
        return tuple(found[row_id] for row_id in row_ids if row_id in found)


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

    def tasks_since(self, moment: datetime) -> int:
        """How many tasks were made since."""
        return self._since(tasks, moment)

    def experiments_since(self, moment: datetime) -> int:
        """How many experiments began since."""
        return self._since(experiments, moment)

    def timeline(self, moment: datetime) -> tuple[dict[str, Any], ...]:
        """The experiments that began since, the oldest first: what is shown of each in short."""
        query = (
            select(*(experiments.c[name] for name in _IN_TIMELINE), tasks.c.task_name)
            .join(tasks, tasks.c.id == experiments.c.task_id)
            .where(experiments.c.created_at >= moment)
            .order_by(experiments.c.created_at, experiments.c.id)
        )
        with self._sessions.reading() as session:
            return tuple(
                {**row, "status": row["status"] or NO_STATUS}
                for row in session.execute(query).mappings()
            )

    def ended_by_task(self, task_ids: Sequence[int]) -> dict[int, int]:
        """Task -> how many of its experiments have succeeded or failed, where any have."""
        query = (
            select(experiments.c.task_id, func.count())
            .where(experiments.c.task_id.in_(task_ids))
            .where(experiments.c.status.in_(("SUCCESS", "FAILED")))
            .group_by(experiments.c.task_id)
        )
        with self._sessions.reading() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def _since(self, table: Table, moment: datetime) -> int:
        query = select(func.count()).select_from(table).where(table.c.created_at >= moment)
        with self._sessions.reading() as session:
            return session.scalar(query) or 0

    def _by_status(self, table: Table) -> dict[str, int]:
        query = select(table.c.status, func.count()).group_by(table.c.status)
        found = Counter[str]()
        with self._sessions.reading() as session:
            for status, count in session.execute(query):
                found[status or NO_STATUS] += count
        return dict(sorted(found.items()))


_IN_TIMELINE = (
    *("id", "task_id", "experiment_id", "status", "objective_score", "created_at"),
    *("started_at", "completed_at", "elapsed_time"),
)
