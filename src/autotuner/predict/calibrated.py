"""Predictions that learn: a base predictor, corrected by what was measured.

The base's error is learnt in logarithms for TTFT and TPOT; throughput follows from them by Little's
law, and what the law leaves over (a loop that is not quite closed, drafts, ramps) is learnt as a
third, small residual. So the three figures never contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.config import Candidate
from autotuner.predict.calibration import Learnt
from autotuner.predict.closed_loop import e2e_ms, tok_s
from autotuner.predict.likeness import CalibrationConstants, Place, calibration_constants
from autotuner.predict.observation import Observation
from autotuner.predict.protocol import Prediction, Predictions, Predictor, Support
from autotuner.predict.scenario import Scenario

MOST_OBSERVATIONS = 1500
"""More cost seconds (the work grows with the cube) and teach little: the most alike are taken."""
QUANTITIES = ("ttft", "tpot", "tok_s")
CPU_DRIFT = 0.01
"""Variance between launches of one candidate on a CPU, which other processes use too: about 10 %,
as two runs of the same task minutes apart show. The fitted constants know GPUs only."""


@dataclass(frozen=True)
class CalibratedPredictor:
    """Corrects `base` by observations: this task's, and earlier ones' by how alike they are.

    Observations of another base predictor are left out: they say nothing of this one's errors.

    Example:
        predictor = CalibratedPredictor(RooflinePredictor(), observations)
    """

    base: Predictor
    observations: Sequence[Observation] = ()
    constants: CalibrationConstants | None = None

    @property
    def name(self) -> str:
        """The base's name, and that it is calibrated."""
        return f"calibrated {self.base.name}"

    def supports(self, scenario: Scenario) -> Support:
        """As the base does: without it there is nothing to correct."""
        return self.base.supports(scenario)

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[int]
    ) -> Predictions:
        """The base's answers, corrected."""
        answer = self.base.predict(scenario, candidates, load_levels)
        return self.correct(scenario, candidates, answer)

    def correct(
        self, scenario: Scenario, candidates: Sequence[Candidate], answer: Predictions
    ) -> Predictions:
        """Answers that the base gave before, corrected.

        What does not fit and what was refused stays so. Without a usable observation the answer is
        the base's own.
        """
        known = self.usable(scenario)
        if not known or not answer.points:
            return replace(answer, predictor=self.name)
        settings = {candidate.id: candidate.settings() for candidate in candidates}
        places = [_asked(scenario, point, settings[point.candidate_id]) for point in answer.points]
        drift = CPU_DRIFT if scenario.gpu.is_cpu else 0.0
        figures = [self._corrections(known, quantity, drift, places) for quantity in QUANTITIES]
        told = f"calibrated by {len(known)} of {len(self.observations)} observations"
        points = tuple(
            _corrected(point, *corrections, told=told)
            for point, *corrections in zip(answer.points, *figures, strict=True)
        )
        return replace(answer, predictor=self.name, points=points)

    def usable(self, scenario: Scenario) -> tuple[Observation, ...]:
        """The observations that change what is said of the scenario; see `correcting`."""
        return correcting(self.observations, self.base.name, scenario)

    def _corrections(
        self, known: tuple[Observation, ...], quantity: str, drift: float, places: Sequence[Place]
    ) -> list[tuple[float, float]]:
        """Mean and standard deviation of ln(measured / predicted) at each place."""
        learnt = self._learnt(known, quantity, drift).at(places)
        return [(float(m), float(s)) for m, s in zip(learnt.mean, learnt.log_std, strict=True)]

    def _learnt(self, known: tuple[Observation, ...], quantity: str, drift: float) -> Learnt:
        constants = (self.constants or calibration_constants()["all"]).by_quantity[quantity]
        if quantity != "tok_s":
            launch = max(constants.offset.get("launch", 0.0), drift)
            constants = replace(constants, offset={**constants.offset, "launch": launch})
        told = [(o, r) for o in known if (r := _residual(o, quantity)) is not None]
        return Learnt([_seen(o) for o, _ in told], [r for _, r in told], constants)


def correcting(
    observations: Sequence[Observation], base: str, scenario: Scenario
) -> tuple[Observation, ...]:
    """Those that change what `base` says of the scenario; the most alike where there are too many.

    Levels of likeness are all of an engine or of a model: what shares neither with the scenario,
    nor with an observation that is reached from it so, has no covariance with it.
    """
    own = [o for o in observations if o.base == base]
    engines, models = {scenario.engine}, {scenario.model}
    while True:
        reached = [o for o in own if o.engine in engines or o.model in models]
        wider = engines | {o.engine for o in reached}, models | {o.model for o in reached}
        if wider == (engines, models):
            break
        engines, models = wider
    if len(reached) > MOST_OBSERVATIONS:
        reached = sorted(reached, key=lambda o: -_levels_shared(o, scenario))[:MOST_OBSERVATIONS]
    return tuple(reached)


def _corrected(
    point: Prediction,
    ttft: tuple[float, float],
    tpot: tuple[float, float],
    rest: tuple[float, float],
    *,
    told: str,
) -> Prediction:
    ttft_ms = point.ttft_ms * math.exp(ttft[0])
    tpot_ms = None if point.tpot_ms is None else point.tpot_ms * math.exp(tpot[0])
    share = ttft_ms / e2e_ms(ttft_ms, tpot_ms, point.osl)
    return replace(
        point,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s(point.concurrency, ttft_ms, tpot_ms, point.osl) * math.exp(rest[0]),
        ttft_log_std=ttft[1],
        tpot_log_std=tpot[1],
        # E2E is a sum: to first order its logarithm moves by each part's share of it.
        tok_s_log_std=math.hypot(share * ttft[1], (1 - share) * tpot[1], rest[1]),
        source=f"{point.source}, {told}",
    )


def _residual(seen: Observation, quantity: str) -> float | None:
    """ln(measured / predicted); None of a TPOT that does not exist."""
    if quantity == "ttft":
        return math.log(seen.ttft_ms / seen.base_ttft_ms)
    if quantity == "tpot":
        if seen.tpot_ms is None or seen.base_tpot_ms is None:
            return None
        return math.log(seen.tpot_ms / seen.base_tpot_ms)
    return math.log(seen.tok_s / tok_s(seen.concurrency, seen.ttft_ms, seen.tpot_ms, seen.osl))


def _seen(seen: Observation) -> Place:
    return Place(
        model=seen.model,
        family=seen.family,
        engine=seen.engine,
        device=seen.device,
        launch=seen.launch,
        settings=seen.settings,
        isl=seen.isl,
        osl=seen.osl,
        concurrency=seen.concurrency,
        base_ttft_ms=seen.base_ttft_ms,
        base_tpot_ms=seen.base_tpot_ms,
    )


def _asked(scenario: Scenario, point: Prediction, settings: dict[str, Any]) -> Place:
    return Place(
        model=scenario.model,
        family=scenario.facts.architecture,
        engine=scenario.engine,
        device=scenario.device,
        launch=None,
        settings=settings,
        isl=scenario.isl,
        osl=scenario.osl,
        concurrency=point.concurrency,
        base_ttft_ms=point.ttft_ms,
        base_tpot_ms=point.tpot_ms,
    )


def _levels_shared(seen: Observation, scenario: Scenario) -> int:
    """How near an observation's task is to this one: model before engine and device."""
    same_engine = seen.engine == scenario.engine
    return (
        4 * (seen.model == scenario.model and same_engine)
        + 2 * (seen.model == scenario.model)
        + 2 * (same_engine and seen.device == scenario.device)
        + same_engine
    )
