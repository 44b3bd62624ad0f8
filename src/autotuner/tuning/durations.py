"""How long launches take: predicted, and corrected by what those of a run have taken. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from autotuner.config import Benchmark
from autotuner.measure import LevelPlan
from autotuner.predict import Prediction
from autotuner.store import ExperimentRecord


def level_s(point: Prediction, benchmark: Benchmark) -> float:
    """Seconds of one level.

    A closed loop of `c` requests takes requests / c rounds of the predicted E2E latency, and no
    longer than the level's time limit.
    """
    requests = max(benchmark.requests_per_level, point.concurrency) + benchmark.warmup_requests
    rounds_s = requests / point.concurrency * point.e2e_ms / 1000
    return min(rounds_s, benchmark.duration_per_level_s)


def sweep_s(points: Iterable[Prediction], benchmark: Benchmark) -> float:
    """Seconds of all levels with their repeats."""
    return benchmark.repeats * sum(level_s(point, benchmark) for point in points)


class LaunchTimes:
    """What launches of a task are expected to take.

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
            key: {point.concurrency: level_s(point, benchmark) for point in points}
            for key, points in predictions.items()
        }
        self._sweeps_s = {
            key: benchmark.repeats * sum(levels.values()) for key, levels in self._levels_s.items()
        }
        levels = len(benchmark.levels) * benchmark.repeats
        self._longest_sweep_s = levels * benchmark.duration_per_level_s
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
        starts = [e.startup_s for e in succeeded if e.startup_s is not None]
        startup_s = statistics.fmean(starts) if starts else self._startup_guess_s
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

    def _pace(self, history: Iterable[ExperimentRecord]) -> float:
        """Seconds that measuring took over those predicted; 1 where nothing tells."""
        took_s = predicted_s = 0.0
        for experiment in history:
            levels = self._levels_s.get(experiment.candidate_id, {})
            measured = [m.concurrency for m in experiment.measurements]
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
