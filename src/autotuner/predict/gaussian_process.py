"""Gaussian processes: kernels as sums of components, and values conditioned on measured ones.

C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006: posteriors
are equations 2.23 to 2.25 by algorithm 2.1 (a Cholesky factor and triangular solves), the Matern
kernels are equation 4.17, classification is Laplace's approximation by algorithms 3.1 and 3.2 under
a probit likelihood.

numpy and scipy load with this module, so callers that have to start quickly import it when used.
From then on linear algebra takes one core: matrices are small, the other cores belong to engines
that are measured meanwhile, and results do not depend on their number to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.special import ndtr
from threadpoolctl import threadpool_limits

threadpool_limits(limits=1, user_api="blas")

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NEWTON_STEPS, _CONVERGED = 30, 1e-4
_LEAST_LIKELIHOOD, _LEAST_CURVATURE = 1e-9, 1e-8


@dataclass(frozen=True)
class Component:
    """One term of a kernel: a variance times similarities of two points, each 0 to 1.

    Attributes:
        similarities: names of those that are multiplied; without any, all points share the term.
    """

    variance: float
    similarities: tuple[str, ...] = ()


def kernel_sum(
    components: Iterable[Component],
    similarities: Mapping[str, Floats | Bools],
    shape: tuple[int, ...],
) -> Floats:
    """Covariance of two sets of points: the sum of the components.

    Args:
        similarities: name -> similarity of each pair, of the given shape (`... x n x m`).
    """
    total = np.zeros(shape)
    for component in components:
        if not component.variance:
            continue
        if not component.similarities:
            total += component.variance
            continue
        first, *others = component.similarities
        term = component.variance * similarities[first]
        for name in others:
            term *= similarities[name]
        total += term
    return total


def matern32(squared: Floats) -> Floats:
    """Matern-3/2 similarity of squared distances in units of the length scale: 1 at none."""
    scaled = np.sqrt(3 * squared)
    return np.asarray((1 + scaled) * np.exp(-scaled))


def matern52(squared: Floats) -> Floats:
    """Matern-5/2 similarity of squared distances in units of the length scale: 1 at none."""
    scaled = np.sqrt(5 * squared)
    return np.asarray((1 + scaled + scaled**2 / 3) * np.exp(-scaled))


def squared_distances(one: Floats, other: Floats) -> Floats:
    """Squared distances between the rows of `n x d` and `m x d`: `n x m`, never below 0."""
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1)[None, :] - 2 * one @ other.T
    return np.asarray(np.maximum(squared, 0.0))


def equal_tags(one: Sequence[Hashable], other: Sequence[Hashable]) -> Bools:
    """Whether two points have the same tag: `n x m`. None is unknown, and equal to nothing."""
    codes: dict[Hashable, int] = {}
    left, right = (
        np.array([codes.setdefault(tag, len(codes)) for tag in side], dtype=np.int64)
        for side in (one, other)
    )
    known = left != codes.get(None, -1)
    return np.asarray((left[:, None] == right[None]) & known[:, None])


@dataclass(frozen=True)
class Conditional:
    """A process conditioned on values at `n` points, as `conditioned` makes it.

    Attributes:
        factor: lower Cholesky factor of the covariance of the values, their noise included.
        dual: dual coefficients, the inverse of that covariance times the values: `n`.
        log_likelihood: logarithm of the values' marginal likelihood, up to a constant.
    """

    factor: Floats
    dual: Floats
    log_likelihood: float

    def mean(self, across: Floats) -> Floats:
        """Posterior mean at `m` points, less their prior mean: `m`.

        Args:
            across: covariance of the values with those points: `n x m`.
        """
        return np.asarray(across.T @ self.dual)

    def explained(self, across: Floats) -> Floats:
        """`E` of `n x m`: the posterior covariance at `m` points is the prior's less `E.T @ E`."""
        return _solve_lower(self.factor, across)


def conditioned(covariance: Floats, noise: float, values: Floats) -> Conditional:
    """The process conditioned on measured values, each less its prior mean.

    Args:
        covariance: of the true values, without noise: `n x n`. noise: variance of a measurement.

    Raises:
        LinAlgError: the covariance is not positive definite.
    """
    noisy = covariance.copy()
    noisy[np.diag_indices_from(noisy)] += noise
    factor = _cholesky(noisy)
    white = _solve_lower(factor, values)
    return Conditional(
        factor=factor,
        dual=solve_triangular(factor, white, lower=True, trans="T", check_finite=False),
        log_likelihood=float(-0.5 * white @ white - np.log(np.diag(factor)).sum()),
    )


@dataclass(frozen=True)
class Classifier:
    """A latent process conditioned on which of `n` points succeeded, as `classified` makes it.

    The probability of success is the normal distribution function of the latent value.

    Attributes:
        dual: dual coefficients of the latent mean: `n`.
        factor: lower Cholesky factor of `I + W^1/2 K W^1/2`; `sqrt_curvature`: `W^1/2`: `n`.
    """

    dual: Floats
    factor: Floats
    sqrt_curvature: Floats

    def mean(self, across: Floats) -> Floats:
        """Latent posterior mean at `m` points, less their prior mean, as `Conditional.mean`."""
        return np.asarray(across.T @ self.dual)

    def explained(self, across: Floats) -> Floats:
        """As `Conditional.explained`."""
        return _solve_lower(self.factor, self.sqrt_curvature[:, None] * across)


def classified(covariance: Floats, prior_mean: Floats, succeeded: Bools) -> Classifier:
    """Laplace's approximation: Newton's method to the mode of the latent posterior.

    Args:
        covariance: of the latent values: `n x n`. prior_mean, succeeded: `n`.
    """
    size, labels = len(succeeded), np.where(succeeded, 1.0, -1.0)
    latent, dual = prior_mean.copy(), np.zeros(size)
    factor: Floats = np.eye(size)
    sqrt_curvature = np.ones(size)
    for _ in range(_NEWTON_STEPS):
        agreement = labels * latent
        likelihood = np.maximum(normal_cdf(agreement), _LEAST_LIKELIHOOD)
        ratio = np.exp(-0.5 * agreement**2) / math.sqrt(2 * math.pi) / likelihood
        curvature = np.maximum(ratio**2 + agreement * ratio, _LEAST_CURVATURE)
        sqrt_curvature = np.sqrt(curvature)
        factor = _cholesky(np.eye(size) + sqrt_curvature[:, None] * covariance * sqrt_curvature)
        target = curvature * (latent - prior_mean) + labels * ratio
        inner = _solve_lower(factor, sqrt_curvature * (covariance @ target))
        outer = solve_triangular(factor, inner, lower=True, trans="T", check_finite=False)
        dual = target - sqrt_curvature * outer
        new = prior_mean + covariance @ dual
        moved = float(np.abs(new - latent).max())
        latent = new
        if moved < _CONVERGED:
            break
    return Classifier(dual, factor, sqrt_curvature)


def normal_cdf(values: Floats) -> Floats:
    """Distribution function of the standard normal distribution."""
    return np.asarray(ndtr(values))


def _cholesky(covariance: Floats) -> Floats:
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


def _solve_lower(factor: Floats, right: Floats) -> Floats:
    return np.asarray(solve_triangular(factor, right, lower=True, check_finite=False))
