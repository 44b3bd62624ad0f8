"""Predictions as the operating points that strategies compare; what is no figure is left out.

The one place where predictions enter a search: whatever a predictor answers, strategies see only
finite, positive figures of load levels that a launch measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autotuner.config import PERCENTILES
from autotuner.predict import Prediction
from autotuner.predict.predictor import latency_ms
from autotuner.search.points import OBJECTIVES, OperatingPoint, has
from autotuner.search.strategy import SearchState


@dataclass(frozen=True)
class Predicted:
    """The usable part of a search's predictions.

    Attributes:
        points: id -> its predicted points, at least one, in the order of the space. Levels that
            do not fit are absent; a candidate of which some levels fit is there.
        infeasible: id -> why, of candidates of which no level is predicted to fit.
        unpredicted: how many candidates have neither.
        dropped: predicted levels that are no figures.
    """

    points: Mapping[str, tuple[OperatingPoint, ...]]
    infeasible: Mapping[str, str]
    unpredicted: int
    dropped: int

    def describe_left_out(self) -> str:
        """The parts left out and why, in words; empty where there are none."""
        counts = (
            (self.unpredicted, "without predictions"),
            (len(self.infeasible), "predicted to run out of memory"),
        )
        parts = [f"{count} {what}" for count, what in counts if count]
        dropped = f"{self.dropped} predicted levels are no figures" if self.dropped else ""
        left_out = f"left out: {' and '.join(parts)}" if parts else ""
        return "; ".join(filter(None, (left_out, dropped)))


def predicted(state: SearchState) -> Predicted:
    """The usable predictions of the state's candidates."""
    key = (Predicted, state.candidates, state.levels, state.compared, state.usd_per_gpu_hour)
    return state.knowledge.once(key, lambda: _predicted(state))


def _predicted(state: SearchState) -> Predicted:
    points: dict[str, tuple[OperatingPoint, ...]] = {}
    price, dropped = state.usd_per_gpu_hour, 0
    for candidate in state.candidates:
        asked = _asked(state, candidate)
        usable = tuple(
            point
            for p in asked
            if (point := _usable(p, price)) is not None and has(point, state.compared)
        )
        dropped += len(asked) - len(usable)
        if usable:
            points[candidate] = usable
    excluded = infeasible(state)
    return Predicted(points, excluded, len(state.candidates) - len(points) - len(excluded), dropped)


def infeasible(state: SearchState) -> dict[str, str]:
    """Candidates of which no level is predicted to fit into memory, and why."""
    return {
        candidate: why
        for candidate, why in state.knowledge.out_of_memory.items()
        if not any(is_usable(p, state.usd_per_gpu_hour) for p in _asked(state, candidate))
    }


def is_usable(prediction: Prediction, usd_per_gpu_hour: float | None = None) -> bool:
    """Whether every figure, and every quantity that derives from it, is finite and above 0.

    Its standard deviations have to be finite and not negative.
    """
    return _usable(prediction, usd_per_gpu_hour) is not None


def as_point(prediction: Prediction, usd_per_gpu_hour: float | None = None) -> OperatingPoint:
    """The predicted level as an operating point; see `latency_ms` for its percentiles."""
    return OperatingPoint(
        candidate_id=prediction.candidate_id,
        load=prediction.load,
        tok_s=prediction.tok_s,
        tok_s_per_gpu=prediction.tok_s_per_gpu,
        tok_s_per_user=prediction.tok_s_per_user,
        ttft_ms=prediction.ttft_ms,
        tpot_ms=prediction.tpot_ms,
        usd_per_gpu_hour=usd_per_gpu_hour,
        requests_per_s=prediction.requests_per_s,
        **{name: latency_ms(prediction, name) for name in PERCENTILES},  # type: ignore[arg-type]
    )


def _usable(prediction: Prediction, usd_per_gpu_hour: float | None) -> OperatingPoint | None:
    """The predicted level as an operating point; None where a figure is none."""
    figures = (prediction.tok_s, prediction.ttft_ms, prediction.osl)
    spreads = (prediction.ttft_log_std, prediction.tpot_log_std, prediction.tok_s_log_std)
    if prediction.devices < 1 or not all(map(_plausible, figures)):
        return None
    point = as_point(prediction, usd_per_gpu_hour)
    derived = (value for name in OBJECTIVES if (value := getattr(point, name)) is not None)
    sound = all(map(_plausible, derived)) and all(s >= 0 and math.isfinite(s) for s in spreads)
    return point if sound else None


def _asked(state: SearchState, candidate: str) -> list[Prediction]:
    """The predictions of levels that a launch measures."""
    predictions = state.knowledge.predictions.get(candidate, ())
    return [p for p in predictions if not state.levels or p.load in state.levels]


def _plausible(value: float) -> bool:
    """Whether a figure in ms, tokens/s or USD may be one of a server's, in any unit mistaken."""
    return 1e-9 < value < 1e12
