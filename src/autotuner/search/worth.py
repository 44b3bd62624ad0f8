"""What sweeps are worth: hypervolume on the scale of one frontier.

A quantity to be maximised counts linearly, one to be minimised by minus its logarithm, since
latencies span decades. Each coordinate is scaled to 0 at the frontier's nadir and 1 at its ideal,
and the reference point lies 0.1 below the nadir: a share of this hypervolume means the same
whatever the units.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autotuner.search.hypervolume import Vector, hypervolume, volume_gains
from autotuner.search.pareto import pareto_front
from autotuner.search.points import OBJECTIVES, OperatingPoint, quantity

_MARGIN = 0.1
_LEAST = 1e-9
"""A measured latency of zero has no logarithm."""


@dataclass(frozen=True)
class Worth:
    """A scale, as `scale_of` finds it.

    Attributes:
        objectives: one, two or three.
        nadir: `d` coordinates, the worst of the frontier; `extent`: its ideal minus its nadir.
    """

    objectives: tuple[str, ...]
    nadir: Vector
    extent: Vector

    def vectors(self, points: Iterable[OperatingPoint]) -> list[Vector]:
        """Scaled coordinates of those that nothing among `points` beats; `n x d`."""
        scaled = (self._scaled(_raw(point, self.objectives)) for point in points)
        return pareto_front(scaled, lambda vector: vector)

    def volume(self, vectors: Sequence[Vector]) -> float:
        """Hypervolume of scaled coordinates."""
        return hypervolume(vectors, (0.0,) * len(self.objectives))

    def added(self, vectors: Sequence[Vector], new: Sequence[Vector]) -> float:
        """Hypervolume that `new` adds to `vectors`."""
        import numpy as np  # heavy, and no command needs it to start

        shape = (-1, len(self.objectives))
        front, sweep = (np.array(some, float).reshape(shape) for some in (vectors, new))
        return float(volume_gains(front, sweep))

    def _scaled(self, raw: Vector) -> Vector:
        parts = zip(raw, self.nadir, self.extent, strict=True)
        return tuple((x - low) / extent + _MARGIN for x, low, extent in parts)


def scale_of(
    points: Iterable[OperatingPoint],
    objectives: Sequence[str],
    *,
    beside: Iterable[OperatingPoint] = (),
) -> Worth:
    """The scale of the frontier of `points`.

    A coordinate in which the frontier has no extent is scaled by its magnitude.

    Args:
        beside: points with a frontier of their own that the scale spans too.

    Raises:
        ValueError: there are no points.
    """
    fronts = [*_front(points, objectives), *_front(beside, objectives)]
    if not fronts:
        raise ValueError("no points have no scale")
    nadir = tuple(map(min, zip(*fronts, strict=True)))
    ideal = tuple(map(max, zip(*fronts, strict=True)))
    extent = tuple((high - low) or abs(high) or 1.0 for low, high in zip(nadir, ideal, strict=True))
    return Worth(tuple(objectives), nadir, extent)


def _front(points: Iterable[OperatingPoint], objectives: Sequence[str]) -> list[Vector]:
    return pareto_front((_raw(point, objectives) for point in points), lambda vector: vector)


def _raw(point: OperatingPoint, objectives: Sequence[str]) -> Vector:
    return tuple(
        value if OBJECTIVES[name].maximise else -math.log10(max(value, _LEAST))
        for name, value in ((name, quantity(point, name)) for name in objectives)
    )
