"""v1's experiments."""

from __future__ import annotations

from sqlalchemy import select

from autotuner.store.sessions import Sessions
from autotuner.store.v1.records import V1ExperimentRecord, experiment_record
from autotuner.store.v1_schema import experiments


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
