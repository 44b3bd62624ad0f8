"""Predictions of stored tasks, kept as long as nothing has changed that they are made from."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from autotuner.store import Store
from autotuner.store.experiment_listing import results_version
from autotuner.tuning.estimate import PlanEstimate
from autotuner.tuning.prepare import Prepared

_MOST_TASKS = 2
_MOST_AGE_S = 300.0
"""Profiles and the model's files may change without a trace in the task."""


@dataclass(frozen=True)
class TaskForecast:
    """A task as it is resolved now, and what is predicted of its candidates."""

    prepared: Prepared
    estimate: PlanEstimate


@dataclass
class _KeptForecast:
    version: Hashable = None
    made_s: float = 0.0
    forecast: TaskForecast | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class TaskForecasts:
    """Forecasts of the tasks that were asked about last. Any number of threads may share it.

    Args:
        clock: seconds since any moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[int, _KeptForecast] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, store: Store, task_id: int, make: Callable[[], TaskForecast]) -> TaskForecast:
        """The forecast of a task: the one that is kept, unless the task has changed or something
        was learnt meanwhile. Many who ask at once wait for one that is made."""
        with self._lock:
            kept = self._kept.pop(task_id, None) or _KeptForecast()
            self._kept[task_id] = kept
            while len(self._kept) > _MOST_TASKS:
                self._kept.popitem(last=False)
        with kept.lock:
            version = (results_version(store.sessions, task_id), store.newest_observation())
            is_new = version == kept.version and self._clock() - kept.made_s < _MOST_AGE_S
            if kept.forecast is None or not is_new:
                kept.forecast = make()
                kept.version, kept.made_s = version, self._clock()
            return kept.forecast
