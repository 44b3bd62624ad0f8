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

from autotuner.config import LoadLevel
from autotuner.evaluate.baseline_orders import greedy, predicted_frontier
from autotuner.predict.gaussian_process import (
    Conditional,
    Floats,
    conditioned,
    matern52,
    normal_cdf,
)
from autotuner.search import OBJECTIVES, OperatingPoint, SearchState
from autotuner.search.axes import Axis, axes_of
from autotuner.search.slo import within

FIRST = 2
"""Launches before there is a process."""
_OPTIMISM = 1.0
"""Standard deviations that an operating point is taken to be better than its mean."""
_LENGTHS = (0.3, 1.0, 3.0)
_NOISES = (0.03, 0.1, 0.3)
_UNSET = 0.5
"""Place on an axis of numbers of what is left to the engine."""
_BLANK = OperatingPoint("", LoadLevel.concurrency(1), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


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
    ran = [(point.candidate_id, point.load) for point in measured]
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
        hopeful.setdefault(key, []).append(replace(_BLANK, candidate_id=key, load=level, **figures))
    return greedy(hopeful, state.objectives, measured)


def _by_improvement(
    state: SearchState,
    asked: Sequence[tuple[str, LoadLevel]],
    found: Mapping[str, tuple[Floats, Floats]],
) -> Iterable[str]:
    """By expected improvement at the best level, as far as the limits are likely to be met."""
    (name,) = state.objectives
    likely = np.ones(len(asked))
    for limited, limit in state.slo.items():
        mean, std = found[limited]
        likely *= normal_cdf((mean + math.log(limit)) / std)
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


def expected_improvement(mean: Floats, std: Floats, best: float) -> Floats:
    """Of normal variables over `best` (Jones, Schonlau and Welch, 1998)."""
    z = (mean - best) / std
    return np.asarray(std * (z * normal_cdf(z) + np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)))


@dataclass(frozen=True)
class MaternProcess:
    """A zero-mean process of standardised outputs, Matern 5/2 with one length, with noise."""

    inputs: Floats
    length: float
    conditional: Conditional
    centre: float
    scale: float

    @classmethod
    def fitted(cls, inputs: Floats, outputs: Floats) -> MaternProcess:
        """Length and noise of the greatest marginal likelihood among a few."""
        centre, scale = float(outputs.mean()), float(outputs.std()) or 1.0
        standard = (outputs - centre) / scale
        found = [
            cls(inputs, length, conditioned(covariance, noise**2, standard), centre, scale)
            for length in _LENGTHS
            for covariance in (_similarity(inputs, inputs, length),)
            for noise in _NOISES
        ]
        return max(found, key=lambda process: process.conditional.log_likelihood)

    def posterior(self, where: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation at `k` places, of the outputs' own scale."""
        across = _similarity(self.inputs, where, self.length)
        explained = self.conditional.explained(across)
        variance = np.maximum(1 - (explained**2).sum(axis=0), 1e-9)
        return self.centre + self.scale * self.conditional.mean(across), self.scale * np.sqrt(
            variance
        )


def _inputs(state: SearchState, axes: Sequence[Axis], key: str, level: LoadLevel) -> list[float]:
    """A number for each axis of numbers, one for each word of the others, and the load level."""
    values = [math.log(level.value) / max(math.log(max(state.levels).value), 1.0)]
    for axis in axes:
        value = state.settings[key].get(axis.path)
        if axis.numeric:
            place = axis.place(value)
            values.append(_UNSET if place is None else place)
        else:
            values += [float(value == one) for one in axis.values]
    return values


def _sign(name: str) -> int:
    return 1 if OBJECTIVES[name].maximise else -1


def _similarity(one: Floats, other: Floats, length: float) -> Floats:
    """Matern 5/2 of `n x d`, `k x d`: `n x k`."""
    return matern52(((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2) / length**2)
