"""Operating points of a stored task: measured, dominated ones included, and predicted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from autotuner.config import LoadLevel, parse_task
from autotuner.measure import Measurement
from autotuner.search import is_usable
from autotuner.store import ExperimentRecord, Store, TaskRecord
from autotuner.tuning.estimate import predicted_frontier
from autotuner.tuning.operating_points import (
    Criteria,
    Level,
    MeasuredLevel,
    OperatingPointView,
    PredictedLevel,
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
        on_frontier: ids of those that no other of their kind beats.
        recommended_id: the measured point to serve with; None while there is none.
    """

    levels: tuple[Level, ...]
    on_frontier: frozenset[str]
    recommended_id: str | None
    criteria: Criteria

    def view(self, level: Level) -> OperatingPointView:
        """One of the levels as it is shown."""
        return level.view(self.criteria, on_frontier=level.id in self.on_frontier)


def task_points(store: Store, task: TaskRecord) -> TaskPoints:
    """Every operating point of a task, those of the launch under way included."""
    config = parse_task(task.config, source=f"task {task.id}")
    criteria = Criteria.of(config, task.plan.get("usd_per_gpu_hour"))
    experiments = store.experiments(task.id)
    measured = [level for e in experiments for level in measured_levels(e, criteria)]
    predicted = [level for e in experiments for level in _predicted_levels(e, criteria)]
    compared = {
        point: level.id
        for level in measured
        if (point := level.point) is not None and criteria.compares(point)
    }
    front = frontier(list(compared), criteria.objectives, criteria.slo)
    chosen = recommended(list(compared), front, criteria.objectives, criteria.slo)
    foreseen = predicted_frontier(
        (level.prediction for level in predicted),
        criteria.objectives,
        criteria.usd_per_gpu_hour,
    )
    on_frontier = {compared[point] for point in front}
    on_frontier |= {point_id(found.candidate_id, found.load) for found in foreseen}
    return TaskPoints(
        levels=tuple(sorted([*measured, *predicted], key=lambda level: level.order)),
        on_frontier=frozenset(on_frontier),
        recommended_id=compared[chosen[0]] if chosen else None,
        criteria=criteria,
    )


def measured_levels(experiment: ExperimentRecord, criteria: Criteria) -> Iterator[MeasuredLevel]:
    """The levels that an experiment has measured, the lowest first; none where it failed."""
    if experiment.status not in _COUNTED:
        return
    gpus = occupied_gpus(experiment.settings)
    repeats: dict[LoadLevel, list[Measurement]] = defaultdict(list)
    for measurement in experiment.measurements:
        repeats[measurement.load].append(measurement)
    for _, found in sorted(repeats.items()):
        yield MeasuredLevel(
            experiment.index,
            experiment.candidate_id,
            experiment.settings,
            gpus,
            tuple(found),
            criteria.usd_per_gpu_hour,
        )


def _predicted_levels(experiment: ExperimentRecord, criteria: Criteria) -> Iterator[PredictedLevel]:
    """What was expected of an experiment just before its launch."""
    price = criteria.usd_per_gpu_hour
    for prediction in sorted(expectations(experiment), key=lambda p: p.load):
        if is_usable(prediction, price):
            yield PredictedLevel(experiment.index, prediction, experiment.settings, price)
