"""Predictions that learn: a base predictor, corrected by what was measured.

The base's error is learnt in logarithms for TTFT and TPOT; throughput follows from them by Little's
law, and what the law leaves over (a loop that is not quite closed, drafts, ramps) is learnt as a
third, small residual. So the three figures never contradict each other.

The residuals are a Gaussian process (`gaussian_process`) with the kernel of `calibration_kernel`;
the mean before anything is measured is 0: the base predictor as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autotuner.config import Candidate, LoadKind, LoadLevel
from autotuner.predict.calibration_kernel import (
    CalibrationHyperparameters,
    Hyperparameters,
    Place,
    calibration_hyperparameters,
    covariance,
)
from autotuner.predict.closed_loop import e2e_ms, tok_s_under
from autotuner.predict.observations import Observation
from autotuner.predict.predictor import (
    Prediction,
    Predictions,
    Predictor,
    Scenario,
    Support,
    scaled_percentiles,
)

if TYPE_CHECKING:
    from autotuner.predict.calibration_kernel import Array
    from autotuner.predict.gaussian_process import Conditional

LARGEST_RESIDUAL = 2.5
"""Residuals beyond a factor of e^2.5 = 12 count as that: a row that far off is rarely what its
fields say, and must not bend its neighbours."""


@dataclass(frozen=True)
class Posterior:
    """Residuals ln(measured / predicted) at `n` places, as a normal distribution.

    Attributes:
        mean: `n`.
        covariance: `n x n`, of the true residuals, without a measurement's noise.
        noise: variance of one measurement.
    """

    mean: Array
    covariance: Array
    noise: float

    @property
    def log_std(self) -> Array:
        """Standard deviation of one measurement's residual, noise included: `n`."""
        import numpy as np

        std: Array = np.sqrt(np.maximum(np.diag(self.covariance), 0.0) + self.noise)
        return std

    def after(self, seen: Sequence[int], residuals: Sequence[float]) -> Posterior:
        """The posterior at all places once the residuals at some of them are measured.

        Args:
            seen: their positions. residuals: one for each.
        """
        import numpy as np

        if not len(seen):
            return self
        at = np.asarray(seen)
        process = self._conditioned_at(at, clipped(residuals) - self.mean[at])
        explained = process.explained(self.covariance[at])
        return Posterior(
            self.mean + process.mean(self.covariance[at]),
            self.covariance - explained.T @ explained,
            self.noise,
        )

    def explained_share(self, seen: Sequence[int]) -> float:
        """The share of the total variance that measuring some places would take away."""
        import numpy as np

        at = np.asarray(seen)
        explained = self._conditioned_at(at, np.zeros(len(at))).explained(self.covariance[at])
        return float((explained**2).sum() / max(np.trace(self.covariance), 1e-300))

    def _conditioned_at(self, at: Any, surprise: Array) -> Conditional:
        import numpy as np

        from autotuner.predict.gaussian_process import conditioned

        return conditioned(self.covariance[np.ix_(at, at)], self.noise, surprise)


def most_informative(posteriors: Sequence[Posterior], launches: Sequence[Sequence[int]]) -> int:
    """Which launch, once measured, would leave the least variance over all places.

    Needs no measurement: the posterior mean depends on the values, the posterior variance does not.
    Taken one after the other this is the A-optimal design, chosen greedily (D. A. Cohn,
    Z. Ghahramani, M. I. Jordan, "Active Learning with Statistical Models", JAIR 4, 1996).

    Args:
        posteriors: of the quantities wanted, over the same places; each counts by its own variance.
        launches: for each launch the positions of its places, not empty.
    """
    shares = [sum(one.explained_share(seen) for one in posteriors) for seen in launches]
    return max(range(len(launches)), key=shares.__getitem__)


class ResidualProcess:
    """The Gaussian process of residuals, conditioned on measured ones; ask it about any places.

    Args:
        places, residuals: where was measured, and ln(measured / predicted) there.
    """

    def __init__(
        self, places: Sequence[Place], residuals: Sequence[float], hyperparameters: Hyperparameters
    ) -> None:
        self._places = tuple(places)
        self._constants = hyperparameters
        self._conditional: Conditional | None = None
        if self._places:
            from autotuner.predict.gaussian_process import conditioned

            among = covariance(self._places, self._places, hyperparameters)
            self._conditional = conditioned(among, hyperparameters.noise, clipped(residuals))

    def at(self, places: Sequence[Place]) -> Posterior:
        """The posterior at some places, with the covariance among them."""
        import numpy as np

        own = covariance(places, places, self._constants)
        if self._conditional is None:
            return Posterior(np.zeros(len(places)), own, self._constants.noise)
        across = covariance(self._places, places, self._constants)
        explained = self._conditional.explained(across)
        return Posterior(
            self._conditional.mean(across), own - explained.T @ explained, self._constants.noise
        )


def clipped(residuals: Sequence[float] | Array) -> Array:
    """Residuals, none beyond `LARGEST_RESIDUAL`."""
    import numpy as np

    kept: Array = np.clip(np.asarray(residuals, float), -LARGEST_RESIDUAL, LARGEST_RESIDUAL)
    return kept


MOST_OBSERVATIONS = 1500
"""More cost seconds (the work grows with the cube) and teach little: the most alike are taken."""
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
        known = self.usable(scenario)
        if not known or not answer.points:
            return replace(answer, predictor=self.name)
        settings = {candidate.id: candidate.settings() for candidate in candidates}
        places = [_asked(scenario, point, settings[point.candidate_id]) for point in answer.points]
        drift = CPU_DRIFT if scenario.gpu.is_cpu else 0.0
        figures = [self._corrections(known, quantity, drift, places) for quantity in QUANTITIES]
        source = f"calibrated by {len(known)} of {len(self.observations)} observations"
        points = tuple(
            _corrected(point, *corrections, source=source)
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
        found = self._process(known, quantity, drift).at(places)
        return [(float(m), float(s)) for m, s in zip(found.mean, found.log_std, strict=True)]

    def _process(
        self, known: tuple[Observation, ...], quantity: str, drift: float
    ) -> ResidualProcess:
        hyperparameters = (
            self.hyperparameters or calibration_hyperparameters()["all"]
        ).by_quantity[quantity]
        if quantity != "tok_s":
            launch = max(hyperparameters.offset.get("launch", 0.0), drift)
            hyperparameters = replace(
                hyperparameters, offset={**hyperparameters.offset, "launch": launch}
            )
        usable = [(o, r) for o in known if (r := _residual(o, quantity)) is not None]
        return ResidualProcess(
            [_seen(o) for o, _ in usable], [r for _, r in usable], hyperparameters
        )


def correcting(
    observations: Sequence[Observation], base: str, scenario: Scenario
) -> tuple[Observation, ...]:
    """Those that change what `base` says of the scenario; the most alike where there are too many.

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
        connected = sorted(connected, key=lambda o: -_levels_shared(o, scenario))[
            :MOST_OBSERVATIONS
        ]
    return tuple(connected)


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


def _residual(seen: Observation, quantity: str) -> float | None:
    """ln(measured / predicted); None of a TPOT that does not exist."""
    if quantity == "ttft":
        return math.log(seen.ttft_ms / seen.base_ttft_ms)
    if quantity == "tpot":
        if seen.tpot_ms is None or seen.base_tpot_ms is None:
            return None
        return math.log(seen.tpot_ms / seen.base_tpot_ms)
    return math.log(seen.tok_s / tok_s_under(seen.load, seen.ttft_ms, seen.tpot_ms, seen.osl))


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
        in_flight=seen.in_flight,
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
        in_flight=point.in_flight,
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
