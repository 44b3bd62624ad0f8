"""Operating points of a stored task: measured, dominated ones included, and predicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autotuner.config import parse_task
from autotuner.search import OperatingPoint, is_usable
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.store.predicted_frontiers import PredictedFrontier
from autotuner.tuning.operating_points import (
    Criteria,
    Level,
    MeasuredLevel,
    OperatingPointView,
    PredictedLevel,
    measured_levels,
    point_id,
)
from autotuner.tuning.points import occupied_gpus
from autotuner.tuning.representative import expectations, frontier, recommended

_COUNTED = ("completed", "running")
"""Experiments whose levels are points: what a failed one measured before it failed is none."""


@dataclass(frozen=True)
class TaskPoints:
    """The operating points of a task.

    Attributes:
        levels: launch by launch, what was measured before what was predicted of it; at the end
            predicted points that have not been launched.
        on_frontier: ids of those that no other of their kind beats: of what is measured until now,
            and of what was predicted of the whole space when the task was planned (in tasks of
            before that was kept, of its launches).
        recommended: the measured point to serve with; None while there is none.
    """

    levels: tuple[Level, ...]
    on_frontier: frozenset[str]
    recommended: Level | None
    criteria: Criteria

    def view(self, level: Level) -> OperatingPointView:
        """One of the levels as it is shown."""
        return level.view(self.criteria, on_frontier=level.id in self.on_frontier)


def task_points(store: Store, task: TaskRecord) -> TaskPoints:
    """Every operating point of a task, those of the launch under way included."""
    config = parse_task(task.config, source=f"task {task.id}")
    criteria = Criteria.of(config, task.plan.get("usd_per_gpu_hour"))
    experiments = store.experiments(task.id)
    measured = [level for e in experiments for level in _measured_levels(e, criteria)]
    launched = [level for e in experiments for level in _predicted_levels(e, criteria)]
    compared = _compared(measured, criteria)
    front = frontier(list(compared), criteria.objectives, criteria.slo)
    chosen = recommended(list(compared), front, criteria.objectives, criteria.slo)
    planned = store.predicted_frontiers.of_task(task.id)
    if planned is None:
        expected = _compared(launched, criteria)
        foreseen = frontier(list(expected), criteria.objectives, criteria.slo)
        predicted, on_frontier = launched, {expected[point].id for point in foreseen}
    else:
        on_frontier = {point_id(p.candidate_id, p.load) for p in planned.points}
        predicted = _joined(launched, planned, experiments, criteria)
    return TaskPoints(
        levels=tuple(sorted([*measured, *predicted], key=lambda level: level.order)),
        on_frontier=frozenset({compared[point].id for point in front} | on_frontier),
        recommended=compared[chosen[0]] if chosen else None,
        criteria=criteria,
    )


def _compared(levels: Iterable[Level], criteria: Criteria) -> dict[OperatingPoint, Level]:
    """The operating points that take part, and the level that each is of."""
    return {
        point: level
        for level in levels
        if (point := level.point) is not None and criteria.compares(point)
    }


def _joined(
    launched: Sequence[PredictedLevel],
    planned: PredictedFrontier,
    experiments: Sequence[ExperimentRecord],
    criteria: Criteria,
) -> list[PredictedLevel]:
    """Predictions of each launch, and of the planned frontier those that were not launched."""
    known = {level.id for level in launched}
    indices = {experiment.candidate_id: experiment.index for experiment in experiments}
    levels = (
        PredictedLevel(
            indices.get(prediction.candidate_id),
            prediction,
            planned.settings[prediction.candidate_id],
            criteria.usd_per_gpu_hour,
        )
        for prediction in planned.points
    )
    return [*launched, *(level for level in levels if level.id not in known)]


def _measured_levels(experiment: ExperimentRecord, criteria: Criteria) -> list[MeasuredLevel]:
    """The levels that an experiment has measured; none where it failed."""
    if experiment.status not in _COUNTED:
        return []
    gpus, price = occupied_gpus(experiment.settings), criteria.usd_per_gpu_hour
    return measured_levels(experiment, experiment.candidate_id, gpus, price)


def _predicted_levels(experiment: ExperimentRecord, criteria: Criteria) -> Iterator[PredictedLevel]:
    """Predictions of an experiment, made just before its launch."""
    price = criteria.usd_per_gpu_hour
    for prediction in sorted(expectations(experiment), key=lambda p: p.load):
        if is_usable(prediction, price):
            yield PredictedLevel(experiment.index, prediction, experiment.settings, price)
