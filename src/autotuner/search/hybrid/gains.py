"""What a launch's whole sweep is expected to add: to the frontier, or to the best feasible point.

Samples of a sweep's true figures are laid over what is measured; the volume that the union gains,
averaged over samples, is the expected hypervolume improvement (M. Emmerich, K. Giannakoglou,
B. Naujoks, "Single- and multiobjective evolutionary optimization assisted by Gaussian random field
metamodels", IEEE Trans. Evol. Comput. 10, 2006), here of all levels of one launch together. A
sample's level that does not run adds nothing. `search.hypervolume` has the volumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotuner.search.hybrid.rows import Floats
from autotuner.search.pareto import front_places

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
    """The rows of `n x d` that no other dominates: `f x d`."""
    return values[front_places(values)]


def padded(blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of different lengths as one array, and which of its entries are real: `c x l`."""
    longest = max(len(block) for block in blocks)
    filled = np.array([np.r_[b, np.repeat(b[-1], longest - len(b))] for b in blocks])
    real = np.array([np.arange(longest) < len(block) for block in blocks])
    return filled, real
