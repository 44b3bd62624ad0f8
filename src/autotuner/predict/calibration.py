"""Predictions that learn: a base predictor, corrected by what was measured.

The base's error is learnt in logarithms for TTFT and TPOT; throughput follows from them by Little's
law, and what the law leaves over (a loop that is not quite closed, drafts, ramps) is learnt as a
third, small residual. So the three figures never contradict each other.

The residuals are a Gaussian process (`residual_process`); what others measured counts as far as it
agrees with what is known (`agreement`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotuner.config import Candidate, LoadKind, LoadLevel
from autotuner.predict.agreement import Weighed, weighed
from autotuner.predict.calibration_kernel import (
    CalibrationHyperparameters,
    Place,
    calibration_hyperparameters,
)
from autotuner.predict.closed_loop import e2e_ms, tok_s_under
from autotuner.predict.observations import Observation
from autotuner.predict.percentile_ratios import PercentileRatios
from autotuner.predict.predictor import (
    Member,
    Prediction,
    Predictions,
    Predictor,
    Scenario,
    Support,
    scaled_percentiles,
)
from autotuner.predict.residual_process import ResidualProcess, place_of, residual

MOST_OBSERVATIONS = 1500
"""More cost seconds (the work grows with the cube) and teach little: the most similar are taken."""
QUANTITIES = ("ttft", "tpot", "tok_s")
CPU_DRIFT = 0.01
"""Variance between launches of one candidate on a CPU, which other processes use too: about 10 %,
as two runs of the same task minutes apart show. The fitted hyperparameters know GPUs only."""


@dataclass(frozen=True)
class CalibratedPredictor:
    """Corrects `base` by observations: this task's, and earlier ones' by how alike they are.

    Observations of another base predictor are left out: they say nothing of this one's errors.

    Example:
        predictor = CalibratedPredictor(RooflinePredictor(), observations)
    """

    base: Predictor
    observations: Sequence[Observation] = ()
    hyperparameters: CalibrationHyperparameters | None = None

    @property
    def name(self) -> str:
        """The base's name, and that it is calibrated."""
        return f"calibrated {self.base.name}"

    @property
    def load_kinds(self) -> frozenset[LoadKind]:
        """As the base."""
        return self.base.load_kinds

    def supports(self, scenario: Scenario) -> Support:
        """As the base does: without it there is nothing to correct."""
        return self.base.supports(scenario)

    def predict(
        self, scenario: Scenario, candidates: Sequence[Candidate], load_levels: Sequence[LoadLevel]
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
        weighing = self._weighed(scenario)
        known = weighing.kept
        if not known or not answer.points:
            return replace(answer, predictor=self.name)
        settings = {candidate.id: candidate.settings() for candidate in candidates}
        places = [_asked(scenario, point, settings[point.candidate_id]) for point in answer.points]
        drift = CPU_DRIFT if scenario.gpu.is_cpu else 0.0
        processes = [self._process(weighing, quantity, drift) for quantity in QUANTITIES]
        figures = [_corrections(process, places) for process in processes]
        weights = [process.added_weights(places[0]) for process in processes[:2]]
        source = f"calibrated by {len(known)} of {len(self.observations)} observations"
        corrected = (
            replace(
                _corrected(point, *corrections, source=source),
                members=_reweighed(point.members, *weights),
            )
            for point, *corrections in zip(answer.points, *figures, strict=True)
        )
        ratios = PercentileRatios(scenario, known)
        points = tuple(replace(point, **ratios.corrections(point)) for point in corrected)
        return replace(answer, predictor=self.name, points=points)

    def usable(self, scenario: Scenario) -> tuple[Observation, ...]:
        """The observations that change what is said of the scenario; see `correcting`."""
        return self._weighed(scenario).kept

    def _weighed(self, scenario: Scenario) -> Weighed:
        known = correcting(self.observations, self.base.name, scenario)
        return weighed(known, self.hyperparameters)

    def _process(self, known: Weighed, quantity: str, drift: float) -> ResidualProcess:
        hyperparameters = (
            self.hyperparameters or calibration_hyperparameters()["all"]
        ).by_quantity[quantity]
        if quantity != "tok_s":
            launch = max(hyperparameters.offset.get("launch", 0.0), drift)
            hyperparameters = replace(
                hyperparameters, offset={**hyperparameters.offset, "launch": launch}
            )
        usable = [
            (o, r, shared)
            for o, shared in zip(known.kept, known.shared_errors(quantity), strict=True)
            if (r := residual(o, quantity)) is not None
        ]
        return ResidualProcess(
            [place_of(o) for o, _, _ in usable],
            [r for _, r, _ in usable],
            hyperparameters,
            shared_errors=[shared for _, _, shared in usable],
        )


def correcting(
    observations: Sequence[Observation], base: str, scenario: Scenario
) -> tuple[Observation, ...]:
    """Those that change what `base` says of the scenario; the most similar where they are too many.

    Every component of the kernel is of an engine or of a model: what shares neither with the
    scenario, nor with an observation that is connected to it so, has no covariance with it.
    """
    own = [o for o in observations if o.base == base]
    engines, models = {scenario.engine}, {scenario.model}
    while True:
        connected = [o for o in own if o.engine in engines or o.model in models]
        wider = engines | {o.engine for o in connected}, models | {o.model for o in connected}
        if wider == (engines, models):
            break
        engines, models = wider
    if len(connected) > MOST_OBSERVATIONS:
        # Of those that are as alike, what was measured here comes first.
        connected = sorted(connected, key=lambda o: (-_levels_shared(o, scenario), o.is_foreign))
        connected = connected[:MOST_OBSERVATIONS]
    return tuple(connected)


def _corrections(process: ResidualProcess, places: Sequence[Place]) -> list[tuple[float, float]]:
    """Mean and standard deviation of ln(measured / predicted) at each place."""
    found = process.at(places)
    return [(float(m), float(s)) for m, s in zip(found.mean, found.log_std, strict=True)]


def _reweighed(
    members: Sequence[Member], ttft: Mapping[str, float], tpot: Mapping[str, float]
) -> tuple[Member, ...]:
    """Members with the weights that measurements leave them; they sum to 1 as before."""
    left = 1 - sum(ttft.values()), 1 - sum(tpot.values())
    return tuple(
        replace(
            one,
            ttft_weight=one.ttft_weight * left[0] + ttft.get(one.name, 0.0),
            tpot_weight=one.tpot_weight * left[1] + tpot.get(one.name, 0.0),
        )
        for one in members
    )


def _corrected(
    point: Prediction,
    ttft: tuple[float, float],
    tpot: tuple[float, float],
    littles_law: tuple[float, float],
    *,
    source: str,
) -> Prediction:
    ttft_ms = point.ttft_ms * math.exp(ttft[0])
    tpot_ms = None if point.tpot_ms is None else point.tpot_ms * math.exp(tpot[0])
    share = ttft_ms / e2e_ms(ttft_ms, tpot_ms, point.osl)
    return replace(
        point,
        ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
        tok_s=tok_s_under(point.load, ttft_ms, tpot_ms, point.osl) * math.exp(littles_law[0]),
        ttft_log_std=ttft[1],
        tpot_log_std=tpot[1],
        # E2E is a sum: to first order its logarithm moves by each part's share of it.
        tok_s_log_std=math.hypot(share * ttft[1], (1 - share) * tpot[1], littles_law[1]),
        source=f"{point.source}, {source}",
        **scaled_percentiles(point, ttft_ms, tpot_ms),
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
        in_flight=point.in_flight,
        base_ttft_ms=point.ttft_ms,
        base_tpot_ms=point.tpot_ms,
        members=point.other_members,
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
