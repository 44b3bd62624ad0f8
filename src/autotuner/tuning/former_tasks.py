"""Tasks of former versions, whose best points and frontier points nobody has counted yet."""

from __future__ import annotations

import logging

from autotuner.config import parse_stored_task
from autotuner.errors import AutotunerError
from autotuner.store import Store, TaskRecord
from autotuner.tuning.history import FINISHED
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.recommendation import best_point
from autotuner.tuning.representative import standings

_LOG = logging.getLogger(__name__)
AT_ONCE = 200
"""Tasks of one call: seconds, so that whoever calls can end."""


class FormerTasks:
    """Goes once through the tasks that have ended without a best point, the newest first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._below: int | None = None

    def settle(self) -> None:
        """Keeps where the next `AT_ONCE` tasks and their experiments stand. A task that this
        version cannot read is left as it is."""
        for task in self._store.tasks.without_best(below=self._below, limit=AT_ONCE):
            self._below = task.id
            try:
                _settle(self._store, task)
            except AutotunerError as error:
                _LOG.info("task %d stays without a best point: %s", task.id, error)


def _settle(store: Store, task: TaskRecord) -> None:
    config = parse_stored_task(task.config, source=f"task {task.id}")
    objectives, slo = config.objectives, config.slo_limits()
    price = task.plan.get("usd_per_gpu_hour")
    finished = [e for e in store.experiments(task.id) if e.status in FINISHED]
    store.set_standings(standings(finished, objectives=objectives, slo=slo, usd_per_gpu_hour=price))
    best = best_point(finished, task.plan, Criteria.of(config, price))
    store.tasks.keep_standing(task.id, best=best, expected_wall_s=None)
