"""Figures of each launch of a candidate, as `certainty` compares configurations by them. Pure."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from autotuner.config import LoadLevel
from autotuner.measure import Measurement
from autotuner.search import OperatingPoint, has, quantity
from autotuner.search.slo import log_merit, served_by
from autotuner.store import ExperimentRecord
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.points import occupied_gpus, operating_points, pooled, pooled_levels

if TYPE_CHECKING:
    from autotuner.certainty import LaunchPosterior

_WITHIN = 0.01
"""Standard error of a figure whose launch does not tell it, as of a recorded mean."""
_SEEN_95 = 1.96


class ComparedLaunch(NamedTuple):
    """A figure of one launch: fields of a `certainty.LaunchFigure`."""

    configuration: str
    at_s: float
    log: float
    log_std: float


def launch_levels(experiment: ExperimentRecord, load: LoadLevel) -> dict[int, list[Measurement]]:
    """Number of a launch -> those of its measurements at a load level that the point's figures are
    of, as `pooled` keeps them; none of a launch that is left out."""
    found: dict[int, list[Measurement]] = defaultdict(list)
    for level in pooled([level for level in experiment.measurements if level.load == load]):
        found[level.launch].append(level)
    return dict(sorted(found.items()))


def launches_left_out(experiment: ExperimentRecord, load: LoadLevel) -> list[int]:
    """Numbers of launches that measured a load level and take no part in its figures."""
    made = {level.launch for level in experiment.measurements if level.load == load}
    return sorted(made - launch_levels(experiment, load).keys())


def launch_points(
    experiment: ExperimentRecord, load: LoadLevel, criteria: Criteria
) -> dict[int, OperatingPoint]:
    """Number of a launch -> its operating point at a load level; none of a launch without one."""
    found: dict[int, OperatingPoint] = {}
    for launch, levels in launch_levels(experiment, load).items():
        points = operating_points(
            experiment.candidate_id,
            levels,
            gpus=occupied_gpus(experiment.settings),
            usd_per_gpu_hour=criteria.usd_per_gpu_hour,
            needs=criteria.needs,
        )
        if points:
            found[launch] = points[0]
    return found


def figures_of(
    experiment: ExperimentRecord, load: LoadLevel, name: str, criteria: Criteria
) -> tuple[ComparedLaunch, ...]:
    """A quantity of every launch that has it at a load level."""
    return _figures(
        experiment, load, criteria, lambda p: (name,), lambda p: math.log(quantity(p, name))
    )


def merits_of(
    experiment: ExperimentRecord, load: LoadLevel, criteria: Criteria
) -> tuple[ComparedLaunch, ...]:
    """The figure by which points are recommended, of every launch at a load level."""
    slo, objectives = criteria.slo, criteria.objectives

    def names(point: OperatingPoint) -> tuple[str, ...]:
        if slo or len(objectives) == 1:
            return (served_by(objectives),)
        # Where every answer has one token there is no speed per user.
        balanced = ("tok_s_per_gpu", "tok_s_per_user")
        return balanced if point.tok_s_per_user is not None else balanced[:1]

    return _figures(experiment, load, criteria, names, lambda p: log_merit(p, slo, objectives))


def _figures(
    experiment: ExperimentRecord,
    load: LoadLevel,
    criteria: Criteria,
    names: Callable[[OperatingPoint], tuple[str, ...]],
    log: Callable[[OperatingPoint], float],
) -> tuple[ComparedLaunch, ...]:
    began_s, levels = began_s_of(experiment), launch_levels(experiment, load)
    found = []
    for launch, point in launch_points(experiment, load, criteria).items():
        if not has(point, names(point)):
            continue
        # Throughput and speed of one launch rise and fall together.
        log_std = sum(standard_error(levels[launch], name) for name in names(point))
        configuration = f"{experiment.candidate_id} {load}"
        found.append(ComparedLaunch(configuration, began_s[launch], log(point), log_std))
    return tuple(found)


def began_s_of(experiment: ExperimentRecord) -> dict[int, float]:
    """Number of a launch -> when it began, in seconds of the task."""
    return {1: experiment.began_s} | {one.launch: one.began_s for one in experiment.relaunches}


def launches_of(experiment: ExperimentRecord) -> int:
    """How many launches of a candidate were completed."""
    again = sum(relaunch.status == "completed" for relaunch in experiment.relaunches)
    return (experiment.status == "completed") + again


def repeated_levels(
    experiments: Iterable[ExperimentRecord],
) -> list[tuple[ExperimentRecord, LoadLevel]]:
    """Candidates that were launched more than once, each with the load level that most of its
    launches measured: they show how much launches scatter."""
    found = []
    for experiment in experiments:
        if launches_of(experiment) > 1:
            levels = pooled_levels(experiment.measurements)
            launches = {(load, level.launch) for load in levels for level in levels[load]}
            counts = Counter(load for load, _ in sorted(launches))
            found.append((experiment, counts.most_common(1)[0][0]))
    return found


@functools.lru_cache(maxsize=256)
def posterior_of(launches: tuple[ComparedLaunch, ...]) -> LaunchPosterior:
    """Posterior of the configurations of these launches; at least one."""
    from autotuner.certainty import LaunchFigure, LaunchPosterior

    return LaunchPosterior([LaunchFigure(*launch) for launch in launches])


def standard_error(repeats: Iterable[Measurement], name: str) -> float:
    """Of the logarithm of a mean, from the sample of requests; for rates of what TPOT has."""
    field = "ttft_ms" if name.startswith("ttft") else "tpot_ms"
    shares = []
    for repeat in repeats:
        sample = getattr(repeat, field) or repeat.e2e_ms
        if sample is None or sample.ci95 is None or not sample.mean:
            return _WITHIN
        shares.append(sample.ci95 / _SEEN_95 / sample.mean)
    if not shares:
        return _WITHIN
    return math.sqrt(sum(share**2 for share in shares)) / len(shares)
