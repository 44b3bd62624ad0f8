"""Exact hypervolume in one, two and three dimensions; every coordinate is maximised.

The hypervolume of a set is the volume of what its points dominate above a reference point
(Zitzler and Thiele, 1998). In 1-D it is the greatest distance, in 2-D a staircase. In 3-D the
space is swept along the third coordinate, and each slab has a 2-D staircase for base: dimension
sweep, as in Fonseca, Paquete and Lopez-Ibanez, "An improved dimension-sweep algorithm for the
hypervolume indicator", CEC 2006, here without their balanced tree, O(n^2 log n), since frontiers
have tens of points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = tuple[float, ...]


def hypervolume(points: Sequence[Vector], reference: Vector) -> float:
    """Volume dominated by `points` above `reference`.

    Args:
        points: `n x d` with d = 1, 2 or 3; dominated ones and ones below the reference add nothing.
        reference: `d` coordinates.

    Raises:
        ValueError: d is not 1, 2 or 3, lengths differ, or a coordinate is not finite.
    """
    dimensions = len(reference)
    if dimensions not in _MEASURES:
        raise ValueError(f"expected 1, 2 or 3 dimensions, got {dimensions}")
    for point in (*points, reference):
        if len(point) != dimensions:
            raise ValueError(f"got {point} with {len(point)} elements, expected {dimensions}")
        if not all(map(math.isfinite, point)):
            raise ValueError(f"got {point}: every coordinate has to be finite")
    shifted = [tuple(x - r for x, r in zip(p, reference, strict=True)) for p in points]
    above = [point for point in shifted if min(point) > 0]
    return _MEASURES[dimensions](above)


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


def _length(points: Sequence[Vector]) -> float:
    return max((point[0] for point in points), default=0.0)


def _area(points: Sequence[Vector]) -> float:
    area = reached = 0.0
    for x, y in sorted(((p[0], p[1]) for p in points), reverse=True):
        if y > reached:
            area += x * (y - reached)
            reached = y
    return area


def _volume(points: Sequence[Vector]) -> float:
    volume = 0.0
    ordered = sorted(points, key=lambda point: point[2], reverse=True)
    for index, point in enumerate(ordered):
        below = ordered[index + 1][2] if index + 1 < len(ordered) else 0.0
        if point[2] > below:
            volume += _area(ordered[: index + 1]) * (point[2] - below)
    return volume


_MEASURES = {1: _length, 2: _area, 3: _volume}
