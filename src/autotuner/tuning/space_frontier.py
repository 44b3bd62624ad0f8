"""Predicted frontier of a task's whole space, before anything of it is launched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autotuner.predict import Observation, Prediction
from autotuner.search import is_usable
from autotuner.search.grid_and_random import spread
from autotuner.search.predictions import as_point
from autotuner.store.predicted_frontiers import PredictedFrontier
from autotuner.tuning.estimate import MOST_CANDIDATES
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.operating_points import Criteria
from autotuner.tuning.prepare import Prepared
from autotuner.tuning.representative import frontier


def space_frontier(
    prepared: Prepared,
    forecast: Forecast,
    observations: Sequence[Observation],
    *,
    most: int,
) -> PredictedFrontier:
    """The predicted points that no other of the space beats, corrected by `observations`.

    Correcting takes longer than predicting: where candidates are many, those on the frontier of the
    uncorrected predictions are corrected, and `MOST_CANDIDATES` spread over the space beside them.

    Args:
        most: candidates that are predicted, spread over a space that has more.
    """
    candidates = {candidate.id: candidate for candidate in prepared.space.candidates}
    ids = list(candidates)
    asked = [ids[place] for place in spread(len(ids), most)]
    criteria = Criteria.of(prepared.task, prepared.usd_per_gpu_hour)
    expected = forecast.expected(asked)
    front = _frontier((p for one in expected.values() for p in one.points), criteria)
    if forecast.relevant(observations):
        some = [asked[place] for place in spread(len(asked), MOST_CANDIDATES)]
        promising = dict.fromkeys([*(point.candidate_id for point in front), *some])
        corrected = forecast.expected(promising, observations)
        front = _frontier((p for one in corrected.values() for p in one.points), criteria)
    settings = {p.candidate_id: candidates[p.candidate_id].settings() for p in front}
    return PredictedFrontier(tuple(front), settings)


def _frontier(predictions: Iterable[Prediction], criteria: Criteria) -> list[Prediction]:
    price = criteria.usd_per_gpu_hour
    usable = {as_point(p, price): p for p in predictions if is_usable(p, price)}
    compared = [point for point in usable if criteria.compares(point)]
    return [usable[point] for point in frontier(compared, criteria.objectives, criteria.slo)]
