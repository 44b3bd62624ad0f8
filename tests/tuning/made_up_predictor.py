"""A predictor of made-up engines that is wrong by a constant factor, and its calibration."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autotuner.config import Candidate, LoadLevel
from autotuner.predict import (
    Observation,
    OutOfMemory,
    Prediction,
    Predictions,
    Predictor,
    Scenario,
    Support,
)
from autotuner.predict.predictor import CLOSED_LOOPS


class MadeUpPredictor:
    """Twice the latencies and half the throughput of the loop's made-up engines.

    Args:
        refused: slots of which it says nothing, and why.
        too_large: slots that do not fit.
    """

    def __init__(
        self,
        name: str = "made-up-1",
        *,
        refused: Mapping[int, str] | None = None,
        too_large: Sequence[int] = (),
        factor: float = 2.0,
    ) -> None:
        self.name = name
        self.refused, self.too_large, self.factor = refused or {}, too_large, factor
        self.asked: list[str] = []

    load_kinds = CLOSED_LOOPS

    def supports(self, scenario: Scenario) -> Support:
        return Support(True, "it makes everything up")

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        self.asked += [candidate.id for candidate in candidates]
        slots = {c.id: c.scheduling.max_running_requests or 1 for c in candidates}
        fitting = [c for c in candidates if slots[c.id] not in (*self.refused, *self.too_large)]
        return Predictions(
            self.name,
            tuple(self._point(c.id, slots[c.id], n) for c in fitting for n in sorted(load_levels)),
            {k: OutOfMemory("too large", 9, 8) for k, n in slots.items() if n in self.too_large},
            {k: self.refused[n] for k, n in slots.items() if n in self.refused},
        )

    def _point(self, candidate_id: str, slots: int, load: LoadLevel) -> Prediction:
        running = min(slots, load.at_once)
        return Prediction(
            candidate_id=candidate_id,
            load=load,
            ttft_ms=20.0 * self.factor,
            tpot_ms=5.0 * running * self.factor,
            tok_s=100.0 * running / self.factor,
            devices=1,
            osl=4,
            ttft_log_std=0.5,
            tpot_log_std=0.5,
            tok_s_log_std=0.5,
            source=self.name,
        )


class MeanRatio:
    """Calibration by the mean of ln(measured / base)."""

    def __init__(self, base: Predictor, observations: Sequence[Observation]) -> None:
        self._base, self._observations = base, observations
        self.name = f"{base.name}, {len(observations)} observations"

    load_kinds = CLOSED_LOOPS

    def supports(self, scenario: Scenario) -> Support:
        return self._base.supports(scenario)

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
    ) -> Predictions:
        answer = self._base.predict(scenario, candidates, load_levels)
        seen = self._observations
        if not seen:
            return answer
        ttft = math.exp(statistics.fmean(math.log(o.ttft_ms / o.base_ttft_ms) for o in seen))
        tpot = math.exp(statistics.fmean(math.log(o.tpot_ms / o.base_tpot_ms) for o in seen))
        return replace(
            answer,
            points=tuple(
                replace(
                    point,
                    ttft_ms=point.ttft_ms * ttft,
                    tpot_ms=point.tpot_ms * tpot,
                    tok_s=point.tok_s / tpot,
                    source=self.name,
                )
                for point in answer
            ),
        )
