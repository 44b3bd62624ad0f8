"""The Pareto frontier and its hypervolume; every coordinate is maximised.

Dominance and the frontier; exact hypervolume in one, two and three dimensions; hypervolume on the
scale of one frontier (normalised); and how much further points improve on those that a search has.

The hypervolume of a set is the volume of what its points dominate above a reference point
(Zitzler and Thiele, 1998). In 1-D it is the greatest distance, in 2-D a staircase. In 3-D the
space is swept along the third coordinate, and each slab has a 2-D staircase for base: dimension
sweep, as in Fonseca, Paquete and Lopez-Ibanez, "An improved dimension-sweep algorithm for the
hypervolume indicator", CEC 2006. Here many sets are swept at once, without their balanced tree:
O(n^2) for each set, since frontiers have tens of points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from autotuner.search.points import OBJECTIVES, OperatingPoint, quantity
from autotuner.search.slo import within, worst_excess

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


T = TypeVar("T")


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether `a` is nowhere worse than `b` and somewhere better."""
    return all(x >= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def pareto_front(items: Iterable[T], key: Callable[[T], tuple[float, ...]]) -> list[T]:
    """The items that no other dominates, in the order given; of equal ones only the first."""
    import numpy as np  # heavy, and no command needs it to start

    known = list(items)
    vectors = [key(item) for item in known]
    if not vectors:
        return []
    return [known[place] for place in front_places(np.array(vectors, float))]


def front_places(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Which rows of `n x d` values no other dominates, rising; of equal rows only the first.

    By descending coordinates every row stands behind all that dominate it. In one and two
    dimensions a row of the frontier is then one whose last coordinate exceeds all before it; with
    more, each row of the frontier takes out what it dominates: O(n x frontier).
    """
    import numpy as np

    order = np.lexsort((*-values.T[::-1],))  # stable: of equal rows the first comes first
    left = values[order]
    if left.shape[1] <= 2:
        last = left[:, -1]
        before = np.r_[-np.inf, np.maximum.accumulate(last)[:-1]]
        front = order[(last > before) | (np.arange(len(last)) == 0)]
        return np.sort(front[:1] if left.shape[1] == 1 else front)
    front = []
    while len(left):
        front.append(order[0])
        better = (left > left[0]).any(1)
        left, order = left[better], order[better]
    return np.sort(np.array(front, dtype=np.int64))


Vector = tuple[float, ...]
MARGIN = 0.1
"""Share of a frontier's extent by which the reference point lies below its nadir."""
_LEAST = 1e-9
"""A measured latency of zero has no logarithm."""
_AT_ONCE = 32_768
"""Coordinates of the sets that are swept together: so many stay in a processor's cache."""


def hypervolume(points: Sequence[Vector], reference: Vector) -> float:
    """Volume dominated by `points` above `reference`.

    Args:
        points: `n x d` with d = 1, 2 or 3; dominated ones and ones below the reference add nothing.
        reference: `d` coordinates.

    Raises:
        ValueError: d is not 1, 2 or 3, lengths differ, or a coordinate is not finite.
    """
    import numpy as np  # heavy, and no command needs it to start

    dimensions = len(reference)
    if not 1 <= dimensions <= 3:
        raise ValueError(f"expected 1, 2 or 3 dimensions, got {dimensions}")
    for point in (*points, reference):
        if len(point) != dimensions:
            raise ValueError(f"got {point} with {len(point)} elements, expected {dimensions}")
        if not all(map(math.isfinite, point)):
            raise ValueError(f"got {point}: every coordinate has to be finite")
    shifted = np.array(points, float).reshape(-1, dimensions) - np.array(reference, float)
    return float(volumes(shifted[None])[0])


def volumes(sets: Floats) -> Floats:
    """Volume that each of `b x n x d` sets dominates above the origin: `b`."""
    import numpy as np

    size = max(_AT_ONCE // max(sets.shape[1], 1), 1)
    parts = [_swept(sets[begin : begin + size]) for begin in range(0, len(sets), size)]
    return np.concatenate([np.zeros(0), *parts])


def hypervolume_improvements(front: Floats, sets: Floats) -> Floats:
    """Volume above the origin that each set adds to a frontier (its improvement): `...`.

    Args:
        front: `f x d`. sets: `... x n x d`; points that are not above the origin add nothing.
    """
    import numpy as np

    shape, (size, dimensions) = sets.shape[:-2], sets.shape[-2:]
    sets = sets.reshape(-1, size, dimensions)
    coordinates = np.ascontiguousarray(sets.reshape(-1, dimensions).T)
    beyond = np.flatnonzero(np.logical_and.reduce(coordinates > 0))
    for point in front:
        beyond = beyond[np.logical_or.reduce(coordinates[:, beyond] > point[:, None])]
    adds = np.zeros(len(sets) * size, bool)
    adds[beyond] = True
    adds = adds.reshape(-1, size)
    gains = np.zeros(len(sets))
    some = np.flatnonzero(adds.any(1))
    if not len(some):
        return gains.reshape(shape)
    # Of each set what adds something comes first, so that the rest can be cut off.
    most = int(adds[some].sum(1).max())
    first = np.argsort(~adds[some], axis=1, kind="stable")[:, :most]
    kept = np.take_along_axis(adds[some], first, 1)
    new = np.where(kept[..., None], np.take_along_axis(sets[some], first[..., None], 1), 0.0)
    old = np.broadcast_to(front, (len(some), *front.shape))
    gains[some] = np.maximum(
        volumes(np.concatenate([new, old], axis=1)) - volumes(front[None]), 0.0
    )
    return gains.reshape(shape)


def reference_point(front: Sequence[Vector], margin: float = MARGIN) -> Vector:
    """Nadir - `margin` x (ideal - nadir) of a frontier, coordinate by coordinate.

    A coordinate in which the frontier has no extent gets `margin` of its magnitude instead, so
    that a single point still has a volume.

    Raises:
        ValueError: the frontier is empty.
    """
    if not front:
        raise ValueError("an empty frontier has no reference point")
    reference = []
    for values in zip(*front, strict=True):
        nadir, ideal = min(values), max(values)
        reference.append(nadir - margin * ((ideal - nadir) or abs(nadir) or 1.0))
    return tuple(reference)


def _swept(sets: Floats) -> Floats:
    """As `volumes`; point by point, since the same step of many sets is one quick operation."""
    import numpy as np

    coordinates = np.ascontiguousarray(np.moveaxis(sets, -1, 0).swapaxes(1, 2))
    coordinates = np.where(np.logical_and.reduce(coordinates > 0), coordinates, 0.0)
    x, *others = coordinates  # each `n x b`
    if not len(x):
        return np.zeros(len(sets))
    if not others:
        return np.asarray(x.max(0))
    order = np.argsort(-x, axis=0)
    x, *others = (np.take_along_axis(some, order, 0) for some in coordinates)
    widths = x - np.r_[x[1:], np.zeros((1, len(sets)))]
    y = others[0]
    if len(others) == 1:
        return _areas(widths, y)
    z = others[1]
    levels = -np.sort(-z, axis=0)
    slabs = levels - np.r_[levels[1:], np.zeros((1, len(sets)))]
    swept = np.zeros(len(sets))
    for level, slab in zip(levels, slabs, strict=True):
        if slab.any():
            swept += slab * _areas(widths, np.where(z >= level, y, 0.0))
    return swept


def _areas(widths: Floats, y: Floats) -> Floats:
    """Of staircases whose steps come from the farthest to the nearest: `n x b` give `b`."""
    import numpy as np

    return np.asarray(np.einsum("nb,nb->b", widths, np.maximum.accumulate(y, axis=0)))


@dataclass(frozen=True)
class NormalisedHypervolume:
    """Hypervolume on the scale of one frontier, as `normalised_by` makes it.

    A quantity to be maximised counts linearly, one to be minimised by minus its logarithm, since
    latencies span decades. Each coordinate is 0 at the frontier's nadir and 1 at its ideal, and the
    reference point lies 0.1 below the nadir: a share means the same whatever the units.

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

    def improvement(self, vectors: Sequence[Vector], new: Sequence[Vector]) -> float:
        """Hypervolume that `new` adds to `vectors`."""
        import numpy as np  # heavy, and no command needs it to start

        shape = (-1, len(self.objectives))
        front, sweep = (np.array(some, float).reshape(shape) for some in (vectors, new))
        return float(hypervolume_improvements(front, sweep))

    def _scaled(self, raw: Vector) -> Vector:
        parts = zip(raw, self.nadir, self.extent, strict=True)
        return tuple((x - low) / extent + MARGIN for x, low, extent in parts)


def normalised_by(
    points: Iterable[OperatingPoint],
    objectives: Sequence[str],
    *,
    beside: Iterable[OperatingPoint] = (),
) -> NormalisedHypervolume:
    """Hypervolume normalised by the frontier of `points`.

    A coordinate in which the frontier has no extent is scaled by its magnitude.

    Args:
        beside: points with a frontier of their own that the scale spans too.

    Raises:
        ValueError: there are no points.
    """
    fronts = [*_front(points, objectives), *_front(beside, objectives)]
    if not fronts:
        raise ValueError("without points there is no scale")
    nadir = tuple(map(min, zip(*fronts, strict=True)))
    ideal = tuple(map(max, zip(*fronts, strict=True)))
    extent = tuple((high - low) or abs(high) or 1.0 for low, high in zip(nadir, ideal, strict=True))
    return NormalisedHypervolume(tuple(objectives), nadir, extent)


def _front(points: Iterable[OperatingPoint], objectives: Sequence[str]) -> list[Vector]:
    return pareto_front((_raw(point, objectives) for point in points), lambda vector: vector)


def _raw(point: OperatingPoint, objectives: Sequence[str]) -> Vector:
    return tuple(
        value if OBJECTIVES[name].maximise else -math.log10(max(value, _LEAST))
        for name, value in ((name, quantity(point, name)) for name in objectives)
    )


@dataclass(frozen=True)
class Incumbent:
    """The points that a search has to improve on.

    Attributes:
        points: of every launch, within the SLO or not; at least one.
        objectives: with one, the best point counts; with two or three, the frontier.
    """

    points: tuple[OperatingPoint, ...]
    objectives: tuple[str, ...]
    slo: Mapping[str, float]

    def improvement(self, new: Iterable[OperatingPoint]) -> float:
        """Share of the incumbent that `new` would add; 0 where it adds nothing.

        Of its hypervolume, or with one objective of its best value. Where nothing meets the SLO
        yet: by what share the worst excess shrinks, and 1 where it is gone.
        """
        new = tuple(new)
        feasible = [point for point in new if within(point, self.slo)]
        if not self.feasible:
            return self._nearer(new) if not feasible else 1.0
        if not feasible:
            return 0.0
        if len(self.objectives) == 1:
            return self._better(feasible)
        vectors = self._normalised.vectors(feasible)
        return self._normalised.improvement(self._vectors, vectors) / self._normalised.volume(
            self._vectors
        )

    @cached_property
    def feasible(self) -> tuple[OperatingPoint, ...]:
        """The points that meet the SLO."""
        return tuple(point for point in self.points if within(point, self.slo))

    @cached_property
    def _normalised(self) -> NormalisedHypervolume:
        return normalised_by(self.feasible, self.objectives)

    @cached_property
    def _vectors(self) -> list[Vector]:
        return self._normalised.vectors(self.feasible)

    def _better(self, new: Sequence[OperatingPoint]) -> float:
        (name,) = self.objectives
        best, best_new = (_best(points, name) for points in (self.feasible, new))
        ratio = best_new / best if OBJECTIVES[name].maximise else best / best_new
        return max(ratio - 1, 0.0)

    def _nearer(self, new: Sequence[OperatingPoint]) -> float:
        excess, excess_new = (
            min((worst_excess(p, self.slo)[0] for p in points), default=float("inf"))
            for points in (self.points, new)
        )
        return max(1 - excess_new / excess, 0.0)


def _best(points: Sequence[OperatingPoint], name: str) -> float:
    values = [quantity(point, name) for point in points]
    return max(values) if OBJECTIVES[name].maximise else min(values)
