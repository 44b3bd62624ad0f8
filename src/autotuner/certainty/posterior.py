"""Posterior of how good configurations are, from launches that scatter and a machine that drifts.

The natural logarithm of a figure of launch `i`, of configuration `c`, at time `t` is

    y_i = mean_c + drift(t_i) + launch_i + error_i

`launch_i` is how far one engine start differs from the next of the same configuration: normal, with
the standard deviation `launch_std`. `error_i` is the error of the figure within its launch, whose
standard deviation is known. `drift` is a Brownian motion of the machine with the standard deviation
`drift_std` over the whole time. Neither `launch_std` nor `drift_std` is known: both are integrated
out over a grid, so that intervals are wide while few launches were repeated (A. Gelman et al.,
"Bayesian Data Analysis", 3rd edition, 2013, chapters 3 and 5). Means have a flat prior: what a
configuration is like is for its launches to tell.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]

MEAN_STD = 3.0
"""Prior standard deviation of the logarithms of means: e^3 is twentyfold, so nearly flat."""
LAUNCH_MEDIAN, LAUNCH_SPREAD = 0.03, 1.0
"""Log-normal prior of `launch_std`: 3 %, and between 1 % and 8 % with probability 0.68."""
DRIFT_MEDIAN, DRIFT_SPREAD = 0.01, 1.0
"""The same of `drift_std`."""
_LAUNCH_STDS = np.geomspace(0.002, 0.6, 29)
_DRIFT_STDS = np.geomspace(0.001, 0.4, 13)
_LEAST_VARIANCE = 1e-8


@dataclass(frozen=True)
class LaunchFigure:
    """A figure of one launch.

    Attributes:
        configuration: what was launched.
        at_s: when it was measured, in seconds from any origin.
        log: natural logarithm of the figure.
        log_std: its standard error within the launch.
    """

    configuration: str
    at_s: float
    log: float
    log_std: float = 0.0


@dataclass(frozen=True)
class Ratio:
    """One configuration's figure over another's.

    Attributes:
        median: of the posterior.
        low, high: its 95 % interval.
        above_one: probability that the ratio is above 1.
    """

    median: float
    low: float
    high: float
    above_one: float


@dataclass(frozen=True)
class _Mixture:
    """A mixture of normals: means, standard deviations and weights, each `k`."""

    means: Floats
    stds: Floats
    weights: Floats

    def probability_below(self, value: float) -> float:
        return float(self.weights @ ndtr((value - self.means) / self.stds))

    def quantile(self, probability: float) -> float:
        low = float((self.means - 12 * self.stds).min())
        high = float((self.means + 12 * self.stds).max())
        for _ in range(80):
            middle = (low + high) / 2
            if self.probability_below(middle) < probability:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def ratio(self) -> Ratio:
        median, low, high = (math.exp(self.quantile(p)) for p in (0.5, 0.025, 0.975))
        return Ratio(median, low, high, 1.0 - self.probability_below(0.0))


class LaunchPosterior:
    """Posterior of what launches of some configurations are like.

    Args:
        launches: at least one; in any order.
        launch_median: prior median of `launch_std`, if earlier tasks give one.
    """

    def __init__(
        self, launches: Sequence[LaunchFigure], *, launch_median: float = LAUNCH_MEDIAN
    ) -> None:
        if not launches:
            raise ValueError("no launches to compare")
        self._launches = tuple(sorted(launches, key=lambda one: one.at_s))
        self.configurations = tuple(dict.fromkeys(one.configuration for one in self._launches))
        self._launch_median = launch_median

    @cached_property
    def launch_std(self) -> float:
        """Posterior median of the standard deviation between launches of one configuration."""
        return self._of_grid(self._grid[0])

    @cached_property
    def drift_std(self) -> float:
        """Posterior median of the machine's drift over the whole time."""
        return self._of_grid(self._grid[1])

    def ratio(self, configuration: str, other: str) -> Ratio:
        """Ratio of one configuration's figure to another's.

        Raises:
            KeyError: one that was not launched.
        """
        contrast = np.zeros(len(self._names))
        contrast[self._place(configuration)] += 1.0
        contrast[self._place(other)] -= 1.0
        return self._contrast(contrast).ratio()

    def level(self, configuration: str) -> float:
        """Figure of a configuration on the machine as its own launches found it, on average: the
        median.

        Raises:
            KeyError: one that was not launched.
        """
        contrast, first = np.zeros(len(self._names)), len(self.configurations)
        contrast[self._place(configuration)] = 1.0
        own = [i for i, one in enumerate(self._launches) if one.configuration == configuration]
        contrast[[first + place for place in own]] = 1 / len(own)
        return self._contrast(contrast).ratio().median

    def drift(self, at_s: float | None = None) -> Ratio:
        """The machine at a moment, at the last launch where left out, over the machine at the first
        launch. Between two launches it is a Brownian bridge, beyond them a Brownian motion."""
        times = np.array([one.at_s for one in self._launches])
        at = float(times[-1]) if at_s is None else at_s
        after = int(np.clip(np.searchsorted(times, at), 1, len(times) - 1)) if times[1:].size else 0
        before = max(after - 1, 0)
        gap_s = float(times[after] - times[before])
        share = float(np.clip((at - times[before]) / gap_s, 0.0, 1.0)) if gap_s else 1.0
        apart_s = share * (1 - share) * gap_s + max(times[0] - at, at - times[-1], 0.0)
        contrast, first = np.zeros(len(self._names)), len(self.configurations)
        contrast[first + before] += 1 - share
        contrast[first + after] += share
        contrast[first] -= 1.0
        of_span = apart_s / (float(times[-1] - times[0]) or 1.0)
        return self._contrast(contrast, self._grid[1] ** 2 * of_span).ratio()

    def best(
        self, among: Collection[str], *, samples: int = 4000, seed: int = 0
    ) -> dict[str, float]:
        """For each configuration the probability that none of the others has a higher figure."""
        places = [self._place(one) for one in among]
        if len(places) == 1:
            return dict.fromkeys(among, 1.0)
        random = np.random.default_rng(seed)
        weights, mean, covariance = self._posterior
        chosen = random.choice(len(weights), samples, p=weights)
        counts = np.zeros(len(places))
        for cell, number in zip(*np.unique(chosen, return_counts=True), strict=True):
            drawn = random.multivariate_normal(
                mean[cell, places], covariance[cell][np.ix_(places, places)], number, method="eigh"
            )
            counts += np.bincount(drawn.argmax(1), minlength=len(places))
        return dict(zip(among, (counts / samples).tolist(), strict=True))

    @property
    def _names(self) -> tuple[str, ...]:
        """Unknowns: each configuration's mean, then the drift at each launch."""
        return (*self.configurations, *(f"drift {place}" for place in range(len(self._launches))))

    def _place(self, configuration: str) -> int:
        if configuration not in self.configurations:
            raise KeyError(configuration)
        return self.configurations.index(configuration)

    @cached_property
    def _grid(self) -> tuple[Floats, Floats, Floats]:
        """Every pair of standard deviations, and the logarithm of its prior: each `k`."""
        launch, drift = (part.ravel() for part in np.meshgrid(_LAUNCH_STDS, _DRIFT_STDS))
        prior = -0.5 * (np.log(launch / self._launch_median) / LAUNCH_SPREAD) ** 2
        prior = prior - 0.5 * (np.log(drift / DRIFT_MEDIAN) / DRIFT_SPREAD) ** 2
        return launch, drift, prior

    @cached_property
    def _posterior(self) -> tuple[Floats, Floats, Floats]:
        """Weights `k`, means `k x p` and covariances `k x p x p` of what is inferred."""
        launches, count = self._launches, len(self._launches)
        launch_std, drift_std, prior = self._grid
        y = np.array([one.log for one in launches])
        at_s = np.array([one.at_s for one in launches])
        within = np.array([one.log_std for one in launches]) ** 2
        span_s = float(at_s[-1] - at_s[0]) or 1.0
        elapsed = (at_s - at_s[0]) / span_s
        motion = np.minimum(elapsed[:, None], elapsed[None, :])
        of = np.array([self.configurations.index(one.configuration) for one in launches])
        design = np.zeros((count, len(self._names)))
        design[np.arange(count), of] = 1.0
        design[np.arange(count), len(self.configurations) + np.arange(count)] = 1.0

        size, cells = len(self._names), len(launch_std)
        before = np.zeros((cells, size, size))
        inner = len(self.configurations)
        before[:, range(inner), range(inner)] = MEAN_STD**2
        before[:, inner:, inner:] = drift_std[:, None, None] ** 2 * motion
        center = np.zeros(size)
        center[:inner] = y.mean()

        noise = launch_std[:, None] ** 2 + within + _LEAST_VARIANCE
        across = design @ before
        covariance = across @ design.T
        covariance[:, range(count), range(count)] += noise
        off = y - design @ center
        factor = np.linalg.cholesky(covariance)
        solved = np.linalg.solve(
            factor,
            np.concatenate([across, np.broadcast_to(off[:, None], (cells, count, 1))], axis=2),
        )
        gain, residual = solved[..., :size], solved[..., size]
        likelihood = -np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(1)
        likelihood = likelihood - 0.5 * (residual**2).sum(1)
        score = likelihood + prior
        weights = np.exp(score - score.max())
        mean = center + np.einsum("kip,ki->kp", gain, residual)
        after = before - np.einsum("kip,kiq->kpq", gain, gain)
        return weights / weights.sum(), mean, after

    def _contrast(self, contrast: Floats, more: Floats | float = 0.0) -> _Mixture:
        """Distribution of a sum of unknowns; `more` is variance that they do not have."""
        weights, mean, covariance = self._posterior
        variance = np.einsum("p,kpq,q->k", contrast, covariance, contrast) + more
        return _Mixture(mean @ contrast, np.sqrt(np.maximum(variance, 1e-16)), weights)

    def _of_grid(self, values: Floats) -> float:
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(self._posterior[0][order])
        return float(values[order][np.searchsorted(reached, 0.5)])
