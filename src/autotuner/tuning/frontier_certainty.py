"""Probability of each point of a task's frontier that no other candidate dominates it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from autotuner.config import LoadLevel
from autotuner.search import OBJECTIVES, OperatingPoint, quantity
from autotuner.search.slo import verdict
from autotuner.store import ExperimentRecord
from autotuner.tuning.launch_figures import (
    figures_of,
    launches_of,
    posterior_of,
    repeated_levels,
    standard_error,
)
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.points import pooled

if TYPE_CHECKING:
    from autotuner.certainty import UncertainPoint

_SPEED = "tok_s_per_gpu"
"""Figure whose scatter from launch to launch stands for that of all."""
_NEAR = 1.0
"""Difference of logarithms, a factor of 2.7: no launch differs so much from another by chance."""
Key = tuple[str, LoadLevel]


def frontier_probabilities(
    experiments: Sequence[ExperimentRecord],
    points: Mapping[int, Sequence[OperatingPoint]],
    front: Sequence[OperatingPoint],
    criteria: Criteria,
) -> dict[Key, float]:
    """Candidate and load level of each point of the frontier -> the probability.

    With one objective, others count that stand to the SLO as the frontier's point does.

    Args:
        points: of each experiment, by its number in the store.
    """
    if not front:
        return {}
    from autotuner.certainty import membership

    scatter = _scatter(experiments, criteria)
    by_id = {experiment.candidate_id: experiment for experiment in experiments}
    every = [point for found in points.values() for point in found]
    if len(criteria.objectives) == 1:
        stands = verdict(front[0], criteria.slo)
        every = [point for point in every if verdict(point, criteria.slo) == stands]
    reached = [_logs(point, criteria) for point in front]
    near = [point for point in every if _is_near(_logs(point, criteria), reached)]
    made = {
        (point.candidate_id, point.load): _uncertain(
            by_id[point.candidate_id], point, scatter, criteria
        )
        for point in (*front, *near)
    }
    keys = [(point.candidate_id, point.load) for point in front]
    found = membership([made[key] for key in keys], list(made.values()))
    return dict(zip(keys, found, strict=True))


def _logs(point: OperatingPoint, criteria: Criteria) -> tuple[float, ...]:
    """Natural logarithms of the objectives, more being better."""
    logs = ((OBJECTIVES[name], math.log(quantity(point, name))) for name in criteria.objectives)
    return tuple(log if objective.maximise else -log for objective, log in logs)


def _is_near(logs: Sequence[float], front: Sequence[Sequence[float]]) -> bool:
    """Whether a point is so near to one of the frontier that it may dominate it."""
    return any(
        all(own >= best - _NEAR for own, best in zip(logs, point, strict=True)) for point in front
    )


def _scatter(experiments: Sequence[ExperimentRecord], criteria: Criteria) -> float:
    """Standard deviation between launches: of those that were repeated, else as expected."""
    from autotuner.certainty import LAUNCH_MEDIAN

    launches = tuple(
        figure
        for experiment, load in repeated_levels(experiments)
        for figure in figures_of(experiment, load, _SPEED, criteria)
    )
    return posterior_of(launches).launch_std if launches else LAUNCH_MEDIAN


def _uncertain(
    experiment: ExperimentRecord, point: OperatingPoint, scatter: float, criteria: Criteria
) -> UncertainPoint:
    from autotuner.certainty import UncertainPoint

    levels = pooled([m for m in experiment.measurements if m.load == point.load])
    launches = len({m.launch for m in levels}) or launches_of(experiment) or 1
    log_stds = tuple(standard_error(levels, name) for name in criteria.objectives)
    shared_std = scatter / math.sqrt(launches)
    return UncertainPoint(point.candidate_id, _logs(point, criteria), log_stds, shared_std)
