"""Residuals of the predictor, learnt while the search goes on.

ln(measured / predicted) of each quantity is a Gaussian process over the rows
(`predict.gaussian_process`): a sum of a common offset, a Matern-3/2 function of the features,
offsets of formats and launches, and steps along the load that candidates alike share. How strong
and how smooth each is differs from predictor to predictor, so the hyperparameters are not fixed: a
handful is drawn from the prior (`hyperparameters.yaml`), improved by the likelihood of what was
measured, and the best count together, by their posterior probability. Equal states draw alike.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autotuner.config.tables import packaged_table
from autotuner.predict.gaussian_process import (
    Component,
    Conditional,
    conditioned,
    kernel_sum,
    matern32,
    squared_distances,
)
from autotuner.predict.residual_process import clipped
from autotuner.search.hybrid.rows import Bools, Floats, Ints, Rows

VARIANCES = ("common", "smooth", "format", "launch", "noise", "borrowed", "parts", "roofline")
"""Of ln(measured / predicted). `common`: one offset of all rows; `smooth`: a function of the
features; `format`: an offset of the number formats; `launch`: of one engine start; `noise`: of one
measurement; `borrowed`: of rows whose prediction is another's; `parts`: of the error of each part
of the time; `roofline`: of its weight, where 1 puts the roofline in place of the prediction."""


@dataclass(frozen=True)
class Prior:
    """Of one quantity: medians of its variances and lengths, log-normal.

    Attributes:
        variances: as `VARIANCES`.
        lengths: role -> distance in its logarithm over which residuals stay alike.
        spreads: as `VARIANCES`, standard deviations of the logarithm.
        length_spread: the same of every length.
    """

    variances: Mapping[str, float]
    lengths: Mapping[str, float]
    spreads: Mapping[str, float]
    length_spread: float

    def center(self, roles: Sequence[str]) -> Floats:
        """Logarithms of variances, then of lengths, for features of these roles."""
        variances = [self.variances[name] for name in VARIANCES]
        return np.log([*variances, *(self.lengths[role] for role in roles)])

    def spread(self, roles: Sequence[str]) -> Floats:
        """Standard deviations around the center."""
        return np.array([*(self.spreads[n] for n in VARIANCES), *[self.length_spread] * len(roles)])


@functools.cache
def priors() -> Mapping[str, Prior]:
    """By quantity, as `Rows.quantities` names them."""
    document = packaged_table("autotuner.search.hybrid", "hyperparameters")
    return {
        name: Prior(
            row["variances"], row["lengths"], document["spreads"], document["length_spread"]
        )
        for name, row in document["quantities"].items()
    }


_OF_PARTS = ("parts", "roofline")
_DRAWN, _ROUNDS, _PARENTS, _CHILDREN, _KEPT = 20, 2, 4, 3, 3
_FIRST_STEP, _NEXT_STEP = 0.4, 0.6
_LEAST_WEIGHT = 0.05
_JITTER = 1e-6
_LENT = 0.3
_STEPS = 0.7
"""Of what a measurement is off the smooth function, the share that is no noise but a step: kernels
change with the load of a rank, and what is alike takes the same step. Measurements alone scatter by
2 to 5 %, which is the rest."""


@dataclass(frozen=True)
class Measured:
    """Rows that were measured, and their residuals: `m` and `m x q`."""

    rows: Ints
    residuals: Floats


@dataclass(frozen=True)
class _Sample:
    """One sample of the hyperparameters, with the process conditioned on what was measured.

    Attributes:
        theta: logarithms of variances and lengths.
        weight: posterior probability among those kept.
        mean: posterior mean of all rows: `n`.
        explained: `m x n`, so that the posterior covariance is the prior's less its product.
    """

    theta: Floats
    weight: float
    mean: Floats
    explained: Floats


class Residuals:
    """Posterior of all rows' residuals.

    Args:
        measured: what was measured, none to begin with.
        seed: of the draws.
    """

    def __init__(self, rows: Rows, measured: Measured, seed: int) -> None:
        self._rows = rows
        quantities = range(len(rows.quantities))
        self._samples = [_conditioned(rows, measured, quantity, seed) for quantity in quantities]
        self.mean: Floats = np.zeros_like(rows.base)
        """Expected residuals: `n x q`."""
        for quantity, samples in enumerate(self._samples):
            self.mean[:, quantity] = sum(s.weight * s.mean for s in samples)

    def draws(self, blocks: Ints, normal: Floats, widths: Sequence[float] = (1.0,)) -> Floats:
        """Samples of the true residuals, jointly over each block: `w x s x c x l x q`.

        Args:
            blocks: `c x l` rows; a shorter block repeats its last row.
            normal: `s x l x q` standard normal numbers, common to all blocks.
            widths: how wide the same samples spread, in standard deviations: `w`.
        """
        drawn = np.zeros((len(widths), len(normal), *blocks.shape, self.mean.shape[1]))
        alike = _similarities(self._rows, blocks, blocks)
        for quantity, samples in enumerate(self._samples):
            shared = alike | _time_similarities(self._rows, quantity, blocks, blocks)
            shares = np.cumsum([s.weight for s in samples])
            bounds = np.r_[0, np.round(shares * len(normal)).astype(int)]
            for sample, start, end in zip(samples, bounds[:-1], bounds[1:], strict=True):
                if start < end:
                    factor = self._factor(sample, blocks, shared)
                    noise = np.einsum("sl,ckl->sck", normal[start:end, :, quantity], factor)
                    for place, width in enumerate(widths):
                        drawn[place, start:end, ..., quantity] = sample.mean[blocks] + width * noise
        return drawn

    def _factor(
        self, sample: _Sample, blocks: Ints, shared: Mapping[str, Floats | Bools]
    ) -> Floats:
        """Cholesky factors of each block's posterior covariance: `c x l x l`."""
        rows, size = self._rows, blocks.shape[1]
        scaled = (rows.features * np.exp(-sample.theta[len(VARIANCES) :]))[blocks]
        squared = ((scaled[:, :, None] - scaled[:, None]) ** 2).sum(-1)
        covariance = _kernel(sample.theta, squared, shared)
        explained = sample.explained[:, blocks]
        covariance -= np.einsum("mck,mcl->ckl", explained, explained)
        covariance[:, np.arange(size), np.arange(size)] += _JITTER
        try:
            return np.asarray(np.linalg.cholesky(covariance), float)
        except np.linalg.LinAlgError:
            values, vectors = np.linalg.eigh(covariance)
            return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[:, None])


def _conditioned(rows: Rows, measured: Measured, quantity: int, seed: int) -> list[_Sample]:
    prior = priors()[rows.quantities[quantity]]
    center = prior.center(rows.roles)
    if not len(measured.rows):
        nothing = np.zeros((0, len(rows.of)))
        return [_Sample(center, 1.0, np.zeros(len(rows.of)), nothing)]
    values = clipped(measured.residuals[:, quantity])
    process = MeasuredResiduals(rows, quantity, measured.rows, values)
    random = np.random.default_rng([abs(seed), quantity])
    samples = []
    for theta, weight in zip(*_likely(prior, rows.roles, process, random), strict=True):
        conditional, across = process.conditional(theta), process.across(theta)
        samples.append(
            _Sample(theta, float(weight), conditional.mean(across), conditional.explained(across))
        )
    return samples


class MeasuredResiduals:
    """Residuals of measured rows, and the process conditioned on them for any hyperparameters."""

    def __init__(self, rows: Rows, quantity: int, at: Ints, values: Floats) -> None:
        self._rows, self._quantity, self._at, self._values = rows, quantity, at, values
        self._among = self._shared(at, at)
        self._with_all = self._shared(at, np.arange(len(rows.of)))

    def conditional(self, theta: Floats) -> Conditional:
        """The process conditioned on the measured values, their noise included.

        Raises:
            LinAlgError: their covariance is not positive definite.
        """
        scaled = self._rows.features[self._at] * np.exp(-theta[len(VARIANCES) :])
        covariance = _kernel(theta, squared_distances(scaled, scaled), self._among)
        noise = (1 - _STEPS) * np.exp(theta[VARIANCES.index("noise")]) + _JITTER
        return conditioned(covariance, noise, self._values)

    def across(self, theta: Floats) -> Floats:
        """Covariance of the measured with all rows: `m x n`."""
        scaled = self._rows.features * np.exp(-theta[len(VARIANCES) :])
        return _kernel(theta, squared_distances(scaled[self._at], scaled), self._with_all)

    def predict(self, theta: Floats, asked: Ints) -> tuple[Floats, Floats]:
        """Mean and variance of the residuals at other rows, noise left out: `k` and `k`."""
        conditional, across = self.conditional(theta), self.across(theta)[:, asked]
        alone = asked[:, None]
        own = _kernel(theta, np.zeros((len(asked), 1, 1)), self._shared(alone, alone))
        left = np.maximum(own[:, 0, 0] - (conditional.explained(across) ** 2).sum(0), _JITTER)
        return conditional.mean(across), np.asarray(left)

    def _shared(self, one: Ints, other: Ints) -> dict[str, Floats | Bools]:
        alike = _similarities(self._rows, one, other)
        return alike | _time_similarities(self._rows, self._quantity, one, other)

    def depends_on(self, size: int) -> Bools:
        """Which of so many hyperparameters matter: without parts, not those of parts."""
        free = np.ones(size, bool)
        for name in _OF_PARTS:
            free[VARIANCES.index(name)] = self._among[name].any()
        return free

    def log_likelihood(self, theta: Floats) -> float:
        """Logarithm of the marginal likelihood of the measured values, up to a constant."""
        try:
            return self.conditional(theta).log_likelihood
        except np.linalg.LinAlgError:
            return -np.inf


def _likely(
    prior: Prior, roles: Sequence[str], measured: MeasuredResiduals, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """The best settings found, `k x p`, and their posterior probabilities: `k`."""
    center, spread = prior.center(roles), prior.spread(roles)
    free = measured.depends_on(len(center))

    def moves(count: int) -> Floats:
        found = np.zeros((count, len(center)))
        found[:, free] = spread[free] * random.standard_normal((count, int(free.sum())))
        return found

    def score(thetas: Floats) -> Floats:
        likelihood = np.array([measured.log_likelihood(theta) for theta in thetas])
        return np.asarray(likelihood - 0.5 * (((thetas - center) / spread) ** 2).sum(1))

    thetas = center + moves(_DRAWN)
    thetas[0] = center
    scores = score(thetas)
    for step in range(_ROUNDS):
        best = np.argsort(-scores, kind="stable")[:_PARENTS]
        children = np.repeat(thetas[best], _CHILDREN, axis=0)
        children = children + _FIRST_STEP * _NEXT_STEP**step * moves(len(children))
        thetas, scores = np.r_[thetas, children], np.r_[scores, score(children)]
    best = np.argsort(-scores, kind="stable")[:_KEPT]
    weights = np.exp(scores[best] - scores[best[0]])
    kept = weights >= _LEAST_WEIGHT
    return thetas[best[kept]], weights[kept] / weights[kept].sum()


def _similarities(rows: Rows, one: Ints, other: Ints) -> dict[str, Floats | Bools]:
    """Levels that the rows of two sets share, beside similar features.

    Of sets that differ in the last axis alone: `... x k` and `... x l` give `... x k x l`.
    `slopes` is how borrowed rows err together, along each setting in which they differ from their
    lenders: an error that grows with the distance, with one unknown slope for each setting.
    """

    def equal(codes: Ints | Floats) -> Bools:
        return np.asarray(codes[one][..., :, None] == codes[other][..., None, :])

    left, right = rows.displaced[one], rows.displaced[other]
    lent = _LENT * (~rows.predicted[one])[..., :, None] * (~rows.predicted[other])[..., None, :]
    return {
        "format": equal(rows.formats),
        "launch": equal(rows.of),
        "rank_load": equal(rows.features[:, rows.roles.index("load")]),
        "slopes": np.asarray(left @ np.swapaxes(right, -1, -2) + lent),
    }


def _time_similarities(rows: Rows, quantity: int, one: Ints, other: Ints) -> dict[str, Floats]:
    """How alike the times of rows are by their parts, and how alike the roofline differs there.

    Of TTFT and TPOT; shapes as those of `_similarities`.
    """
    if quantity >= len(rows.parts):
        return {"parts": np.zeros(1), "roofline": np.zeros(1)}
    shares, ratios = rows.parts[quantity], rows.roofline[:, quantity]
    return {
        "parts": np.asarray(shares[one] @ np.swapaxes(shares[other], -1, -2)),
        "roofline": np.asarray(ratios[one][..., :, None] * ratios[other][..., None, :]),
    }


def _kernel(theta: Floats, squared: Floats, shared: Mapping[str, Floats | Bools]) -> Floats:
    """Covariance of residuals at two sets of rows, from squared distances and what they share."""
    common, smooth, format_, launch, noise, borrowed, parts, roofline = np.exp(
        theta[: len(VARIANCES)]
    )
    components = (
        Component(common),
        Component(smooth, ("features",)),
        Component(format_, ("format",)),
        Component(launch, ("launch",)),
        Component(_STEPS * noise, ("features", "rank_load")),
        Component(borrowed, ("slopes",)),
        Component(parts, ("parts",)),
        Component(roofline, ("roofline",)),
    )
    return kernel_sum(components, {**shared, "features": matern32(squared)}, squared.shape)
