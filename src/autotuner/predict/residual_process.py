"""Residuals ln(measured / predicted) as a Gaussian process, by the kernel of calibration.

The mean before anything is measured is 0: the base predictor as it is.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotuner.predict.calibration_kernel import (
    Hyperparameters,
    Place,
    covariance,
    weight_covariance,
)
from autotuner.predict.closed_loop import tok_s_under
from autotuner.predict.observations import Observation

if TYPE_CHECKING:
    from autotuner.predict.calibration_kernel import Array
    from autotuner.predict.gaussian_process import Conditional

LARGEST_RESIDUAL = 2.5
"""Residuals beyond a factor of e^2.5 = 12 count as that: a row that far off is rarely what its
fields say, and must not bend its neighbours."""


@dataclass(frozen=True)
class Posterior:
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

    def after(self, seen: Sequence[int], residuals: Sequence[float]) -> Posterior:
        """The posterior at all places once the residuals at some of them are measured.

        Args:
            seen: their positions. residuals: one for each.
        """
        import numpy as np

        if not len(seen):
            return self
        at = np.asarray(seen)
        process = self._conditioned_at(at, clipped(residuals) - self.mean[at])
        explained = process.explained(self.covariance[at])
        return Posterior(
            self.mean + process.mean(self.covariance[at]),
            self.covariance - explained.T @ explained,
            self.noise,
        )

    def explained_share(self, seen: Sequence[int]) -> float:
        """The share of the total variance that measuring some places would take away."""
        import numpy as np

        at = np.asarray(seen)
        explained = self._conditioned_at(at, np.zeros(len(at))).explained(self.covariance[at])
        return float((explained**2).sum() / max(np.trace(self.covariance), 1e-300))

    def _conditioned_at(self, at: Any, surprise: Array) -> Conditional:
        import numpy as np

        from autotuner.predict.gaussian_process import conditioned

        return conditioned(self.covariance[np.ix_(at, at)], self.noise, surprise)


def most_informative(posteriors: Sequence[Posterior], launches: Sequence[Sequence[int]]) -> int:
    """Which launch, once measured, would leave the least variance over all places.

    Needs no measurement: the posterior mean depends on the values, the posterior variance does not.
    Taken one after the other this is the A-optimal design, chosen greedily (D. A. Cohn,
    Z. Ghahramani, M. I. Jordan, "Active Learning with Statistical Models", JAIR 4, 1996).

    Args:
        posteriors: of the quantities wanted, over the same places; each counts by its own variance.
        launches: for each launch the positions of its places, not empty.
    """
    shares = [sum(one.explained_share(seen) for one in posteriors) for seen in launches]
    return max(range(len(launches)), key=shares.__getitem__)


class ResidualProcess:
    """The Gaussian process of residuals, conditioned on measured ones; ask it about any places.

    Args:
        places, residuals: where was measured, and ln(measured / predicted) there.
        shared_errors: for each the group whose measurements share an error (None: it has none), and
            the variance of that error.
    """

    def __init__(
        self,
        places: Sequence[Place],
        residuals: Sequence[float],
        hyperparameters: Hyperparameters,
        *,
        shared_errors: Sequence[tuple[Hashable | None, float]] = (),
    ) -> None:
        self._places = tuple(places)
        self._constants = hyperparameters
        self._conditional: Conditional | None = None
        if self._places:
            from autotuner.predict.gaussian_process import conditioned

            among = covariance(self._places, self._places, hyperparameters)
            if any(variance for _, variance in shared_errors):
                among = among + shared_error_covariance(shared_errors)
            self._conditional = conditioned(among, hyperparameters.noise, clipped(residuals))

    def at(self, places: Sequence[Place]) -> Posterior:
        """The posterior at some places, with the covariance among them."""
        own = covariance(places, places, self._constants)
        if self._conditional is None:
            return Posterior(self.means(places), own, self._constants.noise)
        across = covariance(self._places, places, self._constants)
        explained = self._conditional.explained(across)
        return Posterior(
            self._conditional.mean(across), own - explained.T @ explained, self._constants.noise
        )

    def added_weights(self, at: Place) -> dict[str, float]:
        """Member of the base -> what measurements add to its weight, in expectation."""
        if self._conditional is None:
            return {}
        return {
            member: float(
                self._conditional.mean(
                    weight_covariance(self._places, at, member, self._constants)
                )[0]
            )
            for member in at.members
        }

    def means(self, places: Sequence[Place]) -> Array:
        """The posterior mean at some places, without what its covariance costs."""
        import numpy as np

        if self._conditional is None:
            return np.zeros(len(places))
        return self._conditional.mean(covariance(self._places, places, self._constants))


def shared_error_covariance(errors: Sequence[tuple[Hashable | None, float]]) -> Array:
    """Covariance of measurements that share errors: `n x n`."""
    import numpy as np

    from autotuner.predict.gaussian_process import equal_tags

    groups = [group for group, _ in errors]
    variances = np.array([variance for _, variance in errors])
    return np.asarray(equal_tags(groups, groups) * variances[:, None])


def clipped(residuals: Sequence[float] | Array) -> Array:
    """Residuals, none beyond `LARGEST_RESIDUAL`."""
    import numpy as np

    kept: Array = np.clip(np.asarray(residuals, float), -LARGEST_RESIDUAL, LARGEST_RESIDUAL)
    return kept


def residual(seen: Observation, quantity: str) -> float | None:
    """ln(measured / predicted); None of a TPOT that does not exist."""
    if quantity == "ttft":
        return math.log(seen.ttft_ms / seen.base_ttft_ms)
    if quantity == "tpot":
        if seen.tpot_ms is None or seen.base_tpot_ms is None:
            return None
        return math.log(seen.tpot_ms / seen.base_tpot_ms)
    return math.log(seen.tok_s / tok_s_under(seen.load, seen.ttft_ms, seen.tpot_ms, seen.osl))


def place_of(seen: Observation) -> Place:
    """The observation as calibration sees it."""
    return Place(
        model=seen.model,
        family=seen.family,
        engine=seen.engine,
        device=seen.device,
        launch=seen.launch,
        settings=seen.settings,
        isl=seen.isl,
        osl=seen.osl,
        in_flight=seen.in_flight,
        base_ttft_ms=seen.base_ttft_ms,
        base_tpot_ms=seen.base_tpot_ms,
        members=seen.members,
    )
