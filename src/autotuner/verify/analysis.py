"""How far predictions are from measurements. Pure; errors and shares are in percent.

APE is |predicted - actual| / actual. Bias is exp(mean ln(predicted / actual)), a factor: 1.2 means
that predictions are 20 % too high in the geometric mean. Rank correlation is Spearman's: Pearson's
correlation of the ranks, equal values sharing the mean of their ranks (C. Spearman, "The Proof and
Measurement of Association between Two Things", American Journal of Psychology 15, 1904).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autotuner.verify.matching import Pair
from autotuner.verify.points import Point

DEFAULT_WITHIN = (10.0, 15.0, 20.0)
"""Percent of the measured value."""


@dataclass(frozen=True)
class Metric:
    """A figure that both sides may tell."""

    name: str
    title: str
    unit: str
    of: Callable[[Point], float | None]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("ttft", "TTFT", "ms", lambda point: point.ttft_ms),
        Metric("tpot", "TPOT", "ms", lambda point: point.tpot_ms),
        Metric(
            "tpot_with_first", "TPOT with first token", "ms", lambda point: point.tpot_with_first_ms
        ),
        Metric("tok_s", "throughput", "tok/s", lambda point: point.tok_s),
    )
}
"""What is compared, by name."""

DIMENSIONS: dict[str, Callable[[Pair], object]] = {
    "concurrency": lambda pair: pair.actual.concurrency,
    "isl": lambda pair: pair.told("isl"),
    "osl": lambda pair: pair.told("osl"),
    "layout": lambda pair: pair.label,
    "engine": lambda pair: pair.told("engine"),
    "system": lambda pair: pair.told("system"),
    "model": lambda pair: pair.told("model"),
}
"""What errors are broken down by."""


@dataclass(frozen=True)
class Errors:
    """Of one metric over pairs; None where there are too few of them.

    Attributes:
        pairs: how many tell the metric on both sides; `missing`: how many do not.
        mape, median_ape: mean and median APE, percent.
        bias: geometric mean of predicted / actual.
        spearman: rank correlation, -1 to 1; None below two pairs, or where one side is constant.
        within: percent of the measured value -> share of pairs with no greater error, percent.
    """

    metric: str
    pairs: int
    missing: int
    mape: float | None
    median_ape: float | None
    bias: float | None
    spearman: float | None
    within: Mapping[float, float]


@dataclass(frozen=True)
class Miss:
    """One pair's error in one metric, percent; positive where the prediction is too high."""

    pair: Pair
    predicted: float
    actual: float
    error: float


def errors(
    metric: Metric, pairs: Sequence[Pair], within: Sequence[float] = DEFAULT_WITHIN
) -> Errors:
    """The errors of one metric."""
    misses = misses_of(metric, pairs)
    apes = [abs(miss.error) for miss in misses]
    logs = [math.log(miss.predicted / miss.actual) for miss in misses]
    shares = {limit: 100 * sum(a <= limit for a in apes) / len(apes) for limit in within if apes}
    return Errors(
        metric=metric.name,
        pairs=len(misses),
        missing=len(pairs) - len(misses),
        mape=statistics.fmean(apes) if apes else None,
        median_ape=statistics.median(apes) if apes else None,
        bias=math.exp(statistics.fmean(logs)) if logs else None,
        spearman=spearman([m.predicted for m in misses], [m.actual for m in misses]),
        within=shares,
    )


def misses_of(metric: Metric, pairs: Sequence[Pair]) -> list[Miss]:
    """The error of every pair that tells the metric on both sides, in the order given."""
    found = []
    for pair in pairs:
        predicted, actual = metric.of(pair.predicted), metric.of(pair.actual)
        if predicted is not None and actual is not None:
            found.append(Miss(pair, predicted, actual, 100 * (predicted - actual) / actual))
    return found


def worst(metric: Metric, pairs: Sequence[Pair], count: int = 5) -> list[Miss]:
    """The pairs furthest off as a factor, too high or too low, the worst first."""
    return sorted(misses_of(metric, pairs), key=lambda m: -abs(math.log(m.predicted / m.actual)))[
        :count
    ]


def by_dimension(
    dimension: str, pairs: Sequence[Pair], within: Sequence[float] = DEFAULT_WITHIN
) -> dict[str, dict[str, Errors]]:
    """Value of a dimension -> metric -> errors, numbers rising; what is not told is left out."""
    groups: dict[object, list[Pair]] = {}
    for pair in pairs:
        value = DIMENSIONS[dimension](pair)
        if value is not None:
            groups.setdefault(value, []).append(pair)
    ordered = sorted(groups, key=lambda v: (v, "") if isinstance(v, int | float) else (0, str(v)))
    return {
        _text(value): {name: errors(m, groups[value], within) for name, m in METRICS.items()}
        for value in ordered
    }


def spearman(one: Sequence[float], two: Sequence[float]) -> float | None:
    """Rank correlation; None below two values, or where either side is constant.

    Args:
        one, two: as long as each other.
    """
    if len(one) < 2 or len(set(one)) < 2 or len(set(two)) < 2:
        return None
    return statistics.correlation(ranks(one), ranks(two))


def ranks(values: Sequence[float]) -> list[float]:
    """1 for the least; equal values share the mean of the ranks that they take up."""
    ordered = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(ordered):
        end = start
        while end + 1 < len(ordered) and values[ordered[end + 1]] == values[ordered[start]]:
            end += 1
        for place in ordered[start : end + 1]:
            found[place] = (start + end) / 2 + 1
        start = end + 1
    return found


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
