"""Whether a launch fits: where the memory wall stands, learnt from what ran and what did not.

How far each row is from the wall is first what memory predictions say, in units of `WALL_WIDTH`; a
Gaussian process corrects it: mostly one shift of the wall for all rows, and a smooth part, so that
failures that follow some settings lower the odds of their neighbours. What ran and what failed
enters through a probit likelihood, by Laplace's approximation (Rasmussen and Williams, 2006,
algorithms 3.1 and 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autotuner.predict.likeness import matern, squared_distances
from autotuner.search.hybrid.rows import Bools, Floats, Ints, Rows

WALL_WIDTH = 0.04
"""Relative memory within which the same prediction may fit or not."""
SHIFT_VARIANCE, SMOOTH_VARIANCE = 8.0, 4.0
"""Of the wall's shift, and of its smooth part, in squares of `WALL_WIDTH`."""

_LENGTHS: Mapping[str, float] = {
    "tensor": 2.0,
    "data": 2.0,
    "pipeline": 3.0,
    "moe_tensor": 3.0,
    "expert": 3.0,
    "format": 5.0,
    "engine": 3.0,
    "other": 8.0,
    "concurrency": 9.0,
    "load": 5.0,
    "gpus": 4.0,
    "base_ttft": 30.0,
    "base_tpot": 30.0,
}
_LEAST_SAID, _MOST_SAID = 0.5, 10.0
"""Margins of rows that are predicted to run."""
_SILENT = 5.0
"""Margin where nothing is said of memory."""
_BEYOND, _HOPELESS = -2.0, -10.0
"""Margins, at the most, of rows predicted to run out of memory: above levels that run, and of
candidates that run at no level."""
_NEWTON_STEPS, _CLOSE = 30, 1e-4


def margins(rows: Rows) -> Floats:
    """How far from the wall each row is predicted to be: `n`, positive runs."""
    if np.isnan(rows.memory_gib[rows.predicted]).all():
        said = np.full(len(rows.of), _SILENT)
    else:
        largest = np.nanmax(rows.memory_gib[rows.predicted])
        room = np.log(largest) - np.log(rows.memory_gib)
        said = np.clip(np.nan_to_num(room / WALL_WIDTH, nan=_SILENT), -_MOST_SAID, _MOST_SAID)
    silent = ~rows.predicted & ~rows.presumed_oom
    said = np.where(rows.predicted, np.maximum(said, _LEAST_SAID), said)
    said = np.where(silent, np.clip(said, 1.0, _SILENT), said)
    said = np.where(rows.presumed_oom, np.minimum(said, _BEYOND), said)
    return np.where(rows.hopeless, np.minimum(said, _HOPELESS), said)


def chance_to_fit(distance: Floats, doubt: float = 1.0) -> Floats:
    """Probability to run, of distances from the wall.

    Args:
        doubt: share of the believed doubts that counts, above 0: the less, the nearer to 0 or 1.
    """
    return _normal_cdf(distance / doubt)


def distance_to_wall(rows: Rows, tried: Ints, ran: Bools) -> Floats:
    """How far each row is believed to be from the wall, in standard deviations: `n`, positive runs.

    Args:
        tried: rows that were launched and measured, or failed: `m`. ran: which of them ran.
    """
    margin = margins(rows)
    variance = SHIFT_VARIANCE + SMOOTH_VARIANCE
    if not len(tried):
        return np.asarray(margin / math.sqrt(1 + variance))
    scaled = rows.features / np.array([_LENGTHS[role] for role in rows.roles])
    among = _kernel(scaled[tried], scaled[tried]) + 1e-6 * np.eye(len(tried))
    pull, root, curvature = _laplace(among, margin[tried], np.where(ran, 1.0, -1.0))
    towards = _kernel(scaled[tried], scaled)
    mean = margin + towards.T @ pull
    explained = np.linalg.solve(root, curvature[:, None] * towards)
    left = np.maximum(variance - (explained**2).sum(0), 0.0)
    return np.asarray(mean / np.sqrt(1 + left))


def _laplace(covariance: Floats, prior: Floats, labels: Floats) -> tuple[Any, Any, Any]:
    """Newton's method to the mode: its weights, the factor of B, and sqrt(W)."""
    size = len(labels)
    latent, pull = prior.copy(), np.zeros(size)
    root: Floats = np.eye(size)
    sqrt_w = np.ones(size)
    for _ in range(_NEWTON_STEPS):
        agreement = labels * latent
        likelihood = np.maximum(_normal_cdf(agreement), 1e-9)
        ratio = np.exp(-0.5 * agreement**2) / math.sqrt(2 * math.pi) / likelihood
        gradient = labels * ratio
        w = np.maximum(ratio**2 + agreement * ratio, 1e-8)
        sqrt_w = np.sqrt(w)
        root = np.asarray(
            np.linalg.cholesky(np.eye(size) + sqrt_w[:, None] * covariance * sqrt_w), float
        )
        target = w * (latent - prior) + gradient
        inner = np.linalg.solve(root, sqrt_w * (covariance @ target))
        pull = target - sqrt_w * np.linalg.solve(root.T, inner)
        new = prior + covariance @ pull
        moved = float(np.abs(new - latent).max())
        latent = new
        if moved < _CLOSE:
            break
    return pull, root, sqrt_w


def _kernel(one: Floats, other: Floats) -> Floats:
    alike = matern(squared_distances(one, other))
    covariance: Floats = SHIFT_VARIANCE + SMOOTH_VARIANCE * alike
    return covariance


def _normal_cdf(values: Floats) -> Floats:
    """Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.17: within 8e-8."""
    t = 1 / (1 + 0.2316419 * np.abs(values))
    powers = (0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429)
    series = t * (powers[0] + t * (powers[1] + t * (powers[2] + t * (powers[3] + t * powers[4]))))
    tail = np.exp(-0.5 * values**2) / math.sqrt(2 * math.pi) * series
    return np.asarray(np.where(values >= 0, 1 - tail, tail))
