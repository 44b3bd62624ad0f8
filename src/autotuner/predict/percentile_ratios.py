"""Ratios of percentiles to means, learnt from what was measured.

What a predictor says of a ratio, or the usual one, is the prior; levels that were measured correct
it, the more the nearer their load. Logarithms of ratios are taken as normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class _Ratio:
    """A measured ratio: its logarithm, that of its load, and its weight."""

    log: float
    log_load: float
    weight: float


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
        most = 0
        for name, latency in PERCENTILES.items():
            mean, given = getattr(point, latency.mean), getattr(point, name)
            ratios, load = self._measured[name], math.log(max(point.in_flight, 1e-9))
            weights = [r.weight * math.exp(-0.5 * (r.log_load - load) ** 2) for r in ratios]
            if mean is None or sum(weights) < _LEAST:
                continue
            prior = math.log(latency.usual_ratio if given is None else given / mean)
            std = latency.ratio_log_std * (1.0 if given is None else RATIO_KNOWN)
            share = [weight / MEASURED_STD**2 for weight in weights]
            learnt = sum(s * r.log for s, r in zip(share, ratios, strict=True))
            log = (prior / std**2 + learnt) / (1 / std**2 + sum(share))
            found[name] = mean * math.exp(log)
            most = max(most, len(ratios))
        if found:
            basis = f"{most} measured levels"
            before = point.percentiles_from
            found["percentiles_from"] = f"{before}, corrected by {basis}" if before else basis
        return found


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
