"""Summaries of a sample: percentiles, and the confidence intervals of them and of the mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autotuner.measure.intervals import Interval, half_width95, quantile_interval95
from autotuner.measure.results import Distribution


def percentile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996).

    Args:
        ordered: ascending, not empty.
        share: 0 … 1.
    """
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def distribution(values: Sequence[float]) -> Distribution | None:
    """The summary of a sample, in its own unit; None where it is empty.

    Args:
        values: in the order in which their requests began; the intervals depend on it.
    """
    if len(values) == 0:
        return None
    # In numpy, which lets other threads run meanwhile: other engines may be measured.
    import numpy as np

    sample = np.asarray(values, dtype=float)
    ordered = np.sort(sample)

    def interval(share: float) -> Interval | None:
        found = quantile_interval95(sample, ordered, share)  # type: ignore[arg-type]
        return None if found == (None, None) else found

    return Distribution(
        count=len(ordered),
        mean=min(max(float(sample.mean()), float(ordered[0])), float(ordered[-1])),
        std=float((sample - sample[0]).std(ddof=1)) if len(ordered) > 1 else 0.0,
        min=float(ordered[0]),
        p50=percentile(ordered, 0.50),  # type: ignore[arg-type]
        p90=percentile(ordered, 0.90),  # type: ignore[arg-type]
        p95=percentile(ordered, 0.95),  # type: ignore[arg-type]
        p99=percentile(ordered, 0.99),  # type: ignore[arg-type]
        max=float(ordered[-1]),
        ci95=half_width95(sample),  # type: ignore[arg-type]
        p50_ci95=interval(0.50),
        p90_ci95=interval(0.90),
        p95_ci95=interval(0.95),
        p99_ci95=interval(0.99),
    )
