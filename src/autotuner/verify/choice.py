"""Whether one would have chosen the same by prediction as by measurement. Pure.

Errors that all points share change no choice, so a predictor may be far off and still choose well.
Points of one scenario (model, device, request lengths) compete with each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from autotuner.verify.likeness import model_name
from autotuner.verify.matching import Pair
from autotuner.verify.points import Point

OBJECTIVES = ("tok_s_per_gpu", "tok_s_per_user")
ONE_TOKEN_OBJECTIVES = ("tok_s_per_gpu", "ttft_ms")
"""Where every answer has one token: a token is a request then."""


@dataclass(frozen=True)
class Choice:
    """What prediction and measurement would each have chosen in one scenario.

    Attributes:
        points: operating points that compete.
        predicted_frontier, actual_frontier: how many lie on each; `common`: on both.
        hypervolume_ratio: hypervolume of the *measured* figures of the predicted frontier over that
            of the actual one, 0 to 1; the reference point is the actual frontier's.
        chosen, best: the pairs chosen by prediction and by measurement.
        same: whether they are one.
        regret: share of the best point's worth that the chosen one lacks, percent. Worth is
            tok/s per GPU within the SLO and nothing outside it; without an SLO tok/s per GPU times
            tok/s per user, as in `recommend`. None where no point is worth anything.
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


def choices(pairs: Sequence[Pair], slo: Mapping[str, float] | None = None) -> tuple[Choice, ...]:
    """One for each scenario with at least two points that tell all that a choice needs.

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


def _choice(scenario: str, pairs: Sequence[Pair], slo: Mapping[str, float]) -> Choice:
    by_id = {str(index): pair for index, pair in enumerate(pairs)}
    predicted = _points({key: pair.predicted for key, pair in by_id.items()})
    actual = _points({key: pair.actual for key, pair in by_id.items()})
    expected = {point.candidate_id for point in _front(predicted.values())}
    found = {point.candidate_id for point in _front(actual.values())}
    vectors = [_vector(actual[key]) for key in found]
    reference = reference_point(vectors)
    got = hypervolume([_vector(actual[key]) for key in expected], reference)
    chosen, best = _recommended(predicted, slo), _recommended(actual, slo)
    most = _worth(actual[best], slo)
    return Choice(
        scenario=scenario,
        points=len(pairs),
        predicted_frontier=len(expected),
        actual_frontier=len(found),
        common=len(expected & found),
        hypervolume_ratio=got / hypervolume(vectors, reference),
        chosen=by_id[chosen],
        best=by_id[best],
        same=chosen == best,
        regret=100 * (1 - _worth(actual[chosen], slo) / most) if most else None,
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


def _worth(point: OperatingPoint, slo: Mapping[str, float]) -> float:
    if slo:
        return point.tok_s_per_gpu if within(point, slo) else 0.0
    return point.tok_s_per_gpu * (point.tok_s_per_user or 1000 / point.ttft_ms)


def _points(points: Mapping[str, Point]) -> dict[str, OperatingPoint]:
    made = {key: _operating(point, key) for key, point in points.items()}
    return {key: point for key, point in made.items() if point is not None}


def _operating(point: Point, key: str) -> OperatingPoint | None:
    """The point as search sees it; None where it does not tell all that a choice needs."""
    per_gpu = point.tok_s_per_gpu
    if point.ttft_ms is None or point.tok_s is None or per_gpu is None:
        return None
    if point.tpot_ms is None and point.osl != 1:
        return None
    return OperatingPoint(
        candidate_id=key,
        concurrency=point.concurrency,
        tok_s=point.tok_s,
        tok_s_per_gpu=per_gpu,
        tok_s_per_user=tok_s_per_user(point.tpot_ms),
        ttft_ms=point.ttft_ms,
        tpot_ms=point.tpot_ms,
        # No predictor tells percentiles, and no choice here asks for one.
        e2e_p90_ms=math.nan,
        requests_per_s=point.tok_s / point.osl if point.osl else None,
    )


def _scenario(pair: Pair) -> str:
    model, system, isl, osl = (pair.told(name) for name in ("model", "system", "isl", "osl"))
    lengths = f"D({isl:g},{osl:g})" if isl and osl else None
    told = (model_name(model) if model else None, system, lengths)
    return " ".join(filter(None, told)) or "all points"
