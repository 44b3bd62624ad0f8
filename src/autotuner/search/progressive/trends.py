"""Trends: what each setting did to what was measured, learnt from the launches of a search.

A trend is a main effect in log space: ln(metric) is taken as a sum of one term for each setting
and one for the load level, fitted by ridge regression over all measured levels. A number has a
column for each step between neighbouring measured values (full behind the step, empty before it,
its share in between), so an effect may level off; any other setting has a column for each measured
value. What was not measured has no effect, and nothing is extrapolated. A limit on sequences counts
as the load where that is lower, since it does nothing there. The penalty is worth _PENALTY levels
for each level of a sweep, since the levels of a launch share its error.

Effects that depend on each other in any other way are averaged.

Refinement launches what the trends promise most of: a candidate is expected to measure what the
launch most like it measured, changed by the effects of the settings in which the two differ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from autotuner.config import PERCENTILES, LoadKind, LoadLevel
from autotuner.predict import tok_s_per_user
from autotuner.search.axes import Axis, Settings, axes_of, format_value, is_number, label
from autotuner.search.frontier import Incumbent
from autotuner.search.points import OBJECTIVES, OperatingPoint, describe_point, percent
from autotuner.search.progressive.failures import FailureModel
from autotuner.search.strategy import Outcome, Proposal, SearchState

if TYPE_CHECKING:
    import numpy as np


METRICS = {
    "tok_s_per_gpu": "throughput per GPU",
    "tok_s": "throughput",
    "ttft_ms": "TTFT",
    "tpot_ms": "TPOT",
    "e2e_p90_ms": "p90 latency",
}
"""Metrics that trends are learnt of, and their names for readers."""
_FOLLOWS = {
    name: {"e2e_ms": "e2e_p90_ms"}.get(latency.mean, latency.mean)
    for name, latency in PERCENTILES.items()
    if name not in METRICS
}
"""Percentile -> the metric whose trends it follows."""
_LEVEL = "load level"
_LIMIT, _REPLICAS = "scheduling.max_running_requests", "parallel.data_parallel"
_PENALTY = 0.1
_MOST = 20.0
"""No effect is a factor beyond exp(20)."""
_VERBS = {True: ("gains", "loses"), False: ("grows by", "falls by")}
_SATURATED = 0.05
"""A step to a larger number that changes less than this share is shown as the end of a trend."""


@dataclass(frozen=True)
class Trend:
    """Effect of a step of one setting on one metric, all else equal.

    Attributes:
        path: `group.field`.
        before, after: measured values, neighbours where they are numbers; None is the engine's own.
        change: metric after / metric before - 1.
    """

    path: str
    before: object
    after: object
    metric: str
    change: float

    def describe(self) -> str:
        """In words: `TP 4 -> 8 cuts p90 latency by 31 %`."""
        name, metric, share = label(self.path), METRICS[self.metric], percent(abs(self.change))
        if self._levels_off:
            rising, falling = _VERBS[OBJECTIVES[self.metric].maximise]
            verb = rising if self.change >= 0 else falling
            return f"beyond {format_value(self.before)} {name} {metric} {verb} {share}"
        verb = "raises" if self.change > 0 else "cuts"
        step = f"{format_value(self.before)} -> {format_value(self.after)}"
        return f"{name} {step} {verb} {metric} by {share}"

    @property
    def _levels_off(self) -> bool:
        """Whether a larger number changes little."""
        if not (is_number(self.before) and is_number(self.after)):
            return False
        return self.after > self.before and abs(self.change) < _SATURATED


@dataclass(frozen=True)
class Trends:
    """A fitted sum of effects, as `learn_trends` returns it.

    Attributes:
        axes: fields that were measured at more than one value, the load level among them; their
            values are the measured ones.
        effects: for each axis `columns x metrics`, the metrics in the order of `METRICS`.
        launches: how many taught it.
    """

    axes: tuple[Axis, ...]
    effects: tuple[np.ndarray, ...]
    launches: int

    def logs(self, settings: Settings, load: LoadLevel) -> tuple[float, ...]:
        """Sums of the effects of settings and load on ln(metric), in the order of `METRICS`."""
        own, total = _at_load(settings, load), (0.0,) * len(METRICS)
        for axis, effects in zip(self.axes, self.effects, strict=True):
            key = axis.path, repr(own.get(axis.path))
            if key not in self._added:
                self._added[key] = (_row(axis, own.get(axis.path)) @ effects).tolist()
            total = tuple(a + b for a, b in zip(total, self._added[key], strict=True))
        return total

    def changed(
        self, point: OperatingPoint, own: Settings, candidate_id: str, other: Settings
    ) -> OperatingPoint:
        """A point measured with settings `own` as a candidate with `other` would have it."""
        before, after = (self.logs(at_levels, point.load) for at_levels in (own, other))
        factors = {m: _exp(b - a) for m, a, b in zip(METRICS, before, after, strict=True)}
        values = {m: value * factors[m] for m in METRICS if (value := getattr(point, m))}
        values |= {
            n: value * factors[m] for n, m in _FOLLOWS.items() if (value := getattr(point, n))
        }
        tpot_ms = values.get("tpot_ms")
        rate = point.requests_per_s
        return replace(
            point,
            candidate_id=candidate_id,
            tok_s_per_user=tok_s_per_user(tpot_ms),
            requests_per_s=None if rate is None else rate * factors["tok_s"],
            **values,
        )

    def of(self, path: str, before: object, after: object, metric: str) -> Trend:
        """The effect of changing one field between any two values."""
        place, change = list(METRICS).index(metric), 0.0
        for axis, effects in zip(self.axes, self.effects, strict=True):
            if axis.path == path:
                change = float((_row(axis, after) - _row(axis, before)) @ effects[:, place])
        return Trend(path, before, after, metric, _exp(change) - 1)

    def ranked(self, metrics: Sequence[str] = tuple(METRICS)) -> tuple[Trend, ...]:
        """Every step between measured values, the strongest first."""
        steps = [
            self.of(axis.path, before, after, metric)
            for axis in self.axes
            if axis.path != _LEVEL
            for before, after in itertools.pairwise(axis.values)
            for metric in metrics
        ]
        return tuple(sorted(steps, key=lambda trend: -abs(math.log1p(trend.change))))

    @cached_property
    def _added(self) -> dict[tuple[str, str], list[float]]:
        """The effect of a value, computed once."""
        return {}


def learn_trends(outcomes: Sequence[Outcome], settings: Mapping[str, Settings]) -> Trends | None:
    """The trends of a task; None where fewer than two launches measured anything.

    Args:
        outcomes: of candidates in `settings`; failed ones teach nothing here.
        settings: id -> `group.field` -> value.
    """
    import numpy as np  # heavy, and only a search that has measured something needs it

    measured = [
        o for o in outcomes if o.candidate_id in settings and any(map(_is_complete, o.points))
    ]
    if len(measured) < 2:
        return None
    points = [point for outcome in measured for point in outcome.points if _is_complete(point)]
    at_levels = [{**settings[p.candidate_id], _LEVEL: p.load.value} for p in points]
    axes = axes_of({str(index): own for index, own in enumerate(at_levels)})
    at_load = [_at_load(settings[p.candidate_id], p.load) for p in points]
    parts = [np.array([_row(axis, own.get(axis.path)) for own in at_load]) for axis in axes]
    rows = np.hstack([np.zeros((len(points), 0)), *parts])
    logs = np.log([[_value(point, metric) for metric in METRICS] for point in points])
    x, y = rows - rows.mean(axis=0), logs - logs.mean(axis=0)
    penalty = _PENALTY * len(points) / len(measured)
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    return Trends(axes, tuple(np.split(weights, ends)) if parts else (), len(measured))


def _at_load(settings: Settings, load: LoadLevel) -> dict[str, object]:
    """The settings with the load level, and with the limit on sequences as far as load reaches."""
    limit, replicas = settings.get(_LIMIT), settings.get(_REPLICAS)
    at_load = {**settings, _LEVEL: load.value}
    if is_number(limit) and load.kind is LoadKind.CONCURRENCY:
        each = load.value / (replicas if is_number(replicas) else 1)
        at_load[_LIMIT] = min(limit, max(each, 1))
    return at_load


def _row(axis: Axis, value: object) -> np.ndarray:
    """The columns of an axis: one for each step of a number, one for each other value."""
    import numpy as np

    ends = axis.values[1:] if axis.numeric else axis.values
    return np.array([_filled(axis, end, value) for end in ends])


def _filled(axis: Axis, end: object, value: object) -> float:
    """How full the column of a step that ends in `end`, or of the value `end`, is: 0 to 1."""
    place, after = axis.place(value), axis.place(end)
    if place is None or after is None:
        return float(value == end)
    before = axis.place(axis.values[axis.values.index(end) - 1]) or 0.0
    return min(max((place - before) / (after - before), 0.0), 1.0)


def _is_complete(point: OperatingPoint) -> bool:
    return all(_value(point, metric) > 0 for metric in METRICS)


def _value(point: OperatingPoint, metric: str) -> float:
    """The metric; 1 where it does not exist, so that nothing has an effect on it."""
    value = getattr(point, metric)
    return 1.0 if value is None else float(value)


def _exp(log: float) -> float:
    return math.exp(min(max(log, -_MOST), _MOST))


_SHOWN = ("e2e_p90_ms", "tok_s_per_gpu", "ttft_ms", "tpot_ms")


@dataclass(frozen=True)
class TrendPrediction:
    """Extrapolation to a candidate: the launch that it is derived from, and its points."""

    base: str
    points: tuple[OperatingPoint, ...]


def refine(state: SearchState, failures: FailureModel) -> tuple[Proposal, float] | None:
    """The untried candidate that trends promise most of, and its improvement of the incumbent.

    What is in flight counts as if it had measured what is expected of it. None where there are no
    trends yet.
    """
    trends = learn_trends(state.history, state.settings)
    if trends is None:
        return None
    untried = state.untried()
    expected = _expected((*untried, *state.in_flight), state, failures, trends)
    points = (point for outcome in state.history for point in outcome.points)
    flying = (point for c in state.in_flight for point in expected[c].points)
    incumbent = Incumbent((*points, *flying), state.objectives, state.slo)
    improvements = {
        candidate: incumbent.improvement(expected[candidate].points) for candidate in untried
    }
    candidate, passed = failures.choose(sorted(untried, key=lambda c: -improvements[c]))
    chosen = expected[candidate]
    best = max(chosen.points, key=lambda point: incumbent.improvement([point]))
    reason = (
        f"the trends of {trends.launches} launches promise "
        f"{percent(improvements[candidate])} more: "
        f"{describe_point(best, state.objectives)}, since compared with {chosen.base} "
        f"{_followed(candidate, chosen.base, failures, trends)}"
    )
    return Proposal(candidate, reason + passed, "refinement"), improvements[candidate]


def _expected(
    candidates: tuple[str, ...], state: SearchState, failures: FailureModel, trends: Trends
) -> dict[str, TrendPrediction]:
    sweeps = {o.candidate_id: o.points for o in state.history if o.points}

    def expected(candidate: str) -> TrendPrediction:
        base = min(sweeps, key=lambda launched: failures.distance(candidate, launched))
        own, other = failures.of(base), failures.of(candidate)
        points = (trends.changed(point, own, candidate, other) for point in sweeps[base])
        return TrendPrediction(base, tuple(points))

    return {candidate: expected(candidate) for candidate in candidates}


def _followed(candidate: str, base: str, failures: FailureModel, trends: Trends) -> str:
    """The two steps between the candidates that improve something most, in words."""
    own, other = failures.of(candidate), failures.of(base)
    steps = [
        max((trends.of(path, other.get(path), own.get(path), m) for m in _SHOWN), key=_improvement)
        for path in (axis.path for axis in failures.axes)
        if own.get(path) != other.get(path)
    ]
    helping = sorted(filter(_improvement, steps), key=_improvement, reverse=True)[:2]
    return " and ".join(step.describe() for step in helping) or "nothing changes for the worse"


def _improvement(trend: Trend) -> float:
    """How much a step improves its metric; 0 where it does not."""
    return max(trend.change if OBJECTIVES[trend.metric].maximise else -trend.change, 0.0)
