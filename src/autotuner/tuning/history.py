"""History of a task that earlier calls left: finished experiments, wall time, load levels."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from autotuner.config import closed_loops
from autotuner.errors import AutotunerError
from autotuner.store import ExperimentRecord, Standing, Store, TaskRecord
from autotuner.tuning.baseline import begun_with
from autotuner.tuning.load_levels import planned_levels
from autotuner.tuning.prepare import CONFIRMING, Prepared

FINISHED = ("completed", "failed")


class History:
    """Finished experiments of a task. Only whoever holds it adds to them, so that nothing goes."""

    def __init__(self) -> None:
        self._task_id: int | None = None
        self._finished: dict[int, ExperimentRecord] = {}

    def read(self, store: Store, task_id: int) -> list[ExperimentRecord]:
        """The finished experiments of a task in the order of their launch."""
        if task_id != self._task_id:
            self._task_id, self._finished = task_id, {}
        for record in store.experiments(task_id, besides=self._finished):
            if record.status in FINISHED:
                self._finished[record.id] = _ended(record)
        return self.known

    @property
    def known(self) -> list[ExperimentRecord]:
        """Those that were there when it was read."""
        return sorted(self._finished.values(), key=lambda record: record.index)

    def forget(self, experiment_id: int) -> None:
        """Forgets an experiment that has changed, so that it is read anew."""
        self._finished.pop(experiment_id, None)

    def stand(self, standings: Mapping[int, Standing]) -> None:
        """Notes where experiments (by their number in the store) stand now."""
        for key, standing in standings.items():
            self._finished[key] = replace(self._finished[key], standing=standing)


def _ended(record: ExperimentRecord) -> ExperimentRecord:
    """An experiment without a further launch that an earlier call left in the middle."""
    ended = tuple(one for one in record.relaunches if one.status in FINISHED)
    return record if ended == record.relaunches else replace(record, relaunches=ended)


KEPT_EVERY_S = 2.0


class WallTime:
    """Stores the wall time of a task every `KEPT_EVERY_S`, from a thread of its own.

    In real time, whatever the clock of the task's event loop says.
    """

    def __init__(self, store: Store, task: TaskRecord, *, every_s: float = KEPT_EVERY_S) -> None:
        self._store = store
        self._task = task
        self._every_s = every_s
        self._kept_s = 0.0
        self._began_s = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="wall-time", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def now_s(self) -> float:
        """Seconds that have been worked on the task by now."""
        return self._task.wall_s + time.monotonic() - self._began_s

    def left_s(self) -> float:
        """Seconds that are not stored yet; nothing more is stored from here."""
        self._over.set()
        self._thread.join()
        return time.monotonic() - self._began_s - self._kept_s

    def _keep(self) -> None:
        while not self._over.wait(self._every_s):
            taken_s = time.monotonic() - self._began_s
            try:
                self._store.tasks.keep_wall_time(self._task.id, self._task.wall_s + taken_s)
            except AutotunerError:
                return  # The task itself meets the same trouble, and says so.
            self._kept_s = taken_s


LEVELS_BEFORE = closed_loops(1, 4, 8)
"""Load levels of tasks that left them out, before they followed the task."""


def as_begun(prepared: Prepared, plan: Mapping[str, Any]) -> Prepared:
    """`prepared` with what a task began with: load levels that it leaves out, the baseline, and the
    launches that are kept for the end.

    Args:
        plan: of the task.
    """
    return at_baseline_of(_at_levels_of(prepared, plan), plan)


def at_baseline_of(prepared: Prepared, plan: Mapping[str, Any]) -> Prepared:
    """`prepared` with the baseline and the launches for the end that a task began with; as it is
    where none has begun."""
    if "candidates" not in plan:
        return prepared
    own = prepared.baseline
    region = prepared.space.places[0][1] if own is None else own.region
    why = "the task began without one"
    return replace(
        prepared,
        baseline=begun_with(plan, region),
        baseline_why=why,
        confirms=CONFIRMING in plan,
    )


def _at_levels_of(prepared: Prepared, plan: Mapping[str, Any]) -> Prepared:
    levels = planned_levels(plan)
    if not prepared.levels_why or not levels or levels == prepared.task.benchmark.levels:
        return prepared
    why = "the task began with them"
    return replace(prepared, task=prepared.task.at_levels(levels), levels_why=why)


def at_stored_levels(prepared: Prepared, store: Store | None) -> Prepared:
    """`prepared` at the load levels of its newest task, where the task gives none and has a task.

    A task of before is found by the levels that were the default then.
    """
    if store is None or not prepared.levels_why:
        return prepared
    task = store.tasks.newest(prepared.content_id)
    if task is not None:
        return _at_levels_of(prepared, task.plan)
    before = prepared.task.at_levels(LEVELS_BEFORE)
    task = store.tasks.newest(before.content_id)
    if task is None:
        return prepared
    why = f"task {task.id}, of the same file, began with them; --fresh chooses anew"
    return replace(prepared, task=before, content_id=before.content_id, levels_why=why)
