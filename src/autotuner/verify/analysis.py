"""How far predictions are from measurements. Pure; errors and shares are in percent.

APE is |predicted - actual| / actual. Bias is exp(mean ln(predicted / actual)), a factor: 1.2 means
that predictions are 20 % too high in the geometric mean. Rank correlation is Spearman's: Pearson's
correlation of the ranks, equal values sharing the mean of their ranks (C. Spearman, "The Proof and
Measurement of Association between Two Things", American Journal of Psychology 15, 1904).

Errors that all points share change no choice, so a predictor may be far off and still choose well.
Points of one scenario (model, device, request lengths) compete with each other.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autotuner.config import LoadKind, LoadLevel
from autotuner.predict import tok_s_per_user
from autotuner.search import (
    OperatingPoint,
    has,
    hypervolume,
    objective_vector,
    pareto_front,
    recommend,
    reference_point,
)
from autotuner.search.slo import within
from autotuner.verify.matching import Pair, model_name
from autotuner.verify.points import Point

DEFAULT_WITHIN = (10.0, 15.0, 20.0)
"""Percent of the measured value."""


@dataclass(frozen=True)
class Metric:
    """A quantity that both sides may state."""

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
"""The metrics that are compared, by name."""

DIMENSIONS: dict[str, Callable[[Pair], object]] = {
    "load": lambda pair: pair.actual.load,
    "isl": lambda pair: pair.known("isl"),
    "osl": lambda pair: pair.known("osl"),
    "layout": lambda pair: pair.label,
    "engine": lambda pair: pair.known("engine"),
    "system": lambda pair: pair.known("system"),
    "model": lambda pair: pair.known("model"),
}
"""The dimensions that errors are broken down by."""


@dataclass(frozen=True)
class Errors:
    """Of one metric over pairs; None where there are too few of them.

    Attributes:
        pairs: how many state the metric on both sides; `missing`: how many do not.
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
    predicted, actual = [m.predicted for m in misses], [m.actual for m in misses]
    return errors_of_values(
        metric.name, predicted, actual, missing=len(pairs) - len(misses), within=within
    )


def errors_of_values(
    name: str,
    predicted: Sequence[float],
    actual: Sequence[float],
    *,
    missing: int = 0,
    within: Sequence[float] = DEFAULT_WITHIN,
) -> Errors:
    """The errors of one metric over values that stand beside each other.

    Args:
        predicted, actual: positive, and as long as each other.
        missing: pairs that state the metric on one side only.
    """
    values = list(zip(predicted, actual, strict=True))
    apes = [100 * abs(one - other) / other for one, other in values]
    logs = [math.log(one / other) for one, other in values]
    shares = {limit: 100 * sum(a <= limit for a in apes) / len(apes) for limit in within if apes}
    return Errors(
        metric=name,
        pairs=len(apes),
        missing=missing,
        mape=statistics.fmean(apes) if apes else None,
        median_ape=statistics.median(apes) if apes else None,
        bias=math.exp(statistics.fmean(logs)) if logs else None,
        spearman=spearman(predicted, actual),
        within=shares,
    )


def misses_of(metric: Metric, pairs: Sequence[Pair]) -> list[Miss]:
    """The error of every pair that states the metric on both sides, in the order given."""
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
    """Value of a dimension -> metric -> errors, numbers rising; unknown values are left out."""
    groups: dict[object, list[Pair]] = {}
    for pair in pairs:
        value = DIMENSIONS[dimension](pair)
        if value is not None:
            groups.setdefault(value, []).append(pair)
    ordered = sorted(groups, key=_rank)
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


def _rank(value: object) -> tuple[float, str]:
    """Numbers and load levels by size, all else by its text."""
    if isinstance(value, LoadLevel):
        return value.value, value.kind.value
    return (value, "") if isinstance(value, int | float) else (0, str(value))


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


OBJECTIVES = ("tok_s_per_gpu", "tok_s_per_user")
ONE_TOKEN_OBJECTIVES = ("tok_s_per_gpu", "ttft_ms")
"""Where every answer has one token: a token is a request then."""


@dataclass(frozen=True)
class PredictedChoice:
    """The choices by prediction and by measurement in one scenario.

    Attributes:
        points: operating points that compete.
        predicted_frontier, actual_frontier: how many lie on each; `common`: on both.
        hypervolume_ratio: hypervolume of the *measured* figures of the predicted frontier over that
            of the actual one, 0 to 1; the reference point is the actual frontier's.
        chosen, best: the pairs chosen by prediction and by measurement.
        same: whether they are one.
        regret: share of the best point's utility that the chosen one lacks, percent. Utility is
            tok/s per GPU within the SLO and nothing outside it; without an SLO tok/s per GPU times
            tok/s per user, as in `recommend`. None where no point has any.
        meets_slo: whether the chosen point meets the SLO as measured; None without one.
    """

    scenario: str
    points: int
    predicted_frontier: int
    actual_frontier: int
    common: int
    hypervolume_ratio: float
    chosen: Pair
    best: Pair
    same: bool
    regret: float | None
    meets_slo: bool | None


def choices(
    pairs: Sequence[Pair], slo: Mapping[str, float] | None = None
) -> tuple[PredictedChoice, ...]:
    """One for each scenario with at least two points that state all that a choice needs.

    Args:
        slo: `ttft_ms`, `tpot_ms` -> upper limit in ms.
    """
    scenarios: dict[str, list[Pair]] = {}
    for pair in pairs:
        made = [_operating(point, "") for point in (pair.predicted, pair.actual)]
        if all(point is not None and has(point, slo or ()) for point in made):
            scenarios.setdefault(_scenario(pair), []).append(pair)
    return tuple(
        _choice(name, found, slo or {}) for name, found in scenarios.items() if len(found) > 1
    )


def _choice(scenario: str, pairs: Sequence[Pair], slo: Mapping[str, float]) -> PredictedChoice:
    by_id = {str(index): pair for index, pair in enumerate(pairs)}
    predicted = _points({key: pair.predicted for key, pair in by_id.items()})
    actual = _points({key: pair.actual for key, pair in by_id.items()})
    expected = {point.candidate_id for point in _front(predicted.values())}
    found = {point.candidate_id for point in _front(actual.values())}
    vectors = [_vector(actual[key]) for key in found]
    reference = reference_point(vectors)
    got = hypervolume([_vector(actual[key]) for key in expected], reference)
    chosen, best = _recommended(predicted, slo), _recommended(actual, slo)
    most = _utility(actual[best], slo)
    return PredictedChoice(
        scenario=scenario,
        points=len(pairs),
        predicted_frontier=len(expected),
        actual_frontier=len(found),
        common=len(expected & found),
        hypervolume_ratio=got / hypervolume(vectors, reference),
        chosen=by_id[chosen],
        best=by_id[best],
        same=chosen == best,
        regret=100 * (1 - _utility(actual[chosen], slo) / most) if most else None,
        meets_slo=within(actual[chosen], slo) if slo else None,
    )


def _recommended(points: Mapping[str, OperatingPoint], slo: Mapping[str, float]) -> str:
    found = recommend(list(points.values()) if slo else _front(points.values()), slo)
    if found is None:
        raise ValueError("there is nothing to choose from")
    return found[0].candidate_id


def _front(points: object) -> list[OperatingPoint]:
    return pareto_front(points, _vector)  # type: ignore[arg-type]  # an iterable of points


def _vector(point: OperatingPoint) -> tuple[float, ...]:
    return objective_vector(point, ONE_TOKEN_OBJECTIVES if point.tpot_ms is None else OBJECTIVES)


def _utility(point: OperatingPoint, slo: Mapping[str, float]) -> float:
    if slo:
        return point.tok_s_per_gpu if within(point, slo) else 0.0
    return point.tok_s_per_gpu * (point.tok_s_per_user or 1000 / point.ttft_ms)


def _points(points: Mapping[str, Point]) -> dict[str, OperatingPoint]:
    made = {key: _operating(point, key) for key, point in points.items()}
    return {key: point for key, point in made.items() if point is not None}


def _operating(point: Point, key: str) -> OperatingPoint | None:
    """The point as search sees it; None where it does not state all that a choice needs."""
    per_gpu = point.tok_s_per_gpu
    if point.ttft_ms is None or point.tok_s is None or per_gpu is None:
        return None
    if point.tpot_ms is None and point.osl != 1:
        return None
    return OperatingPoint(
        candidate_id=key,
        load=point.load,
        tok_s=point.tok_s,
        tok_s_per_gpu=per_gpu,
        tok_s_per_user=tok_s_per_user(point.tpot_ms),
        ttft_ms=point.ttft_ms,
        tpot_ms=point.tpot_ms,
        # No predictor gives percentiles, and no choice here asks for one.
        e2e_p90_ms=math.nan,
        requests_per_s=point.tok_s / point.osl if point.osl else None,
    )


def _scenario(pair: Pair) -> str:
    model, system, isl, osl = (pair.known(name) for name in ("model", "system", "isl", "osl"))
    lengths = f"D({isl:g},{osl:g})" if isl and osl else None
    loop = "open loop" if pair.actual.load.kind is LoadKind.RATE else None
    parts = (model_name(model) if model else None, system, lengths, loop)
    return " ".join(filter(None, parts)) or "all points"
