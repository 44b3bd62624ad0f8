"""What a launch's whole sweep is expected to add: to the frontier, or to the best feasible point.

Samples of a sweep's true figures are laid over what is measured; the volume that the union gains,
averaged over samples, is the expected hypervolume improvement (M. Emmerich, K. Giannakoglou,
B. Naujoks, "Single- and multiobjective evolutionary optimization assisted by Gaussian random field
metamodels", IEEE Trans. Evol. Comput. 10, 2006), here of all levels of one launch together. A
sample's level that does not run adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotuner.search.hybrid.rows import Floats

SLICES = 10
"""Of the third coordinate, over which volumes are summed."""
MARGIN = 0.1
"""The reference point lies this share of the frontier's extent below its nadir."""


@dataclass(frozen=True)
class Frame:
    """Coordinates in which every objective counts alike.

    Attributes:
        nadir, extent: of the expected frontier, one for each objective: `d`.
    """

    nadir: Floats
    extent: Floats

    def scaled(self, values: Floats) -> Floats:
        """Coordinates above the reference point: `... x d`, of values to be maximised."""
        return np.asarray((values - self.nadir) / self.extent + MARGIN)


def frame(values: Floats) -> Frame:
    """The frame of the frontier of `n x d` values, to be maximised.

    With one objective that is a single point, which says nothing of scale: the frame is that of all
    values, so that the best within an SLO counts however far below the best of all it lies.
    """
    front = frontier(values) if values.shape[1] > 1 else values
    nadir, ideal = front.min(0), front.max(0)
    size = np.where(np.abs(nadir) > 0, np.abs(nadir), 1.0)
    return Frame(nadir, np.where(ideal > nadir, ideal - nadir, size))


def frontier(values: Floats) -> Floats:
    """The rows of `n x d` that no other dominates: `f x d`.

    Each round takes the largest sum left, which nothing left dominates, and drops what it does.
    """
    left, front = values, []
    while len(left):
        best = left[np.argmax(left.sum(1))]
        front.append(best)
        left = left[(left > best).any(1)]
    return np.array(front).reshape(-1, values.shape[1])


def volume(front: Floats) -> float:
    """What a frontier of `f x d` coordinates dominates; with one objective, its best value."""
    return float(volume_gains(front[:0], front[None, None])[0, 0]) if len(front) else 0.0


def volume_gains(front: Floats, samples: Floats) -> Floats:
    """Volume that each sampled sweep adds to a frontier: `s x c`.

    Args:
        front: `f x d` coordinates, d = 1, 2 or 3.
        samples: `s x c x l x d`; a level that adds nothing has coordinates that are not above 0.
    """
    if samples.shape[-1] == 1:
        reached = front.max(initial=0.0)
        return np.asarray(np.maximum(samples[..., 0].max(-1) - reached, 0.0))
    together = np.concatenate(
        [samples, np.broadcast_to(front, (*samples.shape[:2], *front.shape))], axis=2
    )
    return np.asarray(_volume(together) - _volume(front[None, None]))


def _volume(points: Floats) -> Floats:
    """Dominated above the origin, of `... x p x d` points: `...`."""
    above = (points > 0).all(-1)
    x = np.where(above, points[..., 0], 0.0)
    order = np.argsort(-x, axis=-1)
    x = np.take_along_axis(x, order, -1)
    y = np.take_along_axis(np.where(above, points[..., 1], 0.0), order, -1)
    widths = x - np.concatenate([x[..., 1:], np.zeros((*x.shape[:-1], 1))], axis=-1)
    if points.shape[-1] == 2:
        return _area(widths, y)
    z = np.take_along_axis(np.where(above, points[..., 2], 0.0), order, -1)
    thickness = (1 + 2 * MARGIN) / SLICES
    heights = (np.arange(SLICES) + 0.5) * thickness
    slices = [_area(widths, np.where(z >= height, y, 0.0)) for height in heights]
    return np.asarray(sum(slices) * thickness)


def _area(widths: Floats, y: Floats) -> Floats:
    return np.asarray((widths * np.maximum.accumulate(y, axis=-1)).sum(-1))


def padded(blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of different lengths as one array, and which of its entries are real: `c x l`."""
    longest = max(len(block) for block in blocks)
    filled = np.array([np.r_[b, np.repeat(b[-1], longest - len(b))] for b in blocks])
    real = np.array([np.arange(longest) < len(block) for block in blocks])
    return filled, real
