"""A plain Gaussian process on the settings, without a library: SMS-EGO (Ponweiser et al., 2008).

Optuna's own needs torch, which is much for a baseline. Every operating point is a datum: the
settings that differ and the load level are its inputs, the logarithm of each objective an output
with a process of its own. The candidate whose load levels add the most hypervolume, if each is as
good as its mean and one standard deviation, is launched. With limits and one objective it is the
greatest expected improvement, as far as the limits are likely to be met (Gardner et al., 2014).
Predictions choose the first launches, the predicted extremes; the processes learn from measurements
only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from autotuner.evaluate.baseline_orders import greedy, predicted_frontier
from autotuner.search import OBJECTIVES, OperatingPoint, SearchState
from autotuner.search.axes import Axis, axes_of
from autotuner.search.slo import within

Array = npt.NDArray[np.float64]

FIRST = 2
"""Launches before there is a process."""
_OPTIMISM = 1.0
"""Standard deviations that an operating point is taken to be better than its mean."""
_LENGTHS = (0.3, 1.0, 3.0)
_NOISES = (0.03, 0.1, 0.3)
_UNSET = 0.5
"""Place on an axis of numbers of what is left to the engine."""
_BLANK = OperatingPoint("", 0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def gaussian_order(state: SearchState) -> Iterable[str]:
    """Untried candidates, the most promising first."""
    measured = [point for outcome in state.history for point in outcome.points]
    if len(state.history) < FIRST or not measured:
        return predicted_frontier(state)
    axes = axes_of(state.settings)
    failed = [
        (outcome.candidate_id, level)
        for outcome in state.history
        for level in outcome.failed_levels
    ]
    ran = [(point.candidate_id, point.concurrency) for point in measured]
    inputs = np.array([_inputs(state, axes, *one) for one in (*ran, *failed)])
    asked = list(product(state.untried(), state.levels))
    where = np.array([_inputs(state, axes, *one) for one in asked])
    found = {}
    for name in dict.fromkeys((*state.objectives, *state.slo)):
        gains = _sign(name) * np.log([getattr(point, name) for point in measured])
        # What failed is as bad as the worst that was seen.
        outputs = np.append(gains, np.full(len(failed), gains.min()))
        found[name] = MaternProcess.fitted(inputs, outputs).posterior(where)
    if len(state.objectives) == 1:
        return _by_improvement(state, asked, found)
    hopeful: dict[str, list[OperatingPoint]] = {}
    for place, (key, level) in enumerate(asked):
        figures: dict[str, Any] = {
            name: math.exp(_sign(name) * (mean[place] + _OPTIMISM * std[place]))
            for name, (mean, std) in found.items()
        }
        hopeful.setdefault(key, []).append(
            replace(_BLANK, candidate_id=key, concurrency=level, **figures)
        )
    return greedy(hopeful, state.objectives, measured)


def _by_improvement(
    state: SearchState,
    asked: Sequence[tuple[str, int]],
    found: Mapping[str, tuple[Array, Array]],
) -> Iterable[str]:
    """By expected improvement at the best level, as far as the limits are likely to be met."""
    (name,) = state.objectives
    likely = np.ones(len(asked))
    for limited, limit in state.slo.items():
        mean, std = found[limited]
        likely *= _cdf((mean + math.log(limit)) / std)
    feasible = [
        _sign(name) * math.log(getattr(point, name))
        for outcome in state.history
        for point in outcome.points
        if within(point, state.slo)
    ]
    mean, std = found[name]
    best = max(feasible, default=float(mean.min()))
    gain = likely * expected_improvement(mean, std, best)
    return dict.fromkeys(asked[place][0] for place in np.argsort(-gain, kind="stable"))


def expected_improvement(mean: Array, std: Array, best: float) -> Array:
    """Of normal variables over `best` (Jones, Schonlau and Welch, 1998)."""
    z = (mean - best) / std
    return np.asarray(std * (z * _cdf(z) + np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)))


@dataclass(frozen=True)
class MaternProcess:
    """A zero-mean process of standardised outputs, Matern 5/2 with one length, with noise."""

    inputs: Array
    length: float
    factor: Array
    weights: Array
    centre: float
    scale: float

    @classmethod
    def fitted(cls, inputs: Array, outputs: Array) -> MaternProcess:
        """Length and noise of the greatest marginal likelihood among a few."""
        centre, scale = float(outputs.mean()), float(outputs.std()) or 1.0
        standard = (outputs - centre) / scale
        best: tuple[float, MaternProcess] | None = None
        for length, noise in product(_LENGTHS, _NOISES):
            covariance = _matern(inputs, inputs, length) + noise**2 * np.eye(len(inputs))
            factor: Array = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
            weights = np.linalg.solve(factor.T, np.linalg.solve(factor, standard))
            likelihood = -standard @ weights / 2 - np.log(np.diag(factor)).sum()
            if best is None or likelihood > best[0]:
                best = likelihood, cls(inputs, length, factor, weights, centre, scale)
        assert best is not None  # noqa: S101
        return best[1]

    def posterior(self, where: Array) -> tuple[Array, Array]:
        """Mean and standard deviation at `k` places, of the outputs' own scale."""
        across = _matern(where, self.inputs, self.length)
        explained = np.linalg.solve(self.factor, across.T)
        variance = np.maximum(1 - (explained**2).sum(axis=0), 1e-9)
        return self.centre + self.scale * (across @ self.weights), self.scale * np.sqrt(variance)


def _inputs(state: SearchState, axes: Sequence[Axis], key: str, level: int) -> list[float]:
    """A number for each axis of numbers, one for each word of the others, and the load level."""
    told = [math.log(level) / max(math.log(max(state.levels)), 1.0)]
    for axis in axes:
        value = state.settings[key].get(axis.path)
        if axis.numeric:
            place = axis.place(value)
            told.append(_UNSET if place is None else place)
        else:
            told += [float(value == one) for one in axis.values]
    return told


def _sign(name: str) -> int:
    return 1 if OBJECTIVES[name].maximise else -1


def _matern(one: Array, other: Array, length: float) -> Array:
    """Matern 5/2 covariance: `n x d`, `k x d` -> `n x k`."""
    squares = ((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2)
    far = np.sqrt(5 * squares) / length
    return np.asarray((1 + far + far**2 / 3) * np.exp(-far))


def _cdf(z: Array) -> Array:
    return np.array([(1 + math.erf(one / math.sqrt(2))) / 2 for one in z])
