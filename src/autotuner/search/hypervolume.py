"""Exact hypervolume in one, two and three dimensions; every coordinate is maximised.

The hypervolume of a set is the volume of what its points dominate above a reference point
(Zitzler and Thiele, 1998). In 1-D it is the greatest distance, in 2-D a staircase. In 3-D the
space is swept along the third coordinate, and each slab has a 2-D staircase for base: dimension
sweep, as in Fonseca, Paquete and Lopez-Ibanez, "An improved dimension-sweep algorithm for the
hypervolume indicator", CEC 2006. Here many sets are swept at once, without their balanced tree:
O(n^2) for each set, since frontiers have tens of points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Vector = tuple[float, ...]
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


def volume_gains(front: Floats, sets: Floats) -> Floats:
    """Volume above the origin that each set adds to a frontier: `...`.

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


def reference_point(front: Sequence[Vector], margin: float = 0.1) -> Vector:
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
