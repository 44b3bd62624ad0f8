"""Gaussian process regression on what a base predictor gets wrong. Pure.

C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006, equations
2.23 and 2.24; the covariance is `likeness.covariance`, the mean before anything is learnt is 0: the
base predictor as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotuner.predict.likeness import Constants, Place, covariance

if TYPE_CHECKING:
    from autotuner.predict.likeness import Array

LARGEST_RESIDUAL = 2.5
"""Residuals beyond a factor of e^2.5 = 12 count as that: a row that far off is rarely what its
fields say, and must not bend its neighbours."""


@dataclass(frozen=True)
class Belief:
    """Residuals ln(measured / predicted) at `n` places, as a normal distribution.

    Attributes:
        mean: `n`.
        covariance: `n x n`, of the true residuals, without a measurement's noise.
        noise: variance of one measurement.
    """

    mean: Array
    covariance: Array
    noise: float

    @property
    def log_std(self) -> Array:
        """Standard deviation of one measurement's residual, noise included: `n`."""
        import numpy as np

        std: Array = np.sqrt(np.maximum(np.diag(self.covariance), 0.0) + self.noise)
        return std

    def after(self, seen: Sequence[int], residuals: Sequence[float]) -> Belief:
        """The belief at all places once the residuals at some of them are measured.

        Args:
            seen: their positions. residuals: one for each.
        """
        import numpy as np

        if not len(seen):
            return self
        at = np.asarray(seen)
        towards = self.covariance[at]
        told = self.covariance[np.ix_(at, at)] + self.noise * np.eye(len(at))
        weights = np.linalg.solve(told, towards).T
        surprise = clipped(residuals) - self.mean[at]
        return Belief(
            self.mean + weights @ surprise, self.covariance - weights @ towards, self.noise
        )


def most_telling(beliefs: Sequence[Belief], launches: Sequence[Sequence[int]]) -> int:
    """Which launch, once measured, would leave the least variance over all places.

    Needs no measurement: what is learnt depends on the values, how sure one gets does not. Taken
    one after the other this is the A-optimal design, chosen greedily (D. A. Cohn, Z. Ghahramani,
    M. I. Jordan, "Active Learning with Statistical Models", JAIR 4, 1996).

    Args:
        beliefs: of the quantities wanted, over the same places; each counts by its own variance.
        launches: for each launch the positions of its places, not empty.
    """
    gains = [sum(_explained(belief, seen) for belief in beliefs) for seen in launches]
    return max(range(len(launches)), key=gains.__getitem__)


def _explained(belief: Belief, seen: Sequence[int]) -> float:
    """The share of a belief's total variance that measuring some places would take away."""
    import numpy as np

    at = np.asarray(seen)
    towards = belief.covariance[at]
    told = belief.covariance[np.ix_(at, at)] + belief.noise * np.eye(len(at))
    taken = (towards * np.linalg.solve(told, towards)).sum()
    return float(taken / max(np.trace(belief.covariance), 1e-300))


class Learnt:
    """What measured residuals teach; ask it about any places.

    Args:
        places, residuals: where was measured, and ln(measured / predicted) there.
    """

    def __init__(
        self, places: Sequence[Place], residuals: Sequence[float], constants: Constants
    ) -> None:
        self._places = tuple(places)
        self._constants = constants
        self._weights: Any = None
        self._root: Any = None
        if self._places:
            import numpy as np

            told = covariance(self._places, self._places, constants)
            self._root = np.linalg.cholesky(told + constants.noise * np.eye(len(self._places)))
            halfway = np.linalg.solve(self._root, clipped(residuals))
            self._weights = np.linalg.solve(self._root.T, halfway)

    def at(self, places: Sequence[Place]) -> Belief:
        """The belief at some places, with the covariance among them."""
        import numpy as np

        own = covariance(places, places, self._constants)
        if not self._places:
            return Belief(np.zeros(len(places)), own, self._constants.noise)
        across = covariance(self._places, places, self._constants)
        explained = np.linalg.solve(self._root, across)
        return Belief(
            across.T @ self._weights, own - explained.T @ explained, self._constants.noise
        )


def clipped(residuals: Sequence[float] | Array) -> Array:
    """Residuals, none beyond `LARGEST_RESIDUAL`."""
    import numpy as np

    kept: Array = np.clip(np.asarray(residuals, float), -LARGEST_RESIDUAL, LARGEST_RESIDUAL)
    return kept
