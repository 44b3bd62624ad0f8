"""Operating points of the finished experiments of a task, found once for each experiment."""

from __future__ import annotations

from autotuner.search import OperatingPoint
from autotuner.store import ExperimentRecord
from autotuner.tuning.history import History
from autotuner.tuning.points import outcome
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.representative import frontier


class MeasuredPoints:
    """Points of what a history holds, as a task compares them."""

    def __init__(self, prepared: Prepared, history: History) -> None:
        self._prepared = prepared
        self._history = history
        self._found: dict[tuple[int, int], tuple[OperatingPoint, ...]] = {}
        self._front: tuple[int, list[OperatingPoint]] | None = None

    def measured(self) -> list[OperatingPoint]:
        """All of them."""
        return [point for done in self._history.known for point in self._of(done)]

    def frontier(self) -> list[OperatingPoint]:
        """Their frontier; found anew when another launch has finished."""
        count, task = sum(map(_launches, self._history.known)), self._prepared.task
        if self._front is None or self._front[0] != count:
            front = frontier(self.measured(), task.objectives, task.slo_limits())
            self._front = count, front
        return self._front[1]

    def _of(self, done: ExperimentRecord) -> tuple[OperatingPoint, ...]:
        key = done.id, _launches(done)
        if key not in self._found:
            price, needs = self._prepared.usd_per_gpu_hour, self._prepared.task.compared
            self._found[key] = outcome(done, price, needs).points
        return self._found[key]


def _launches(done: ExperimentRecord) -> int:
    return 1 + len(done.relaunches)
