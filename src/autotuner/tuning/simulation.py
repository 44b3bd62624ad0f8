"""AISimulate's answer beside the point that is expected best, where it is installed.

Hundreds of candidates take it minutes, one takes it seconds. Its means count nothing in a blend
(docs/decisions/0021); its percentiles are the only ones that are simulated.
"""

from __future__ import annotations

from dataclasses import replace

from autotuner.config import PERCENTILES
from autotuner.errors import EngineError
from autotuner.predict import Prediction, Predictor
from autotuner.predict.predictor import Member
from autotuner.tuning.estimate import PlanEstimate
from autotuner.tuning.forecast import Forecast
from autotuner.tuning.prepare import Prepared


def with_simulation(
    found: PlanEstimate, prepared: Prepared, asked: Forecast, predictor: Predictor
) -> PlanEstimate:
    """The estimate, with AISimulate's answer for the recommended point as a member of weight 0.

    A point that is no blend, or of a device that AISimulate does not know, stays as it is.

    Args:
        predictor: AISimulate's.
    """
    chosen = found.recommended
    if chosen is None or not chosen.point.members:
        return found
    try:
        member = _simulated(chosen.point, prepared, asked, predictor)
    except EngineError as problem:
        asked.warnings.append(f"AISimulate says nothing: {problem.message}")
        return found
    if member is None:
        return found
    point = replace(chosen.point, members=(*chosen.point.members, member))
    return replace(found, recommended=replace(chosen, point=point))


def _simulated(
    point: Prediction, prepared: Prepared, asked: Forecast, predictor: Predictor
) -> Member | None:
    """AISimulate's answer for a point; None where it is not installed or has none.

    Raises:
        EngineError: it is of another version, or does not start.
    """
    scenario = asked.scenario(point.candidate_id)
    if scenario is None or not predictor.supports(scenario):
        return None
    candidate = next(c for c in prepared.space.candidates if c.id == point.candidate_id)
    answer = predictor.predict(scenario, [candidate], [point.load])
    if not answer.points:
        return None
    (own,) = answer.points
    found = {name: getattr(own, name) for name in PERCENTILES}
    return Member(
        *(answer.predictor, own.ttft_ms, own.tpot_ms),
        ttft_weight=0.0,
        tpot_weight=0.0,
        percentiles={name: value for name, value in found.items() if value is not None},
    )
