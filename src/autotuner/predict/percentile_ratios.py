"""Ratios of percentiles to means, learnt from what was measured.

What a predictor says of a ratio, or the usual one, is the prior; levels that were measured correct
it, the more the nearer their load. Logarithms of ratios are taken as normal.

A p99 needs more requests than a p90, so some levels teach the one alone: a percentile that nothing
teaches follows the other of its mean, by as many standard deviations. Where the p99 still falls
below the p90, both become their mean by precision (isotonic regression: R. E. Barlow et al.,
"Statistical Inference under Order Restrictions", 1972).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.config import PERCENTILES, Latency
from autotuner.predict.closed_loop import e2e_ms
from autotuner.predict.observations import Observation
from autotuner.predict.predictor import RATIO_KNOWN, Prediction, Scenario

MEASURED_STD = 0.3
"""Standard deviation of a measured ratio's logarithm around that of another level at its load."""
OTHERS = {"model": 0.3, "engine": 0.3, "device": 0.7}
"""Weight of a level of another model, engine or device."""
_LEAST = 0.5
"""Weight of levels, together, that makes a ratio a learnt one."""


_FAMILIES: Mapping[str, tuple[Latency, ...]] = {
    latency.mean: tuple(
        sorted(
            (one for one in PERCENTILES.values() if one.mean == latency.mean),
            key=lambda one: float((one.percentile or "p0")[1:]),
        )
    )
    for latency in PERCENTILES.values()
}
"""Mean -> its percentiles, rising."""


@dataclass(frozen=True)
class _Ratio:
    """A measured ratio: its logarithm, that of its load, and its weight."""

    log: float
    log_load: float
    weight: float


@dataclass(frozen=True)
class _Posterior:
    """Logarithm of a ratio: what was expected of it before, and what measurements make of it.

    Attributes:
        prior_std, precision: standard deviation before, inverse variance after.
        levels: measured levels that teach it; 0 where too few do.
    """

    latency: Latency
    prior: float
    prior_std: float
    log: float
    precision: float
    levels: int


class PercentileRatios:
    """Ratios as the observations of a scenario teach them.

    Example:
        fields = PercentileRatios(scenario, observations).corrections(prediction)
    """

    def __init__(self, scenario: Scenario, observations: Sequence[Observation]) -> None:
        self._measured = {
            name: tuple(_ratios(latency, scenario, observations))
            for name, latency in PERCENTILES.items()
        }

    def corrections(self, point: Prediction) -> dict[str, Any]:
        """Fields of a prediction whose means are corrected already; empty where nothing teaches."""
        found: dict[str, Any] = {}
        most, followers = 0, list[str]()
        for mean_name, family in _FAMILIES.items():
            mean = getattr(point, mean_name)
            if mean is None:
                continue
            posteriors = [self._posterior(latency, point, mean) for latency in family]
            levels = max(one.levels for one in posteriors)
            if not levels:
                continue
            logs = _rising(_following(posteriors))
            for one, log in zip(posteriors, logs, strict=True):
                found[one.latency.name] = mean * math.exp(log)
            followers += [one.latency.label for one in posteriors if not one.levels]
            most = max(most, levels)
        if found:
            basis = f"{most} measured levels"
            if followers:
                basis += f" ({', '.join(followers)} in step with the other percentile)"
            before = point.percentiles_from
            found["percentiles_from"] = f"{before}, corrected by {basis}" if before else basis
        return found

    def _posterior(self, latency: Latency, point: Prediction, mean: float) -> _Posterior:
        given = getattr(point, latency.name)
        prior = math.log(latency.usual_ratio if given is None else given / mean)
        std = latency.ratio_log_std * (1.0 if given is None else RATIO_KNOWN)
        ratios, load = self._measured[latency.name], math.log(max(point.in_flight, 1e-9))
        weights = [r.weight * math.exp(-0.5 * (r.log_load - load) ** 2) for r in ratios]
        if sum(weights) < _LEAST:
            return _Posterior(latency, prior, std, prior, 1 / std**2, 0)
        share = [weight / MEASURED_STD**2 for weight in weights]
        learnt = sum(s * r.log for s, r in zip(share, ratios, strict=True))
        precision = 1 / std**2 + sum(share)
        log = (prior / std**2 + learnt) / precision
        return _Posterior(latency, prior, std, log, precision, len(ratios))


def _following(posteriors: Sequence[_Posterior]) -> list[_Posterior]:
    """The same, those that nothing teaches moved by as many standard deviations as the others."""
    moved = [(one.log - one.prior) / one.prior_std for one in posteriors if one.levels]
    deviations = sum(moved) / len(moved)
    return [
        one if one.levels else replace(one, log=one.prior + deviations * one.prior_std)
        for one in posteriors
    ]


def _rising(posteriors: Sequence[_Posterior]) -> list[float]:
    """Logarithms of the ratios of rising percentiles; neighbours that fall get their mean."""
    pools: list[tuple[float, float, int]] = []
    for one in posteriors:
        log, precision, count = one.log, one.precision, 1
        while pools and pools[-1][0] > log:
            below, weight, members = pools.pop()
            log = (below * weight + log * precision) / (weight + precision)
            precision, count = precision + weight, count + members
        pools.append((log, precision, count))
    return [log for log, _, count in pools for _ in range(count)]


def _ratios(
    latency: Latency, scenario: Scenario, observations: Sequence[Observation]
) -> Iterator[_Ratio]:
    for seen in observations:
        if seen.is_foreign:
            # `agreement` judges others by their means, which say nothing of their tails.
            continue
        percentile_ms = seen.percentiles.get(latency.name)
        mean = e2e_ms(seen.ttft_ms, seen.tpot_ms, seen.osl)
        if latency.mean != "e2e_ms":
            mean = getattr(seen, latency.mean) or 0.0
        if percentile_ms is None or not mean:
            continue
        other = [name for name in OTHERS if getattr(seen, name) != getattr(scenario, name)]
        weight = math.prod(OTHERS[name] for name in other)
        log = math.log(percentile_ms / mean)
        yield _Ratio(log, math.log(max(seen.in_flight, 1e-9)), weight)
