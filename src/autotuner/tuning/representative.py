"""Representative points: figures of one operating point for each experiment of a task. Pure.

An experiment has as many operating points as load levels; a list of experiments has room for one.
That is its *representative* point: of those on the task's frontier the one nearest to the ideal,
else of all its own. The ideal has the best value of every objective among all points of the task;
distances are taken after each objective is scaled to the range that it has there. With a single
objective that is the best point. What was predicted is shown at the same load level, so that the
two can be compared; an experiment that brought no point is represented by its predictions alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from autotuner.config import LoadLevel
from autotuner.predict import Prediction
from autotuner.search import (
    OperatingPoint,
    as_point,
    fastest_first,
    has,
    is_usable,
    objective_vector,
    pareto_front,
    recommend,
)
from autotuner.store import ExperimentRecord, Standing
from autotuner.tuning.estimate import predicted_frontier
from autotuner.tuning.points import outcome

T = TypeVar("T")


def frontier(
    points: Sequence[OperatingPoint], objectives: Sequence[str], slo: Mapping[str, float]
) -> list[OperatingPoint]:
    """The points that no other beats, the fastest for a user first.

    With one objective it is the one that is recommended: the best that meets the SLO.
    """
    if len(objectives) == 1:
        chosen = recommend(points, slo, objectives)
        return [] if chosen is None else [chosen[0]]
    front = pareto_front(points, lambda point: objective_vector(point, objectives))
    return sorted(front, key=fastest_first)


def recommended(
    points: Sequence[OperatingPoint],
    front: Sequence[OperatingPoint],
    objectives: Sequence[str],
    slo: Mapping[str, float],
) -> tuple[OperatingPoint, str, bool] | None:
    """The point to serve with, the reason, and whether it meets the SLO; see `search.recommend`.

    Args:
        points: all of the task, `front` their frontier: without an SLO, what is not on it has no
            chance.
    """
    return recommend(points if slo or len(objectives) == 1 else front, slo, objectives)


def standings(
    experiments: Sequence[ExperimentRecord],
    *,
    objectives: Sequence[str],
    slo: Mapping[str, float],
    usd_per_gpu_hour: float | None,
) -> dict[int, Standing]:
    """The standing of every finished experiment, by its number in the store.

    `predicted_latency_p90_ms` is the predicted TTFT + TPOT x (output tokens - 1): predictors tell
    means, and no spread between requests.
    """
    finished = [e for e in experiments if e.status in ("completed", "failed")]
    needs = (*objectives, *slo)
    measured = {
        e.id: outcome(e, usd_per_gpu_hour, needs).points if e.status == "completed" else ()
        for e in finished
    }
    expected = {
        e.id: {
            p.load: p
            for p in expectations(e)
            if is_usable(p, usd_per_gpu_hour) and has(as_point(p, usd_per_gpu_hour), needs)
        }
        for e in finished
    }
    points = [point for found in measured.values() for point in found]
    front = frontier(points, objectives, slo)
    foreseen = predicted_frontier(
        (p for found in expected.values() for p in found.values()), objectives, usd_per_gpu_hour
    )
    on_the_front = set(front)
    actual = _Ideal(points, objectives)
    hoped = _Ideal(
        [as_point(p, usd_per_gpu_hour) for found in expected.values() for p in found.values()],
        objectives,
    )
    found: dict[int, Standing] = {}
    for experiment in finished:
        own, predicted = measured[experiment.id], expected[experiment.id]
        on_front = [point for point in own if point in on_the_front]
        point = actual.nearest(on_front or own, lambda p: p)
        prediction = (
            hoped.nearest(list(predicted.values()), lambda p: as_point(p, usd_per_gpu_hour))
            if point is None
            else predicted.get(point.load)
        )
        found[experiment.id] = Standing(
            **_figures(
                "predicted", None if prediction is None else as_point(prediction, usd_per_gpu_hour)
            ),
            **_figures("actual", point),
            is_on_predicted_frontier=any(
                p.candidate_id == experiment.candidate_id for p in foreseen
            ),
            is_on_actual_frontier=bool(on_front),
            frontier_points=len(on_front),
        )
    return found


def representative_load(
    experiment: ExperimentRecord, points: Sequence[OperatingPoint]
) -> LoadLevel | None:
    """The load level of an experiment's representative point, found by its figures.

    Args:
        points: measured, of that experiment.
    """
    standing = experiment.standing
    if standing.actual_throughput_tok_s is not None:
        seen = (standing.actual_throughput_tok_s, standing.actual_ttft_ms)
        return next((p.load for p in points if (p.tok_s, p.ttft_ms) == seen), None)
    hoped = (standing.predicted_throughput_tok_s, standing.predicted_ttft_ms)
    return next((p.load for p in expectations(experiment) if (p.tok_s, p.ttft_ms) == hoped), None)


def expectations(experiment: ExperimentRecord) -> tuple[Prediction, ...]:
    """Expectation just before the launch: corrected where that was possible."""
    corrected = {point.load: point for point in experiment.calibrated}
    return tuple(corrected.get(point.load, point) for point in experiment.base)


class _Ideal:
    """The best of every objective among some points, and how far others are from it."""

    def __init__(self, points: Sequence[OperatingPoint], objectives: Sequence[str]) -> None:
        self._objectives = objectives
        columns = list(zip(*(objective_vector(p, objectives) for p in points), strict=True))
        self._best = [max(column) for column in columns]
        self._range = [max(column) - min(column) or 1.0 for column in columns]

    def nearest(self, items: Sequence[T], point: Callable[[T], OperatingPoint]) -> T | None:
        return min(items, key=lambda item: self._distance(point(item)), default=None)

    def _distance(self, point: OperatingPoint) -> float:
        vector = objective_vector(point, self._objectives)
        return math.hypot(
            *((best - x) / r for best, x, r in zip(self._best, vector, self._range, strict=True))
        )


def _figures(whose: str, point: OperatingPoint | None) -> dict[str, Any]:
    return {
        f"{whose}_{name}": None if point is None else getattr(point, figure)
        for name, figure in _FIGURES.items()
    }


_FIGURES = {
    "throughput_tok_s": "tok_s",
    "ttft_ms": "ttft_ms",
    "tpot_ms": "tpot_ms",
    "latency_p90_ms": "e2e_p90_ms",
}
"""Of a `Standing` -> of an operating point."""
