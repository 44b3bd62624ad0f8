"""v1's score of an experiment, from its `metrics`. Pure.

A lower score is better. `minimize_latency`, `minimize_ttft` and `minimize_tpot` are means in
seconds; `maximize_throughput` is the negated mean total throughput per GPU, or where the GPUs are
not known that of the whole deployment.

With v = (actual - threshold) / threshold above 0, each limit adds weight * exp(v / steepness) to a
penalty, and the score grows by the penalty's share of its size: a time is multiplied by
1 + penalty, and a negated throughput comes nearer to 0 or passes it. A limit with `hard_fail` whose
v is above its `fail_ratio` fails the experiment; so does a figure that is missing.

What has failed has a score too, positive and the greater the earlier it failed, so that v1's
rows and ours are comparable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autotuner.config import as_bool

DEFAULT_STEEPNESS = 0.1
DEFAULT_WEIGHT = 1.0
DEFAULT_FAIL_RATIO = 0.5
"""A metric with hard_fail fails the experiment from this excess on, where the task names none."""
DEFAULT_TIMEOUT_S = 1800.0
"""Time of an experiment, where the task names none."""
OBJECTIVES: dict[str, tuple[tuple[str, ...], float]] = {
    "minimize_latency": (("mean_e2e_latency", "p50_e2e_latency"), 1.0),
    "maximize_throughput": (
        (
            *("mean_total_throughput_per_gpu", "mean_total_throughput"),
            *("mean_output_throughput", "max_total_throughput"),
        ),
        -1.0,
    ),
    "minimize_ttft": (("mean_ttft",), 1.0),
    "minimize_tpot": (("mean_tpot",), 1.0),
}
"""v1's objective -> keys of its metrics, the first that is there, and the sign that makes lower
better."""
DEFAULT_OBJECTIVE = "minimize_latency"
_PERCENTILES = ("p50", "p90", "p99")
_BY_SHARE = ((0.20, 1000.0), (0.60, 500.0), (0.95, 200.0), (math.inf, 100.0))
"""Share of the time below which a failure came -> its score."""
_BY_WORD = (
    (("deploy", "not found"), 1.2),
    (("oom", "memory", "cuda"), 1.5),
    (("connection", "timeout"), 0.8),
)
"""Words of an error -> what its score is multiplied by; the first that occurs counts."""


@dataclass(frozen=True)
class Score:
    """The score of an experiment.

    Attributes:
        value: lower is better; None where a limit or a missing figure failed the experiment.
        failed_by: the limit that did, in words; None where a figure is missing.
    """

    value: float | None
    failed_by: str | None = None


def v1_score(metrics: Mapping[str, Any], objective: str, slo: Mapping[str, Any] | None) -> Score:
    """The score of one experiment under v1's objective and SLO.

    An objective that v1 did not know counts as `minimize_latency`.
    """
    limits = {} if slo is None else slo
    keys, sign = OBJECTIVES.get(objective, OBJECTIVES[DEFAULT_OBJECTIVE])
    figures = (_number(metrics.get(key)) for key in keys)
    figure = next((found for found in figures if found is not None), None)
    given = _number(limits.get("steepness"))
    steepness = given if given is not None and given > 0 else DEFAULT_STEEPNESS
    penalty = 0.0
    for limit in _limits(limits):
        actual = _number(metrics.get(limit.metric))
        excess = None if actual is None else limit.excess(actual)
        if actual is None or excess is None:
            continue
        if limit.fails(excess):
            words = f"{limit.name} is {actual:g} s, {100 * excess:.0f} % above its limit of"
            return Score(None, f"SLO: {words} {limit.threshold:g} s")
        if limit.weight:
            penalty += limit.weight * _exp(excess / steepness)
    if figure is None or (sign < 0 and figure == 0):
        return Score(None)
    if not math.isfinite(penalty):
        return Score(None, "SLO: the limits are missed by so much that no number tells it")
    return Score(sign * figure + penalty * abs(figure))


def keeps_hard_limits(level: Mapping[str, Any], slo: Mapping[str, Any] | None) -> bool:
    """Whether one load level (one of `raw_results`) keeps the limits with `hard_fail`."""
    stats = level.get("stats")
    if slo is None or not isinstance(stats, Mapping):
        return True
    for limit in _limits(slo):
        of_kind = stats.get(limit.statistic)
        actual = _number(of_kind.get(limit.figure)) if isinstance(of_kind, Mapping) else None
        excess = None if actual is None else limit.excess(actual)
        if excess is not None and limit.fails(excess):
            return False
    return True


def failure_score(error: str | None, elapsed_s: float | None, timeout_s: Any) -> float:
    """The score of an experiment that has failed: the earlier, the worse.

    Args:
        timeout_s: `timeout_per_iteration` as the task has it.
    """
    limit_s = DEFAULT_TIMEOUT_S if timeout_s is None else _number(timeout_s) or 0.0
    share = (elapsed_s or 0.0) / limit_s if limit_s > 0 else 0.0
    score = next(score for below, score in _BY_SHARE if share < below)
    text = (error or "").lower()
    factors = (factor for words, factor in _BY_WORD if any(word in text for word in words))
    return score * next(factors, 1.0)


@dataclass(frozen=True)
class _Limit:
    """One limit: `metric` of all levels together, `statistic` and `figure` of one."""

    name: str
    metric: str
    statistic: str
    figure: str
    threshold: float
    weight: float
    hard_fail: bool
    fail_ratio: float

    def excess(self, actual: float) -> float | None:
        """By which share of the limit a figure is above it; None where it is not."""
        found = (actual - self.threshold) / self.threshold
        return found if found > 0 else None

    def fails(self, excess: float) -> bool:
        return self.hard_fail and excess > self.fail_ratio


def _limits(slo: Mapping[str, Any]) -> Iterator[_Limit]:
    """The limits that say a threshold above 0."""
    latency = slo.get("latency")
    percentiles = latency if isinstance(latency, Mapping) else {}
    written: dict[str, tuple[str, str, str, Any]] = {
        f"latency {name}": (f"{name}_e2e_latency", "e2e_latency", name, percentiles.get(name))
        for name in _PERCENTILES
    } | {name: (f"mean_{name}", name, "mean", slo.get(name)) for name in ("ttft", "tpot")}
    for name, (metric, statistic, figure, limit) in written.items():
        options = limit if isinstance(limit, Mapping) else {}
        threshold = _number(options.get("threshold"))
        if threshold is None or threshold <= 0:
            continue
        weight, ratio = _number(options.get("weight")), _number(options.get("fail_ratio"))
        yield _Limit(
            name,
            metric,
            statistic,
            figure,
            threshold,
            DEFAULT_WEIGHT if weight is None else max(weight, 0.0),
            as_bool(options.get("hard_fail")) is True,
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
