"""Feasibility classifier: whether a launch fits, learnt from what ran and what did not.

The margin of a row is first what memory predictions say of it, in units of `MARGIN_WIDTH`; a latent
Gaussian process corrects it: mostly one shift for all rows, and a smooth part, so that failures
that follow some settings lower the odds of their neighbours. What ran and what failed enters
through a probit likelihood (`predict.gaussian_process`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from autotuner.predict.gaussian_process import (
    Component,
    classified,
    kernel_sum,
    matern32,
    normal_cdf,
    squared_distances,
)
from autotuner.search.hybrid.rows import Bools, Floats, Ints, Rows

MARGIN_WIDTH = 0.04
"""Relative memory within which the same prediction may fit or not."""
COMPONENTS = (Component(8.0), Component(4.0, ("features",)))
"""One shift of all margins, and a smooth part, in squares of `MARGIN_WIDTH`."""

_LENGTHS: Mapping[str, float] = {
    "tensor": 2.0,
    "data": 2.0,
    "pipeline": 3.0,
    "moe_tensor": 3.0,
    "expert": 3.0,
    "format": 5.0,
    "engine": 3.0,
    "other": 8.0,
    "level": 9.0,
    "load": 5.0,
    "gpus": 4.0,
    "base_ttft": 30.0,
    "base_tpot": 30.0,
}
_LEAST_MARGIN, _MOST_MARGIN = 0.5, 10.0
"""Margins of rows that are predicted to run."""
_UNPREDICTED_MARGIN = 5.0
"""Margin where no memory is predicted."""
_BEYOND, _INFEASIBLE = -2.0, -10.0
"""Margins, at the most, of rows predicted to run out of memory: above levels that run, and of
candidates that run at no level."""


def margins(rows: Rows) -> Floats:
    """Predicted margin of each row, the prior mean: `n`, above 0 where it is expected to run."""
    if np.isnan(rows.memory_gib[rows.predicted]).all():
        margin = np.full(len(rows.of), _UNPREDICTED_MARGIN)
    else:
        largest = np.nanmax(rows.memory_gib[rows.predicted])
        room = np.log(largest) - np.log(rows.memory_gib)
        margin = np.clip(
            np.nan_to_num(room / MARGIN_WIDTH, nan=_UNPREDICTED_MARGIN), -_MOST_MARGIN, _MOST_MARGIN
        )
    unpredicted = ~rows.predicted & ~rows.presumed_oom
    margin = np.where(rows.predicted, np.maximum(margin, _LEAST_MARGIN), margin)
    margin = np.where(unpredicted, np.clip(margin, 1.0, _UNPREDICTED_MARGIN), margin)
    margin = np.where(rows.presumed_oom, np.minimum(margin, _BEYOND), margin)
    return np.where(rows.infeasible, np.minimum(margin, _INFEASIBLE), margin)


def probability_of_feasibility(margin: Floats, std_share: float = 1.0) -> Floats:
    """Probability to run, of standardised margins.

    Args:
        std_share: share of the posterior standard deviations that counts, above 0: the less, the
            nearer the probability to 0 or 1.
    """
    return normal_cdf(margin / std_share)


def standardised_margin(rows: Rows, tried: Ints, ran: Bools) -> Floats:
    """Posterior mean of each row's margin over its standard deviation: `n`.

    Args:
        tried: rows that were launched and measured, or failed: `m`. ran: which of them ran.
    """
    margin = margins(rows)
    variance = sum(component.variance for component in COMPONENTS)
    if not len(tried):
        return np.asarray(margin / math.sqrt(1 + variance))
    scaled = rows.features / np.array([_LENGTHS[role] for role in rows.roles])
    among = _kernel(scaled[tried], scaled[tried]) + 1e-6 * np.eye(len(tried))
    classifier = classified(among, margin[tried], ran)
    across = _kernel(scaled[tried], scaled)
    left = np.maximum(variance - (classifier.explained(across) ** 2).sum(0), 0.0)
    return np.asarray((margin + classifier.mean(across)) / np.sqrt(1 + left))


def _kernel(one: Floats, other: Floats) -> Floats:
    similarities = {"features": matern32(squared_distances(one, other))}
    return kernel_sum(COMPONENTS, similarities, (len(one), len(other)))
