"""Summaries of a sample: percentiles and the confidence interval of the mean."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from autotuner.measure.results import Distribution

_Z975 = 1.959963984540054
_T975_SMALL = {1: 12.7062047, 2: 4.3026527, 3: 3.1824463, 4: 2.7764451}


def percentile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996).

    Args:
        ordered: ascending, not empty.
        share: 0 … 1.
    """
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def student_t975(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, to four digits.

    Exact values up to 4 degrees of freedom, above them the expansion 26.7.5 of Abramowitz and
    Stegun, Handbook of Mathematical Functions.

    Raises:
        ValueError: `freedom` below 1.
    """
    if freedom < 1:
        raise ValueError(f"got {freedom} degrees of freedom, expected 1 or more")
    if freedom in _T975_SMALL:
        return _T975_SMALL[freedom]
    z = _Z975
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    correction: float = sum(term / freedom**power for power, term in enumerate(terms, start=1))
    return z + correction


def half_width95(values: Sequence[float]) -> float | None:
    """Half width of the 95 % confidence interval of the mean; None below two values.

    Takes the values as independent. Requests that share an engine are not quite, so it is a little
    too narrow for small samples.
    """
    if len(values) < 2:
        return None
    return student_t975(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))


def distribution(values: Sequence[float]) -> Distribution | None:
    """The summary of a sample, in its own unit; None where it is empty."""
    if not values:
        return None
    ordered = sorted(values)
    return Distribution(
        count=len(ordered),
        mean=statistics.fmean(ordered),
        std=statistics.stdev(ordered) if len(ordered) > 1 else 0.0,
        min=ordered[0],
        p50=percentile(ordered, 0.50),
        p90=percentile(ordered, 0.90),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        max=ordered[-1],
        ci95=half_width95(ordered),
    )
