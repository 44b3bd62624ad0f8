"""Errors of the parts of the time, learnt from launches: which part takes longer than assumed.

With parts of `p_k` ms by the roofline and an error of e^theta_k in each, a launch measures

    ln(measured / sum_k p_k) = ln(sum_k p_k e^theta_k / sum_k p_k) + e,

theta and e normal around 0. That is Bayesian linear regression in theta but for the logarithm of
the sum, which is linearised near the posterior's mean (C. M. Bishop, "Pattern Recognition and
Machine Learning", Springer 2006: section 3.3, and 4.4 for Laplace's approximation; steps as in A.
Tarantola, "Inverse Problem Theory", SIAM 2005, equation 3.51). What no part explains is in e: an
offset of all launches together, one of each launch, a smooth function of the load, and the noise
of a measurement. How large it is the launches say too: a few sizes are averaged by their marginal
likelihood, so that parts are no surer than they explain what was measured. A point that is far off
for a reason of its own (an engine that preempts, a queue) bends little: e has the tails of
Student's t (K. L. Lange, R. J. A. Little, J. M. G. Taylor, "Robust Statistical Modeling Using the
t Distribution", JASA 84(408), 1989).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autotuner.predict.residual_process import clipped
from autotuner.predict.time_parts import FORMAT_SHARE, TimeParts

if TYPE_CHECKING:
    from autotuner.predict.gaussian_process import Floats

ERROR_STD = math.sqrt(0.15)
"""Of ln(true / assumed) of what a part does, before anything is measured; as searches have it."""
CPU_ERROR_STD = 0.55
"""The same on a CPU, of whose kernels the roofline knows less."""


@dataclass(frozen=True)
class MeasuredTime:
    """An operating point that was measured, beside where its time goes by the roofline.

    Attributes:
        launch: points of one engine start share it.
        in_flight: mean requests in flight.
    """

    parts: TimeParts
    ttft_ms: float
    tpot_ms: float | None
    launch: str
    in_flight: float


@dataclass(frozen=True)
class Unexplained:
    """Standard deviations of what no part explains of ln(measured / assumed), of one quantity.

    Attributes:
        common: of all launches together; launch: of each; load: of a smooth function of the load.
        noise: of one measurement.
    """

    common: float
    launch: float
    load: float
    noise: float


UNEXPLAINED: Mapping[str, Unexplained] = {
    "ttft_ms": Unexplained(common=0.4, launch=0.2, load=0.4, noise=0.08),
    "tpot_ms": Unexplained(common=0.1, launch=0.08, load=0.1, noise=0.05),
}
"""Waiting and admission decide TTFT as much as the passes do, so it says less of them. Chosen such
that the errors learnt from two halves of a recorded landscape differ no more than their intervals
let expect (docs/explain_performance.md)."""


def unexplained_std(quantity: str) -> float:
    """Standard deviation of ln(measured) beside the parts, of one measurement."""
    of = UNEXPLAINED[quantity]
    return math.hypot(of.common, of.launch, of.load, of.noise)


_LOAD_LENGTH = math.log(4)
_SIZES = (0.5, 1.0, 2.0, 4.0)
_SIZE_SPREAD = 0.7
_STEPS, _CONVERGED = 40, 1e-6
_FARTHEST = 0.7
"""Of theta: the sum is linearised no farther from what is assumed than a factor of two. A small
part that had to take many times as long to explain a launch is rarely its cause."""
_FREEDOM = 4
"""Degrees of freedom of Student's t."""
_LEARNT, _SURE, _ALIKE = 0.8, 0.4, 0.6


@dataclass(frozen=True)
class PartErrors:
    """Posterior of theta, ln(true / assumed) of each part's time, as a normal distribution.

    Attributes:
        names: parts, as `TimeParts` names them: `p`.
        mean: `p`. covariance: `p x p`.
        prior: `p`, standard deviations before anything was measured.
        launches, points: how many they were learnt from.
    """

    names: tuple[str, ...]
    mean: Floats
    covariance: Floats
    prior: Floats
    launches: int = 0
    points: int = 0

    @property
    def std(self) -> Floats:
        """Posterior standard deviations: `p`."""

        import numpy as np

        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    @property
    def correlation(self) -> Floats:
        """Posterior correlation of every two parts: `p x p`."""

        import numpy as np

        std = self.std
        return np.asarray(self.covariance / np.outer(std, std))

    def of(self, name: str) -> tuple[float, float]:
        """Mean and standard deviation of a part's error."""
        place = self.names.index(name)
        return float(self.mean[place]), float(self.std[place])

    def is_learnt(self, name: str) -> bool:
        """Whether launches made a part surer than it was, by a fifth at least, and by itself."""
        place = self.names.index(name)
        surer = self.std[place] < _LEARNT * self.prior[place]
        return bool(surer) and not self.confused_with(name)

    def confused_with(self, name: str) -> tuple[str, ...]:
        """Parts that take the time that this one does not, as far as launches say: their sum is
        what is learnt. The nearest first."""
        import numpy as np

        place = self.names.index(name)
        if self.std[place] < _SURE * self.prior[place]:
            return ()
        correlation = self.correlation[place]
        found = [other for other in np.argsort(correlation) if correlation[other] < -_ALIKE]
        return tuple(self.names[other] for other in found)

    def corrected(self, times_ms: Mapping[str, float]) -> dict[str, float]:
        """Times of parts with their learnt errors; all parts are among `names`."""
        errors = dict(zip(self.names, self.mean, strict=True))
        return {name: ms * math.exp(errors[name]) for name, ms in times_ms.items()}

    def log_ratio(
        self, times_ms: Mapping[str, float], before_ms: Mapping[str, float]
    ) -> tuple[float, float]:
        """ln of the sum of `times_ms` over that of `before_ms`, errors learnt: mean and std.

        What both have in common is as unsure in both, and matters little to their ratio.
        """
        after, before = self.corrected(times_ms), self.corrected(before_ms)
        sums = sum(after.values()), sum(before.values())
        slope = self._shares(after) - self._shares(before)
        return math.log(sums[0] / sums[1]), self._std_along(slope)

    def log_std(self, times_ms: Mapping[str, float]) -> float:
        """Standard deviation of ln of the sum, as far as it is due to the errors."""
        return self._std_along(self._shares(self.corrected(times_ms)))

    def _shares(self, times_ms: Mapping[str, float]) -> Floats:
        import numpy as np

        total_ms = sum(times_ms.values())
        return np.array([times_ms.get(name, 0.0) / total_ms for name in self.names])

    def _std_along(self, slope: Floats) -> float:
        return math.sqrt(max(float(slope @ self.covariance @ slope), 0.0))


def learnt(
    measured: Sequence[MeasuredTime], names: Sequence[str] = (), *, error_std: float = ERROR_STD
) -> PartErrors:
    """Posterior of the parts' errors; the prior where nothing is measured.

    Args:
        names: parts that are asked about beside those of `measured`.
        error_std: prior standard deviation of a part's error.
    """

    import numpy as np

    known = {name for one in measured for name in (*one.parts.ttft_ms, *one.parts.tpot_ms)}
    parts = tuple(sorted(known | set(names)))
    prior = _prior(parts, error_std)
    std = np.sqrt(np.diag(prior))
    if not measured:
        return PartErrors(parts, np.zeros(len(parts)), prior, std)
    rows = _Rows.of(measured, parts)
    fits = [_fit(rows, prior, size) for size in _SIZES]
    scores = np.array([score for _, _, score in fits])
    scores -= 0.5 * (np.log(_SIZES) / _SIZE_SPREAD) ** 2
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    mean = np.asarray(sum(w * m for w, (m, _, _) in zip(weights, fits, strict=True)))
    covariance = np.asarray(
        sum(
            w * (c + np.outer(m - mean, m - mean))
            for w, (m, c, _) in zip(weights, fits, strict=True)
        )
    )
    launches = len({one.launch for one in measured})
    return PartErrors(parts, mean, covariance, std, launches, len(measured))


@dataclass(frozen=True)
class _Rows:
    """Measured quantities, one a row.

    Attributes:
        times: assumed ms of each part: `n x p`.
        residuals: ln(measured / assumed): `n`.
        unexplained: covariance of what no part explains, of usual size: `n x n`.
        noise: variances: `n`.
    """

    times: Floats
    residuals: Floats
    unexplained: Floats
    noise: Floats

    @classmethod
    def of(cls, measured: Sequence[MeasuredTime], names: Sequence[str]) -> _Rows:
        import numpy as np

        from autotuner.predict.gaussian_process import equal_tags, matern32

        places = {name: place for place, name in enumerate(names)}
        rows = [
            (quantity, one, getattr(one.parts, quantity), value)
            for quantity in UNEXPLAINED
            for one in measured
            if (value := getattr(one, quantity)) and getattr(one.parts, quantity)
        ]
        times = np.zeros((len(rows), len(names)))
        for row, (_, _, parts, _) in enumerate(rows):
            for name, ms in parts.items():
                times[row, places[name]] = ms
        residuals = np.log([value for *_, value in rows]) - np.log(times.sum(1))
        quantities = [quantity for quantity, *_ in rows]
        stds = [UNEXPLAINED[quantity] for quantity in quantities]
        same = equal_tags(quantities, quantities)
        launches = [one.launch for _, one, *_ in rows]
        loads = np.log([one.in_flight for _, one, *_ in rows])
        distances = ((loads[:, None] - loads[None]) / _LOAD_LENGTH) ** 2

        def scaled(values: Sequence[float]) -> Floats:
            return np.outer(values, values)

        covariance = scaled([std.common for std in stds])
        covariance += scaled([std.launch for std in stds]) * equal_tags(launches, launches)
        covariance += scaled([std.load for std in stds]) * matern32(distances)
        noise = np.array([std.noise**2 for std in stds])
        return cls(times, clipped(residuals), covariance * same, noise)


def _prior(names: Sequence[str], error_std: float) -> Floats:
    """Covariance of errors: formats of one part share theirs, but for `FORMAT_SHARE` of it."""

    import numpy as np

    from autotuner.predict.gaussian_process import equal_tags

    kinds = [name.partition(":")[0] for name in names]
    own = np.diag([FORMAT_SHARE if ":" in name else 0.0 for name in names])
    return np.asarray(error_std**2 * (equal_tags(kinds, kinds) + own))


def _fit(rows: _Rows, prior: Floats, size: float) -> tuple[Floats, Floats, float]:
    """Mean, covariance and log evidence where what no part explains is `size` times as large."""

    import numpy as np

    unexplained = size**2 * rows.unexplained + np.diag(rows.noise * max(size, 1.0) ** 2)
    assumed = rows.times.sum(1)

    def off(theta: Floats) -> Floats:
        return np.asarray(rows.residuals - np.log(rows.times @ np.exp(theta) / assumed))

    theta, spread = np.zeros(len(prior)), np.diag(unexplained).copy()
    apart = np.zeros(len(spread))
    for _ in range(_STEPS):
        near = np.clip(theta, -_FARTHEST, _FARTHEST)
        slopes, left = _slopes(rows.times, near), off(near)
        total = slopes @ prior @ slopes.T + unexplained + np.diag(apart)
        aimed = left + slopes @ near
        solved = np.linalg.solve(total, np.column_stack([aimed, slopes @ prior]))
        found = prior @ slopes.T @ solved[:, 0]
        far = (aimed - slopes @ found) ** 2 / spread
        apart = (apart + spread * np.maximum((_FREEDOM + far) / (_FREEDOM + 1) - 1, 0.0)) / 2
        moved, theta = float(np.abs(found - theta).max()), (theta + found) / 2
        if moved < _CONVERGED:
            break
    covariance = prior - prior @ slopes.T @ solved[:, 1:]
    score = -0.5 * float(aimed @ solved[:, 0]) - 0.5 * float(np.linalg.slogdet(total)[1])
    return theta, np.asarray(covariance), score


def _slopes(times: Floats, theta: Floats) -> Floats:
    """Derivatives of the logarithm of the sum: shares of the time with those errors: `n x p`."""

    import numpy as np

    parts = times * np.exp(theta)
    return np.asarray(parts / parts.sum(1, keepdims=True))
