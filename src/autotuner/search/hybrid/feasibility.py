"""Whether a launch fits: where the memory wall stands, learnt from what ran and what did not.

How far each row is from the wall is first what memory predictions say, in units of `WALL_WIDTH`; a
Gaussian process corrects it: mostly one shift of the wall for all rows, and a smooth part, so that
failures that follow some settings lower the odds of their neighbours. What ran and what failed
enters through a probit likelihood (`predict.gaussian_process`).
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

WALL_WIDTH = 0.04
"""Relative memory within which the same prediction may fit or not."""
COMPONENTS = (Component(8.0), Component(4.0, ("features",)))
"""The wall's shift, and its smooth part, in squares of `WALL_WIDTH`."""

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
_LEAST_SAID, _MOST_SAID = 0.5, 10.0
"""Margins of rows that are predicted to run."""
_SILENT = 5.0
"""Margin where nothing is said of memory."""
_BEYOND, _HOPELESS = -2.0, -10.0
"""Margins, at the most, of rows predicted to run out of memory: above levels that run, and of
candidates that run at no level."""


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
    return normal_cdf(distance / doubt)


def distance_to_wall(rows: Rows, tried: Ints, ran: Bools) -> Floats:
    """Posterior distance of each row from the wall, in standard deviations: `n`, positive runs.

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
