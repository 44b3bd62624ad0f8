"""How far likeness reaches in a search, before anything is measured: `hyperparameters.yaml`.

What the predictor gets wrong, learnt while the search goes on.

ln(measured / predicted) of each quantity is a Gaussian process over the rows (C. E. Rasmussen and
C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006, equations 2.23 to 2.25): a sum
of a common offset, a Matern-3/2 function of the features, offsets of formats and launches, and
steps along the load that candidates alike share. How strong and how smooth each is differs from
predictor to predictor, so it is not fixed: a handful of settings is drawn from the prior, improved
by the likelihood of what was measured, and the best count together, by their posterior probability.
The work is done with equal draws in equal states.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autotuner.config.tables import packaged_table
from autotuner.predict.calibration import clipped
from autotuner.predict.likeness import matern, squared_distances
from autotuner.search.hybrid.rows import QUANTITIES, Bools, Floats, Ints, Rows

VARIANCES = ("common", "smooth", "format", "launch", "noise", "borrowed")
"""Of ln(measured / predicted). `common`: one offset of all rows; `smooth`: a function of the
features; `format`: an offset of the number formats; `launch`: of one engine start; `noise`: of one
measurement; `borrowed`: of rows whose prediction is another's."""


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
    """By quantity: `ttft`, `tpot`, `rest`, `tail`."""
    document = packaged_table("autotuner.search.hybrid", "hyperparameters")
    return {
        name: Prior(
            row["variances"], row["lengths"], document["spreads"], document["length_spread"]
        )
        for name, row in document["quantities"].items()
    }


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
    """Rows that were measured, and their residuals: `m` and `m x 4`."""

    rows: Ints
    residuals: Floats


@dataclass(frozen=True)
class _Setting:
    """One setting of the process, conditioned on what was measured.

    Attributes:
        theta: logarithms of variances and lengths.
        weight: posterior probability among those kept.
        mean: of all rows: `n`.
        whitened: `m x n`, so that the posterior covariance is the prior's less its product.
    """

    theta: Floats
    weight: float
    mean: Floats
    whitened: Floats


class Residuals:
    """The belief about all rows' residuals.

    Args:
        measured: what was measured, none to begin with.
        seed: of the draws.
        learnt: how many of `QUANTITIES` are; of the others residuals are 0.
    """

    def __init__(self, rows: Rows, measured: Measured, seed: int, learnt: int) -> None:
        self._rows = rows
        self._settings = [
            _conditioned(rows, measured, quantity, seed) for quantity in range(learnt)
        ]
        self.mean: Floats = np.zeros((len(rows.of), len(QUANTITIES)))
        """Expected residuals: `n x 4`."""
        for quantity, settings in enumerate(self._settings):
            self.mean[:, quantity] = sum(s.weight * s.mean for s in settings)

    def draws(self, blocks: Ints, normal: Floats, widths: Sequence[float] = (1.0,)) -> Floats:
        """Samples of the true residuals, jointly over each block: `w x s x c x l x 4`.

        Args:
            blocks: `c x l` rows; a shorter block repeats its last row.
            normal: `s x l x learnt` standard normal numbers, common to all blocks.
            widths: how wide the same samples spread, in standard deviations: `w`.
        """
        samples = np.zeros((len(widths), len(normal), *blocks.shape, len(QUANTITIES)))
        shared = _shared(self._rows, blocks, blocks)
        for quantity, settings in enumerate(self._settings):
            shares = np.cumsum([s.weight for s in settings])
            bounds = np.r_[0, np.round(shares * len(normal)).astype(int)]
            for setting, start, end in zip(settings, bounds[:-1], bounds[1:], strict=True):
                if start < end:
                    root = self._root(setting, blocks, shared)
                    noise = np.einsum("sl,ckl->sck", normal[start:end, :, quantity], root)
                    for place, width in enumerate(widths):
                        drawn = setting.mean[blocks] + width * noise
                        samples[place, start:end, ..., quantity] = drawn
        return samples

    def _root(self, setting: _Setting, blocks: Ints, shared: _Shared) -> Floats:
        """Cholesky factors of each block's posterior covariance: `c x l x l`."""
        rows, size = self._rows, blocks.shape[1]
        scaled = (rows.features * np.exp(-setting.theta[len(VARIANCES) :]))[blocks]
        squared = ((scaled[:, :, None] - scaled[:, None]) ** 2).sum(-1)
        covariance = _covariance(setting.theta, squared, shared)
        explained = setting.whitened[:, blocks]
        covariance -= np.einsum("mck,mcl->ckl", explained, explained)
        covariance[:, np.arange(size), np.arange(size)] += _JITTER
        try:
            return np.asarray(np.linalg.cholesky(covariance), float)
        except np.linalg.LinAlgError:
            values, vectors = np.linalg.eigh(covariance)
            return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[:, None])


def _conditioned(rows: Rows, measured: Measured, quantity: int, seed: int) -> list[_Setting]:
    prior = priors()[QUANTITIES[quantity]]
    center = prior.center(rows.roles)
    if not len(measured.rows):
        nothing = np.zeros((0, len(rows.of)))
        return [_Setting(center, 1.0, np.zeros(len(rows.of)), nothing)]
    values = clipped(measured.residuals[:, quantity])
    told = Told(rows, measured.rows, values)
    thetas, weights = _likely(prior, rows.roles, told, np.random.default_rng([abs(seed), quantity]))
    settings = []
    for theta, weight in zip(thetas, weights, strict=True):
        root = told.root(theta)
        whitened = np.asarray(np.linalg.solve(root, told.towards(theta)), float)
        mean = whitened.T @ np.linalg.solve(root, values)
        settings.append(_Setting(theta, float(weight), mean, whitened))
    return settings


class Told:
    """The covariances of measured rows, under any setting."""

    def __init__(self, rows: Rows, at: Ints, values: Floats) -> None:
        self._rows, self._at, self._values = rows, at, values
        self._among = _shared(rows, at, at)
        self._with_all = _shared(rows, at, np.arange(len(rows.of)))

    def root(self, theta: Floats) -> Floats:
        """Cholesky factor of the measured rows' covariance, noise included: `m x m`."""
        scaled = self._rows.features[self._at] * np.exp(-theta[len(VARIANCES) :])
        covariance = _covariance(theta, squared_distances(scaled, scaled), self._among)
        noise = (1 - _STEPS) * np.exp(theta[VARIANCES.index("noise")]) + _JITTER
        covariance[np.diag_indices(len(self._at))] += noise
        return np.asarray(np.linalg.cholesky(covariance), float)

    def towards(self, theta: Floats) -> Floats:
        """Covariance of the measured with all rows: `m x n`."""
        scaled = self._rows.features * np.exp(-theta[len(VARIANCES) :])
        return _covariance(theta, squared_distances(scaled[self._at], scaled), self._with_all)

    def predict(self, theta: Floats, asked: Ints) -> tuple[Floats, Floats]:
        """Mean and variance of the residuals at other rows, noise left out: `k` and `k`."""
        root = self.root(theta)
        whitened = np.linalg.solve(root, self.towards(theta)[:, asked])
        alone = asked[:, None]
        own = _covariance(theta, np.zeros((len(asked), 1, 1)), _shared(self._rows, alone, alone))
        left = np.maximum(own[:, 0, 0] - (whitened**2).sum(0), _JITTER)
        return np.asarray(whitened.T @ np.linalg.solve(root, self._values)), np.asarray(left)

    def log_likelihood(self, theta: Floats) -> float:
        """Of the measured values, up to a constant."""
        try:
            root = self.root(theta)
        except np.linalg.LinAlgError:
            return -np.inf
        white = np.linalg.solve(root, self._values)
        return float(-0.5 * white @ white - np.log(np.diag(root)).sum())


def _likely(
    prior: Prior, roles: Sequence[str], told: Told, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """The best settings found, `k x p`, and their posterior probabilities: `k`."""
    center, spread = prior.center(roles), prior.spread(roles)

    def score(thetas: Floats) -> Floats:
        likelihood = np.array([told.log_likelihood(theta) for theta in thetas])
        return np.asarray(likelihood - 0.5 * (((thetas - center) / spread) ** 2).sum(1))

    thetas = center + spread * random.standard_normal((_DRAWN, len(center)))
    thetas[0] = center
    scores = score(thetas)
    for step in range(_ROUNDS):
        best = np.argsort(-scores, kind="stable")[:_PARENTS]
        children = np.repeat(thetas[best], _CHILDREN, axis=0)
        stride = _FIRST_STEP * _NEXT_STEP**step * spread
        children = children + stride * random.standard_normal(children.shape)
        thetas, scores = np.r_[thetas, children], np.r_[scores, score(children)]
    best = np.argsort(-scores, kind="stable")[:_KEPT]
    weights = np.exp(scores[best] - scores[best[0]])
    kept = weights >= _LEAST_WEIGHT
    return thetas[best[kept]], weights[kept] / weights[kept].sum()


@dataclass(frozen=True)
class _Shared:
    """What the rows of two sets have in common, beside alike features.

    Attributes:
        formats, launches, loads: whether they are the same. loads are those of a rank.
        slopes: how borrowed rows err together, along each setting in which they differ from their
            lenders: an error that grows with the distance, with one unknown slope for each setting.
    """

    formats: Bools
    launches: Bools
    loads: Bools
    slopes: Floats


def _shared(rows: Rows, one: Ints, other: Ints) -> _Shared:
    """Of sets that differ in the last axis alone: `... x k` and `... x l` give `... x k x l`."""

    def equal(codes: Ints | Floats) -> Bools:
        return np.asarray(codes[one][..., :, None] == codes[other][..., None, :])

    left, right = rows.displaced[one], rows.displaced[other]
    lent = _LENT * (~rows.predicted[one])[..., :, None] * (~rows.predicted[other])[..., None, :]
    return _Shared(
        formats=equal(rows.formats),
        launches=equal(rows.of),
        loads=equal(rows.features[:, rows.roles.index("load")]),
        slopes=np.asarray(left @ np.swapaxes(right, -1, -2) + lent),
    )


def _covariance(theta: Floats, squared: Floats, shared: _Shared) -> Floats:
    """Of residuals at two sets of rows, from their squared distances and what they share."""
    common, smooth, format_, launch, noise, borrowed = np.exp(theta[: len(VARIANCES)])
    alike = matern(squared)
    covariance: Floats = common + smooth * alike + format_ * shared.formats
    steps = _STEPS * noise * alike * shared.loads
    return np.asarray(covariance + launch * shared.launches + steps + borrowed * shared.slopes)
