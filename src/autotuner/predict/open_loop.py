"""Rates out of a closed loop, by Little's law.

In a closed loop the requests in flight are given and the rate follows; in an open loop the rate is
given and the requests in flight follow (see `closed_loop`). So a predictor of closed loops tells
what an open loop sees: the latencies at the concurrency whose request rate equals the rate. Between
predicted concurrencies the logarithms of TTFT and TPOT are interpolated over that of the
concurrency; below one request in flight, latencies are those of one; above the highest rate that is
predicted, the engine cannot keep up and no latency exists.

That takes the requests of both loops to meet the same load on average. It leaves out what bursts
add: with arrivals at a constant rate little, with Poisson arrivals the more the nearer the rate
comes to the highest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from autotuner.config import LoadKind, LoadLevel
from autotuner.predict.closed_loop import e2e_ms, tok_s_under
from autotuner.predict.predictor import Member, Prediction, Predictions, scaled_percentiles

LADDER = tuple(LoadLevel.concurrency(2**power) for power in range(13))
"""Concurrencies that are asked for where rates are wanted, one request to 4,096."""
_HALVINGS = 60
_Means = Prediction | Member


def concurrencies(load_levels: Iterable[LoadLevel]) -> list[int]:
    """Distinct requests in flight, rising, of levels that are all of a closed loop.

    Raises:
        ValueError: a level of another kind; `combined.answers` derives those.
    """
    levels = sorted(set(load_levels))
    other = next((level for level in levels if level.kind is not LoadKind.CONCURRENCY), None)
    if other is not None:
        raise ValueError(f"{other.named} is no closed loop, and nothing else is answered here")
    return [level.at_once for level in levels]


@dataclass(frozen=True)
class ClosedLoopCurve:
    """Predicted latencies of one deployment over its requests in flight.

    Attributes:
        points: of a closed loop, concurrency rising; at least one.
    """

    points: Sequence[Prediction]

    @property
    def highest_rate(self) -> float:
        """The most requests per second of any predicted concurrency."""
        return max(map(_requests_per_s, self.points))

    def at_rate(self, rate: float) -> Prediction | None:
        """The prediction at `rate` requests per second; None where that is above the highest.

        Where several concurrencies have the rate, it is the lowest of them: an open loop comes to
        it first.
        """
        load, first = LoadLevel.rate(rate), self.points[0]
        if rate <= _requests_per_s(first):
            return _under(load, first, first, 0.0)
        for below, above in itertools.pairwise(self.points):
            if rate <= _requests_per_s(above):
                return _under(load, below, above, _share(below, above, rate))
        return None


def at_rates(answer: Predictions, rates: Iterable[LoadLevel]) -> Predictions:
    """Answers for `LADDER` as answers for rates.

    A candidate whose highest rate is below all of them is refused as saturated; where it is below
    some, the notes of the others say so.
    """
    wanted = sorted(set(rates))
    points: list[Prediction] = []
    refused = dict(answer.refused)
    for key, group in itertools.groupby(answer.points, lambda point: point.candidate_id):
        curve = ClosedLoopCurve(tuple(group))
        found = [(load, curve.at_rate(load.value)) for load in wanted]
        above = ", ".join(str(load) for load, point in found if point is None)
        gap = f"saturated at {above}: {curve.highest_rate:.3g} requests/s at the most are predicted"
        own = [point for _, point in found if point is not None]
        if not own:
            refused[key] = gap
        points += [_noted(point, gap) for point in own] if above else own
    return replace(answer, points=tuple(points), refused=refused)


def _requests_per_s(point: Prediction) -> float:
    """Of the closed loop, by Little's law."""
    return tok_s_under(point.load, point.ttft_ms, point.tpot_ms, point.osl) / point.osl


def _between(below: _Means, above: _Means, share: float) -> tuple[float, float | None]:
    """TTFT and TPOT at a share of the way in the logarithm of the concurrency."""
    ttft_ms = below.ttft_ms ** (1 - share) * above.ttft_ms**share
    if below.tpot_ms is None or above.tpot_ms is None:
        return ttft_ms, None
    return ttft_ms, below.tpot_ms ** (1 - share) * above.tpot_ms**share


def _share(below: Prediction, above: Prediction, rate: float) -> float:
    """Where on the way the request rate is `rate`, by bisection.

    The logarithm of E2E latency is convex there (a sum of exponentials), so that of the rate is
    concave: it passes `rate` once on the way from below to above it.
    """
    low, high = 0.0, 1.0
    ratio = above.load.value / below.load.value
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        latency_ms = e2e_ms(*_between(below, above, share), below.osl)
        if 1000 * below.load.value * ratio**share / latency_ms < rate:
            low = share
        else:
            high = share
    return high


def _under(load: LoadLevel, below: Prediction, above: Prediction, share: float) -> Prediction:
    """A point of an open loop; what is not interpolated is that of the higher concurrency."""
    ttft_ms, tpot_ms = _between(below, above, share)
    return replace(
        above,
        load=load,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s_under(load, ttft_ms, tpot_ms, above.osl),
        ttft_log_std=max(below.ttft_log_std, above.ttft_log_std),
        tpot_log_std=max(below.tpot_log_std, above.tpot_log_std),
        tok_s_log_std=max(below.tok_s_log_std, above.tok_s_log_std),
        **scaled_percentiles(above, ttft_ms, tpot_ms),
        members=tuple(
            replace(two, ttft_ms=means[0], tpot_ms=means[1])
            for one, two in zip(below.members, above.members, strict=False)
            for means in [_between(one, two, share)]
        ),
    )


def _noted(point: Prediction, gap: str) -> Prediction:
    return replace(point, note="; ".join(filter(None, (point.note, gap))))
