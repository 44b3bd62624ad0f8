"""Probability that points are on the frontier, where launches scatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotuner.certainty.posterior import Floats

SAMPLES = 1_000
_FAR = 6.0
"""Standard deviations beyond which a point cannot be reached by another one."""


@dataclass(frozen=True)
class UncertainPoint:
    """A point, as its launches show it.

    Attributes:
        configuration: points of one configuration scatter together, from launch to launch.
        logs: natural logarithm of each objective, more being better.
        log_stds: their standard errors within launches.
        shared_std: standard deviation of what all objectives of the configuration share: a launch
            that is faster is so in throughput and latency.
    """

    configuration: str
    logs: tuple[float, ...]
    log_stds: tuple[float, ...]
    shared_std: float


def membership(
    front: Sequence[UncertainPoint],
    others: Sequence[UncertainPoint],
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> list[float]:
    """For each point of `front` the probability that no point of another configuration dominates
    it: by Monte Carlo, with the same draws for all.

    Args:
        others: all that may dominate; those of `front` may be among them.
    """
    random = np.random.default_rng(seed)
    points = [*front, *others]
    shared: dict[str, Floats] = {}
    for point in points:
        if point.configuration not in shared:
            shared[point.configuration] = random.standard_normal(samples)
    return [_of(point, others, shared, random, samples) for point in front]


def _of(
    point: UncertainPoint,
    others: Sequence[UncertainPoint],
    shared: dict[str, Floats],
    random: np.random.Generator,
    samples: int,
) -> float:
    own = _drawn(point, shared, random, samples)
    dominated = np.zeros(samples, dtype=bool)
    for other in others:
        if other.configuration != point.configuration and _reaches(other, point):
            drawn = _drawn(other, shared, random, samples)
            dominated |= (drawn >= own).all(1)
    return float(1 - dominated.mean())


def _reaches(other: UncertainPoint, point: UncertainPoint) -> bool:
    """Whether a point may come to dominate another one."""
    apart = zip(other.logs, other.log_stds, point.logs, point.log_stds, strict=True)
    scatter = np.hypot(other.shared_std, point.shared_std)
    return all(
        theirs >= own - _FAR * float(np.hypot(scatter, np.hypot(std, own_std)))
        for theirs, std, own, own_std in apart
    )


def _drawn(
    point: UncertainPoint,
    shared: dict[str, Floats],
    random: np.random.Generator,
    samples: int,
) -> Floats:
    """Draws of a point: `samples x objectives`."""
    within: Floats = random.standard_normal((samples, len(point.logs))) * np.array(point.log_stds)
    together: Floats = shared[point.configuration][:, None] * point.shared_std
    drawn: Floats = np.array(point.logs) + together + within
    return drawn
