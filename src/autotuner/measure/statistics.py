"""Summary of a sample: percentiles, and 95 % confidence intervals of them and of the mean.

Requests that wait for each other are alike: taken as independent, the interval of a mean holds the
truth in 25-75 % of levels with a queue. So means are compared by batches (contiguous parts of the
sample, in the order in which requests began), and what correlation is left between neighbouring
batches widens the interval as that of a first-order autoregressive process does (Law, Simulation
Modeling and Analysis, section 9.5.3). Quantiles have intervals between order statistics, widened by
the square root of the design effect.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from autotuner.measure.results import Distribution

BATCHES = 10
_FEWEST_FOR_BATCHES = 2 * BATCHES
_MOST_CORRELATION = 0.9
_Z975 = 1.959963984540054
_T975_SMALL = {1: 12.7062047, 2: 4.3026527, 3: 3.1824463, 4: 2.7764451}
_EXACT_UP_TO = 1000

Interval = tuple[float | None, float | None]
"""Lower and upper end; None where the sample is too small to give one."""


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

    Below 20 values each is a batch of its own, taken as independent.

    Args:
        values: in the order in which their requests began.
    """
    error = _standard_error(values)
    if error is None:
        return None
    return student_t975(_batches(len(values)) - 1) * error * _skewness_factor(values)


def quantile_interval95(
    values: Sequence[float], ordered: Sequence[float], share: float
) -> Interval:
    """The 95 % confidence interval of a quantile, between two values of the sample.

    Args:
        values: in the order in which their requests began.
        ordered: the same, ascending.
        share: of the quantile, between 0 and 1.
    """
    count = len(ordered)
    low, high = _order_bounds(count, share)
    widened = math.sqrt(_design_effect(values, ordered, share))
    middle = count * share
    low = math.floor(middle - widened * (middle - low))
    high = math.ceil(middle + widened * (high - middle))
    return (
        float(ordered[low - 1]) if low >= 1 else None,
        float(ordered[high - 1]) if high <= count else None,
    )


def _batches(count: int) -> int:
    return BATCHES if count >= _FEWEST_FOR_BATCHES else count


def _standard_error(values: Any) -> float | None:
    """Of the mean, by batches."""
    import numpy as np

    sample = np.asarray(values, dtype=float)
    count = len(sample)
    if count < 2:
        return None
    batches = _batches(count)
    edges = np.rint(np.linspace(0, count, batches + 1)).astype(int)
    scale = float(np.abs(sample).max()) or 1.0
    means = np.add.reduceat(sample / scale, edges[:-1]) / np.diff(edges)
    apart = means - means.mean()
    squares = float(apart @ apart)
    error = scale * math.sqrt(squares / (batches - 1) / batches)
    if count < _FEWEST_FOR_BATCHES or squares == 0.0:
        return error
    # The estimate of the correlation is too small by about one over the number of batches.
    correlation = float(apart[1:] @ apart[:-1]) / squares + 1 / batches
    correlation = min(max(correlation, 0.0), _MOST_CORRELATION)
    return error * math.sqrt((1 + correlation) / (1 - correlation))


def _skewness_factor(values: Any) -> float:
    """By how much Student's interval of a skewed sample is too narrow.

    The term of the squared skewness in the Edgeworth expansion of the coverage (Hall, The Bootstrap
    and Edgeworth Expansion, section 2.6): (z^4 + 2 z^2 - 3) / 18 at z = 1.96 is 1.08.
    """
    import numpy as np

    sample = np.asarray(values, dtype=float)
    apart = sample - sample.mean()
    scale = float(np.abs(apart).max())
    if scale == 0.0:
        return 1.0
    apart /= scale
    skewness: float = float((apart**3).mean()) / float((apart**2).mean()) ** 1.5
    return 1 + 1.08 * skewness**2 / len(sample)


def _design_effect(values: Sequence[float], ordered: Sequence[float], share: float) -> float:
    """By how much the variance of a share exceeds that of independent requests; at least 1."""
    import numpy as np

    count = len(ordered)
    if count < _FEWEST_FOR_BATCHES:
        return 1.0
    limit = ordered[min(int(count * share), count - 1)]
    error = _standard_error(np.asarray(values) < limit) or 0.0
    return max(error**2 * count / (share * (1 - share)), 1.0)


@lru_cache(maxsize=4096)
def _order_bounds(count: int, share: float) -> tuple[int, int]:
    """Ranks between which the quantile of independent values lies with 95 %: 0 and `count` + 1
    stand for none. By the binomial distribution of how many values are below it."""
    spread = math.sqrt(count * share * (1 - share))
    if count > _EXACT_UP_TO:
        low, high = count * share - _Z975 * spread, count * share + _Z975 * spread
        return math.floor(low), math.ceil(high) + 1
    below, low, high = 0.0, 0, count + 1
    for hits in range(count + 1):
        ways = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
        below += math.exp(ways + hits * math.log(share) + (count - hits) * math.log1p(-share))
        if below <= 0.025:
            low = hits + 1
        if below >= 0.975:
            high = hits + 1
            break
    return low, high
