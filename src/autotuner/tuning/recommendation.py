"""The point that a task recommends: the best one, or a simpler one that is as good within noise.

A setting that gains nothing beyond the scatter of launches is a setting to maintain for nothing. So
of the points that the best one does not beat beyond noise the one is recommended whose
configuration changes the fewest settings of the baseline; the best as measured stands beside it.
Without a baseline there is nothing to count from, and the best is recommended. Pure.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.search import OperatingPoint
from autotuner.search.points import percent
from autotuner.search.slo import log_merit, recommend, verdict, within
from autotuner.store import ExperimentRecord
from autotuner.tuning.baseline import PLANNED, changed_settings
from autotuner.tuning.baseline_words import gain
from autotuner.tuning.launch_figures import (
    ComparedLaunch,
    figures_of,
    launches_of,
    merits_of,
    posterior_of,
    repeated_levels,
)
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.points import levels_that_count, outcome
from autotuner.tuning.representative import frontier, recommended

NOISE = 0.84
"""Probability up to which one point is not better than another one beyond noise: that of a
difference of one standard deviation."""
_EVEN = 0.5
_NEAR = 0.3
"""Difference of logarithms beyond which launches do not differ by chance: 35 %."""
_SHOWN = ("tok_s", "tok_s_per_gpu", "ttft_ms", "tpot_ms", "e2e_p90_ms")
_BALANCED = ("tok_s_per_gpu", "tok_s_per_user")


@dataclass(frozen=True)
class BestMeasured:
    """The best point as measured, where a simpler one is recommended.

    Attributes:
        ratio: its figure over that of the recommended one, by which points are recommended.
        probability_better: that it is better.
        overrides: settings that it changes of the baseline's.
    """

    point: OperatingPoint
    ratio: float
    probability_better: float
    overrides: int


@dataclass(frozen=True)
class RecommendedPoint:
    """The point to serve with.

    Attributes:
        reason: in words.
        meets_slo: whether its values are within all limits.
        overrides: settings that it changes of the baseline's; None without a baseline.
        best: None where it is the best one itself.
    """

    point: OperatingPoint
    reason: str
    meets_slo: bool
    overrides: int | None = None
    best: BestMeasured | None = None


def recommendation_of(
    experiments: Sequence[ExperimentRecord], plan: Mapping[str, Any], criteria: Criteria
) -> RecommendedPoint | None:
    """The recommendation of a task; None while no completed launch has an operating point.

    Args:
        plan: of the task, which keeps its baseline.
    """
    completed = {e.candidate_id: e for e in experiments if e.status == "completed"}
    points = {key: points_of(e, criteria) for key, e in completed.items()}
    every = [point for found in points.values() for point in found]
    front = frontier(every, criteria.objectives, criteria.slo)
    best = recommended(every, front, criteria.objectives, criteria.slo)
    if best is None:
        return None
    point, reason, meets_slo = best
    if meets_slo:
        point, reason = _by_all_launches(completed, points, point, reason, criteria)
    baseline = (plan.get(PLANNED) or {}).get("settings")
    if baseline is None:
        return RecommendedPoint(point, reason, meets_slo)
    count = {key: len(list(changed_settings(baseline, e.settings))) for key, e in completed.items()}
    own = count[point.candidate_id]
    if meets_slo:
        simpler = [
            (count[key], other)
            for key, found in points.items()
            if count[key] < own
            for other in best_within(found, criteria, point)
        ]
        simpler.sort(key=lambda one: (one[0], -merit(one[1], criteria)))
        for overrides, other in simpler:
            found = _as_good(completed, other, point, own, criteria)
            if found is not None:
                why = _why(completed, other, overrides, found, reason)
                return RecommendedPoint(other, why, True, overrides, found)
    return RecommendedPoint(point, reason, meets_slo, own)


def best_point(
    experiments: Sequence[ExperimentRecord], plan: Mapping[str, Any], criteria: Criteria
) -> dict[str, Any] | None:
    """The recommended point of what is finished, as a list of tasks shows it."""
    found = recommendation_of(experiments, plan, criteria)
    if found is None:
        return None
    point, levels = found.point, levels_that_count(experiments)
    return {
        "experiment_index": next(
            e.index for e in experiments if e.candidate_id == point.candidate_id
        ),
        "candidate": point.candidate_id,
        "load": point.load.to_json(),
        **{name: getattr(point, name) for name in _SHOWN},
        "meets_slo": found.meets_slo if criteria.slo else None,
        "levels": len(levels),
        "disturbed_levels": sum(level.is_disturbed for level in levels),
    }


def points_of(experiment: ExperimentRecord, criteria: Criteria) -> tuple[OperatingPoint, ...]:
    """Operating points of a completed experiment that take part."""
    return outcome(experiment, criteria.usd_per_gpu_hour, criteria.needs).points


def best_within(
    points: Sequence[OperatingPoint], criteria: Criteria, like: OperatingPoint
) -> Iterator[OperatingPoint]:
    """The best point of a candidate that meets the SLO as clearly as another one does; none where
    it has none: a point that meets it clearly is preferred to any that does so barely."""
    if verdict(like, criteria.slo) == "meets":
        inside = [point for point in points if verdict(point, criteria.slo) == "meets"]
    else:
        inside = [point for point in points if within(point, criteria.slo)]
    found = recommend(inside, criteria.slo, criteria.objectives)
    if found is not None:
        yield found[0]


def _by_all_launches(
    completed: Mapping[str, ExperimentRecord],
    points: Mapping[str, Sequence[OperatingPoint]],
    best: OperatingPoint,
    reason: str,
    criteria: Criteria,
) -> tuple[OperatingPoint, str]:
    """The best point by the posterior, where candidates were launched again; else as measured.

    The posterior takes a drift of the machine out: a candidate that was launched again when the
    machine was slower does not lose its place to one that was launched early, once.
    """
    again = [key for key, e in completed.items() if launches_of(e) > 1]
    others = [
        point
        for key in again
        if key != best.candidate_id
        for point in best_within(points[key], criteria, best)
    ]
    found = {p: merits_of(completed[p.candidate_id], p.load, criteria) for p in (best, *others)}
    if not again or not found[best]:
        return best, reason
    known = {point: launches for point, launches in found.items() if launches}
    posterior = posterior_of(tuple(one for launches in known.values() for one in launches))
    ratios = {
        point: posterior.ratio(launches[0].configuration, known[best][0].configuration)
        for point, launches in known.items()
    }
    likeliest = max(ratios, key=lambda point: ratios[point].median)
    if likeliest is best or ratios[likeliest].above_one <= _EVEN:
        return best, reason
    index = completed[best.candidate_id].index
    sure = percent(ratios[likeliest].above_one)
    return likeliest, (
        f"the best by all launches, better with {sure} than launch {index} at {best.load}, whose "
        f"figures are higher as measured: {reason}"
    )


def merit(point: OperatingPoint, criteria: Criteria) -> float:
    """Natural logarithm of the figure by which a task prefers a point."""
    return log_merit(point, criteria.slo, criteria.objectives)


def _as_good(
    completed: Mapping[str, ExperimentRecord],
    simpler: OperatingPoint,
    best: OperatingPoint,
    overrides: int,
    criteria: Criteria,
) -> BestMeasured | None:
    """The best point beside a simpler one that it does not beat beyond noise; else None."""
    if merit(best, criteria) - merit(simpler, criteria) > _NEAR:
        return None
    own, other = completed[best.candidate_id], completed[simpler.candidate_id]
    pairs = [(merits_of(own, best.load, criteria), merits_of(other, simpler.load, criteria))]
    if not criteria.slo and len(criteria.objectives) > 1:
        pairs += [
            (figures_of(own, best.load, q, criteria), figures_of(other, simpler.load, q, criteria))
            for q in _BALANCED
        ]
    scatter = tuple(
        launch
        for experiment, load in repeated_levels(completed.values())
        if experiment.id not in (own.id, other.id)
        for launch in merits_of(experiment, load, criteria)
    )
    ratios = [
        _ratio(*pair, scatter if place == 0 else ())
        for place, pair in enumerate(pairs)
        if all(pair)
    ]
    if not ratios or any(better > NOISE for _, better in ratios):
        return None
    return BestMeasured(best, *ratios[0], overrides)


@functools.lru_cache(maxsize=8_192)
def _ratio(
    best: tuple[ComparedLaunch, ...],
    simpler: tuple[ComparedLaunch, ...],
    scatter: tuple[ComparedLaunch, ...],
) -> tuple[float, float]:
    posterior = posterior_of((*best, *simpler, *scatter))
    found = posterior.ratio(best[0].configuration, simpler[0].configuration)
    return found.median, found.above_one


def _why(
    completed: Mapping[str, ExperimentRecord],
    simpler: OperatingPoint,
    overrides: int,
    best: BestMeasured,
    reason: str,
) -> str:
    index = completed[best.point.candidate_id].index
    fewer = f"changes {_settings(overrides)} of the baseline's where that changes {best.overrides}"
    return (
        f"as good within noise as launch {index} at {best.point.load} ({gain(best.ratio)}, better "
        f"with {percent(best.probability_better)}), and {fewer}; launch {index}: {reason}"
    )


def _settings(count: int) -> str:
    return "no setting" if not count else f"{count} setting{'' if count == 1 else 's'}"
