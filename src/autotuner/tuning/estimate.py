"""Estimate of a task as a whole: the predicted frontier, and what tuning will cost."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from autotuner.config import Benchmark, LoadKind
from autotuner.measure import LevelPlan
from autotuner.predict import Observation, Prediction
from autotuner.search import (
    LaunchMinutes,
    fastest_first,
    has,
    objective_vector,
    pareto_front,
    recommend,
)
from autotuner.search.grid_and_random import spread
from autotuner.search.predictions import as_point
from autotuner.search.slo import within
from autotuner.store import ExperimentRecord
from autotuner.tuning.forecast import Expected, Forecast
from autotuner.tuning.prepare import Prepared


def level_s(point: Prediction, benchmark: Benchmark) -> float:
    """Seconds of one level.

    A closed loop of `c` requests takes requests / c rounds of the predicted E2E latency; an open
    one the time in which they are sent, and the last is answered. Neither takes longer than the
    level's time limit.
    """
    load = point.load
    requests = max(benchmark.requests_per_level, load.at_once) + benchmark.warmup_requests
    if load.kind is LoadKind.CONCURRENCY:
        seconds = requests / load.value * point.e2e_ms / 1000
    else:
        seconds = requests / load.value + point.e2e_ms / 1000
    return min(seconds, benchmark.duration_per_level_s)


def sweep_s(points: Iterable[Prediction], benchmark: Benchmark) -> float:
    """Seconds of all levels with their repeats."""
    return benchmark.repeats * sum(level_s(point, benchmark) for point in points)


class LaunchTimes:
    """Expected durations of the launches of a task.

    Args:
        predictions: candidate id -> its levels.
        startup_guess_s: until the engine is ready, as long as none was seen to start.
    """

    def __init__(
        self,
        predictions: Mapping[str, Sequence[Prediction]],
        benchmark: Benchmark,
        *,
        startup_guess_s: float,
    ) -> None:
        self._levels_s = {
            key: {point.load: level_s(point, benchmark) for point in points}
            for key, points in predictions.items()
        }
        self._sweeps_s = {
            key: benchmark.repeats * sum(levels.values()) for key, levels in self._levels_s.items()
        }
        self._levels_min = {
            key: {load: benchmark.repeats * seconds / 60 for load, seconds in levels.items()}
            for key, levels in self._levels_s.items()
        }
        self._repeats = benchmark.repeats
        self._longest_level_s = benchmark.duration_per_level_s
        self._longest_sweep_s = len(benchmark.levels) * self._repeats * self._longest_level_s
        self._startup_guess_s = startup_guess_s

    def minutes(
        self, candidate_ids: Iterable[str], history: Sequence[ExperimentRecord]
    ) -> dict[str, float]:
        """Minutes of each candidate's launch with its whole sweep.

        Engines start as those before did on average; a sweep takes what is predicted, times what
        the sweeps before took over what was predicted of them. Where nothing is predicted it takes
        the mean of the others.
        """
        succeeded = [e for e in history if e.status == "completed" and e.measure_s is not None]
        startup_s = self._startup_s(succeeded)
        pace = self._pace(succeeded)
        sweeps = [e.measure_s for e in succeeded if e.measure_s is not None and not e.cut_short]
        if not sweeps:
            sweeps = [pace * seconds for seconds in self._sweeps_s.values()]
        typical_s = statistics.fmean(sweeps) if sweeps else self._longest_sweep_s
        return {
            key: (startup_s + (pace * self._sweeps_s[key] if key in self._sweeps_s else typical_s))
            / 60
            for key in candidate_ids
        }

    def by_level(self, history: Sequence[ExperimentRecord]) -> LaunchMinutes:
        """The same by its parts, for launches that measure the levels they are asked for."""
        succeeded = [e for e in history if e.status == "completed" and e.measure_s is not None]
        every = [seconds for levels in self._levels_s.values() for seconds in levels.values()]
        typical_s = statistics.fmean(every) if every else self._longest_level_s
        pace = self._pace(succeeded)
        return LaunchMinutes(
            startup=self._startup_s(succeeded) / 60,
            levels=self._levels_min,
            level=pace * self._repeats * typical_s / 60,
            pace=pace,
        )

    def _startup_s(self, history: Iterable[ExperimentRecord]) -> float:
        starts = [e.startup_s for e in history if e.startup_s is not None]
        return statistics.fmean(starts) if starts else self._startup_guess_s

    def _pace(self, history: Iterable[ExperimentRecord]) -> float:
        """Seconds that measuring took over those predicted; 1 where nothing tells."""
        took_s = predicted_s = 0.0
        for experiment in history:
            levels = self._levels_s.get(experiment.candidate_id, {})
            measured = [m.load for m in experiment.measurements]
            if measured and all(level in levels for level in measured):
                took_s += experiment.measure_s or 0.0
                predicted_s += sum(levels[level] for level in measured)
        return took_s / predicted_s if took_s > 0 and predicted_s > 0 else 1.0


def busy_s(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds in which at least one of the spans (begin, seconds) was under way."""
    busy = reached = 0.0
    for began, seconds in sorted(spans):
        apart = began >= reached
        busy += seconds if apart else max(began + seconds - reached, 0.0)
        reached = max(reached, began + seconds)
    return busy


def time_left_s(plan: LevelPlan, completed: int, wanted: int, taken_s: float) -> float | None:
    """Seconds that a level under way has left at the rate until now; None before its first end."""
    if completed == 0:
        return None
    at_this_rate_s = taken_s / completed * max(wanted - completed, 0)
    return min(at_this_rate_s, max(plan.stop.duration_s - taken_s, 0.0))


MOST_CANDIDATES = 1_000
"""Candidates that are predicted where the frontier is only an estimate, spread over the space."""


@dataclass(frozen=True)
class RecommendedPrediction:
    """The predicted point to take, the reason in words, and whether its means meet the SLO."""

    point: Prediction
    reason: str
    meets_slo: bool


@dataclass(frozen=True)
class PlanEstimate:
    """The forecast of a task at one moment.

    Attributes:
        expected: candidate id -> what is expected of it, in the order of the space.
        candidates: how many the space has; more than `expected` where only some were asked.
        frontier: the predicted points that no other beats, the fastest for a user first; of those
            within the SLO, where any is.
        recommended: the point to expect most of, before anything is launched; None where nothing
            is predicted.
        whys: predictor -> why it answers.
        corrected_by: the observations that changed the predictions.
        minutes: of tuning; None where nothing is predicted.
        usd: of tuning; None where no price is known.
    """

    expected: dict[str, Expected]
    candidates: int
    frontier: tuple[Prediction, ...]
    recommended: RecommendedPrediction | None
    whys: dict[str, str]
    corrected_by: tuple[Observation, ...]
    minutes: float | None
    usd: float | None

    @property
    def observations(self) -> int:
        """How many corrected the predictions."""
        return len(self.corrected_by)

    @property
    def points(self) -> tuple[Prediction, ...]:
        """Everything that is predicted."""
        return tuple(point for found in self.expected.values() for point in found.points)

    @property
    def out_of_memory(self) -> dict[str, Expected]:
        """The candidates that are expected not to fit."""
        return {key: e for key, e in self.expected.items() if e.out_of_memory is not None}

    @property
    def refused(self) -> dict[str, str]:
        """The candidates of which nothing can be said, and why."""
        return {key: e.refused for key, e in self.expected.items() if e.refused is not None}


def estimate_plan(
    prepared: Prepared,
    forecast: Forecast,
    observations: Sequence[Observation],
    *,
    most: int | None = None,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
) -> PlanEstimate:
    """Asks for the candidates of the task; at most `most` of them, spread evenly.

    Args:
        tell: called with how many were asked for, of how many.
    """
    ids = [candidate.id for candidate in prepared.space.candidates]
    asked = [ids[place] for place in spread(len(ids), most or len(ids))]
    expected = forecast.expected_in_batches(asked, observations, progress=tell)
    minutes, usd = tuning_costs(prepared, expected.values())
    points = [point for found in expected.values() for point in found.points]
    corrected = any(found.calibrated for found in expected.values())
    front, recommended = offered(prepared, points)
    return PlanEstimate(
        expected=expected,
        candidates=len(ids),
        frontier=tuple(front),
        recommended=recommended,
        whys=dict(forecast.whys),
        corrected_by=forecast.relevant(observations) if corrected else (),
        minutes=minutes,
        usd=usd,
    )


def offered(
    prepared: Prepared, points: Sequence[Prediction]
) -> tuple[list[Prediction], RecommendedPrediction | None]:
    """The frontier of predicted points, and the one to recommend by what the task asks for."""
    task, price = prepared.task, prepared.usd_per_gpu_hour
    limits, compared = task.slo_limits(), task.compared
    made = [(point, as_point(point, price)) for point in points]
    usable = [pair for pair in made if has(pair[1], compared)]
    meeting = [point for point, figures in usable if within(figures, limits)]
    front = predicted_frontier(meeting or [p for p, _ in usable], task.objectives, price)
    single = len(task.objectives) == 1
    asked = [point for point, _ in usable] if limits or single else front
    chosen = recommend([as_point(point, price) for point in asked], limits, task.objectives)
    if chosen is None:
        return front, None
    figures, reason, meets = chosen
    place = next(
        point
        for point in asked
        if (point.candidate_id, point.load) == (figures.candidate_id, figures.load)
    )
    return front, RecommendedPrediction(place, reason, meets)


def predicted_frontier(
    points: Iterable[Prediction], objectives: Sequence[str], usd_per_gpu_hour: float | None = None
) -> list[Prediction]:
    """The points that no other beats, the fastest for a user first."""
    comparable = [p for p in points if has(as_point(p, usd_per_gpu_hour), objectives)]
    front = pareto_front(
        comparable, lambda point: objective_vector(as_point(point, usd_per_gpu_hour), objectives)
    )
    return sorted(front, key=fastest_first)


def tuning_costs(
    prepared: Prepared, expected: Iterable[Expected]
) -> tuple[float | None, float | None]:
    """Minutes and USD of tuning; None where nothing is predicted, or no price is known.

    Args:
        expected: of candidates, at the load levels that the task measures.
    """
    minutes, price = _minutes(prepared, expected), prepared.price_usd_hour
    return minutes, minutes / 60 * price if minutes is not None and price > 0 else None


def _minutes(prepared: Prepared, expected: Iterable[Expected]) -> float | None:
    """The mean of what is predicted for one launch, for each launch there may be."""
    benchmark = prepared.task.benchmark
    launches_s = [
        (prepared.startup_guess_s + sweep_s(found.points, benchmark))
        * prepared.share(found.points[0].devices)
        for found in expected
        if found.points
    ]
    return statistics.fmean(launches_s) * prepared.engine_starts / 60 if launches_s else None
