"""v1's score of an experiment: lower is better, worse where limits are missed. Pure.

The facts of v1 give the penalty's formula and that lower scores are better; what they leave open is
decided here:

- `minimize_latency` goes by the mean end-to-end latency, `minimize_ttft` and `minimize_tpot` by
  their means, in seconds: v1's `metrics` holds means of all three and no other figure of TTFT and
  TPOT, so that the three are alike.
- `maximize_throughput` goes by the mean output throughput, negated. Output tokens are what
  throughput means in the rest of the product.
- The penalty multiplies a score by 1 + sum. A negated score is divided by it instead:
  multiplied, it would be the better the more a limit is missed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.migrate.values import as_bool

DEFAULT_STEEPNESS = 0.1
DEFAULT_WEIGHT = 1.0
DEFAULT_FAIL_RATIO = 0.5
"""A metric with hard_fail fails the experiment from this excess on, where the task names none."""
OBJECTIVES = {
    "minimize_latency": ("mean_e2e_latency", 1.0),
    "maximize_throughput": ("mean_output_throughput", -1.0),
    "minimize_ttft": ("mean_ttft", 1.0),
    "minimize_tpot": ("mean_tpot", 1.0),
}
"""v1's objective -> key of its metrics, and the sign that makes lower better."""
DEFAULT_OBJECTIVE = "minimize_latency"
_PERCENTILES = ("p50", "p90", "p99")


@dataclass(frozen=True)
class Score:
    """What an experiment is worth.

    Attributes:
        value: lower is better; None where its metric is missing, or a limit failed the experiment.
        failed_by: the limit that did, in words.
    """

    value: float | None
    failed_by: str | None = None


def v1_score(metrics: Mapping[str, Any], objective: str, slo: Mapping[str, Any] | None) -> Score:
    """The score of one experiment under v1's objective and SLO.

    An objective that v1 did not know counts as `minimize_latency`.
    """
    limits = {} if slo is None else slo
    key, sign = OBJECTIVES.get(objective, OBJECTIVES[DEFAULT_OBJECTIVE])
    figure = _number(metrics.get(key))
    told = _number(limits.get("steepness"))
    steepness = told if told is not None and told > 0 else DEFAULT_STEEPNESS
    penalty = 0.0
    for limit in _limits(limits):
        actual = _number(metrics.get(limit.metric))
        if actual is None:
            continue
        excess = (actual - limit.threshold) / limit.threshold
        if excess <= 0:
            continue
        if limit.hard_fail and excess > limit.fail_ratio:
            words = f"{limit.name} is {actual:g} s, {excess:.0%} above its limit of"
            return Score(None, f"SLO: {words} {limit.threshold:g} s")
        if limit.weight:
            penalty += limit.weight * _exp(excess / steepness)
    if figure is None:
        return Score(None)
    return Score(figure * (1 + penalty) if sign > 0 else -figure / (1 + penalty))


@dataclass(frozen=True)
class _Limit:
    name: str
    metric: str
    threshold: float
    weight: float
    hard_fail: bool
    fail_ratio: float


def _limits(slo: Mapping[str, Any]) -> Iterator[_Limit]:
    """The limits that say a threshold above 0."""
    latency = slo.get("latency")
    percentiles = latency if isinstance(latency, Mapping) else {}
    written = {
        f"latency {name}": (f"{name}_e2e_latency", percentiles.get(name)) for name in _PERCENTILES
    } | {name: (f"mean_{name}", slo.get(name)) for name in ("ttft", "tpot")}
    for name, (metric, limit) in written.items():
        told = limit if isinstance(limit, Mapping) else {}
        threshold = _number(told.get("threshold"))
        if threshold is None or threshold <= 0:
            continue
        weight, ratio = _number(told.get("weight")), _number(told.get("fail_ratio"))
        yield _Limit(
            name,
            metric,
            threshold,
            DEFAULT_WEIGHT if weight is None else max(weight, 0.0),
            as_bool(told.get("hard_fail")) is True,
            DEFAULT_FAIL_RATIO if ratio is None else ratio,
        )


def _number(value: Any) -> float | None:
    """A finite number, also where it is written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf
