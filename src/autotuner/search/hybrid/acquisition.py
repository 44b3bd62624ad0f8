"""Expected hypervolume improvement of every candidate left, by a launch's whole sweep.

Samples of a sweep's true figures are laid over what is measured; the volume that the union gains,
averaged over samples, is the expected hypervolume improvement (M. Emmerich, K. Giannakoglou,
B. Naujoks, "Single- and multiobjective evolutionary optimization assisted by Gaussian random field
metamodels", IEEE Trans. Evol. Comput. 10, 2006), here of all levels of one launch together. A
sample's level that does not run adds nothing. `search.frontier` has the volumes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autotuner.search.frontier import MARGIN, front_places, hypervolume_improvements, volumes
from autotuner.search.hybrid.feasibility import probability_of_feasibility, standardised_margin
from autotuner.search.hybrid.quantities import Quantities, measured_history
from autotuner.search.hybrid.residuals import Measured, Residuals
from autotuner.search.hybrid.rows import Bools, Floats, Ints, Rows, rows_of
from autotuner.search.hybrid.transfer import transferred_residuals
from autotuner.search.strategy import SearchState


@dataclass(frozen=True)
class Normalisation:
    """Coordinates in which every objective counts alike.

    Attributes:
        nadir, extent: of the expected frontier, one for each objective: `d`.
    """

    nadir: Floats
    extent: Floats

    def scaled(self, values: Floats) -> Floats:
        """Coordinates above the reference point: `... x d`, of values to be maximised."""
        return np.asarray((values - self.nadir) / self.extent + MARGIN)


def normalisation_of(values: Floats) -> Normalisation:
    """Normalisation by the frontier of `n x d` values, to be maximised.

    With one objective that is a single point, which has no extent: then all values
    normalise, so that the best within an SLO counts however far below the best of all it lies.
    """
    front = frontier(values) if values.shape[1] > 1 else values
    nadir, ideal = front.min(0), front.max(0)
    size = np.where(np.abs(nadir) > 0, np.abs(nadir), 1.0)
    return Normalisation(nadir, np.where(ideal > nadir, ideal - nadir, size))


def frontier(values: Floats) -> Floats:
    """The rows of `n x d` that no other dominates: `f x d`."""
    return values[front_places(values)]


def padded(blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of different lengths as one array, and which of its entries are real: `c x l`."""
    longest = max(len(block) for block in blocks)
    filled = np.array([np.r_[b, np.repeat(b[-1], longest - len(b))] for b in blocks])
    real = np.array([np.arange(longest) < len(block) for block in blocks])
    return filled, real


SAMPLES, SCREENED, FINALISTS = 64, 16, 400
"""Samples of each sweep; where there are more candidates than finalists, samples of the first look
at all of them. It is a rough one: within an SLO most improve nothing in any of few samples."""
STD_SHARE = 0.5
"""Share of the posterior standard deviations that counts, of quantities and of feasibility: a dozen
launches have no time to follow every uncertainty."""
WIDENED, WIDE_SHARE = 2.5, {True: 0.03, False: 0.1}
"""Improvements under standard deviations so many times as wide count with this share, with several
objectives and with one: where no improvement is expected any more, they say where the posterior
would have to be wrong the least."""
LIKELY = 0.5
"""A row that fits with this probability counts in the expected frontier."""


@dataclass(frozen=True)
class ScoredCandidate:
    """The best candidate left.

    Attributes:
        improvement: what it is expected to add, as a share of the incumbent's hypervolume (or of
            how far the best feasible value lies above the reference point); infinite without one.
        figures: what is expected at the level that adds most, one row.
        log_std: standard deviation of the logarithm of throughput there.
        probability: of that level to fit. predicted: whether the prediction is its own.
        learnt_from: measured levels that correct the prediction, of this search and of others.
        misses_slo: by what share the expected figures miss the worst limit; None within.
    """

    candidate: str
    improvement: float
    figures: Quantities
    log_std: float
    probability: float
    predicted: bool
    learnt_from: tuple[int, int]
    misses_slo: float | None


def best_candidate(state: SearchState) -> ScoredCandidate:
    """The candidate left that is expected to add most for each minute of its launch."""
    rows = rows_of(state)
    rows = replace(rows, base=rows.base + transferred_residuals(state, rows))
    posterior = _Posterior(state, rows)
    left = set(state.untried())
    places = np.array([i for i, c in enumerate(rows.candidates) if c in left])
    minutes = _minutes(state, rows)
    if len(places) > FINALISTS:
        screened = posterior.scores(places, SCREENED) / minutes[places]
        finalists = places[np.argsort(-screened, kind="stable")[:FINALISTS]]
    else:
        finalists = places
    scores = posterior.scores(finalists, SAMPLES) / minutes[finalists]
    if scores.max() > 0:
        best = int(finalists[np.argmax(scores)])
    else:
        best = int(places[np.argmin([posterior.worst_excess(place) for place in places])])
    return posterior.scored(best)


def _minutes(state: SearchState, rows: Rows) -> Floats:
    """Expected minutes of each candidate's launch over their mean; 1 where they are not known."""
    known = state.knowledge.minutes
    minutes = np.array([known.get(c, np.nan) for c in rows.candidates], float)
    minutes[~(minutes > 0) | ~np.isfinite(minutes)] = np.nan
    if np.isnan(minutes).all():
        return np.ones(len(minutes))
    mean = float(np.nanmean(minutes))
    return np.asarray(np.nan_to_num(minutes, nan=mean) / mean)


class _Posterior:
    """The posterior of all rows, and the frontier that a launch would have to improve on."""

    def __init__(self, state: SearchState, rows: Rows) -> None:
        self._state, self._rows = state, rows
        known = measured_history(state, rows)
        self._blocks = rows.blocks()
        margin = standardised_margin(rows, known.tried, known.ran)
        self._probability, self._counted = (
            probability_of_feasibility(margin, share) for share in (1.0, STD_SHARE)
        )
        self._residuals = Residuals(rows, known.measured, state.seed)
        self._own = len(known.measured.rows)
        flying = self._flying()
        if len(flying):
            with_flying = Measured(
                np.r_[known.measured.rows, flying],
                np.r_[known.measured.residuals, self._residuals.mean[flying]],
            )
            self._residuals = Residuals(rows, with_flying, state.seed)
        self._mean = known.as_measured(rows, self._residuals.mean)
        self._normalisation, self._front = self._incumbent_front(np.r_[known.measured.rows, flying])
        random = np.random.default_rng([abs(state.seed), len(state.history)])
        shape = max(map(len, self._blocks)), len(rows.quantities)
        half = random.standard_normal((SAMPLES // 2, *shape))
        self._normal = np.stack([half, -half], axis=1).reshape(SAMPLES, *shape)
        self._uniform = random.permutation((np.arange(SAMPLES) + 0.5) / SAMPLES)

    def scores(self, places: Ints, samples: int) -> Floats:
        """Expected improvements by candidates, with the share of the wide ones: `c`."""
        several = len(self._state.objectives) > 1
        if not self._own:
            return np.asarray(self._improvements(places, samples, (STD_SHARE,))[0])
        near, wide = self._improvements(places, samples, (STD_SHARE, WIDENED))
        return np.asarray(near + WIDE_SHARE[several] * wide)

    def worst_excess(self, place: int) -> float:
        """By what the level that comes nearest to the SLO is expected to miss it."""
        at = self._blocks[place]
        missed = self._figures(at, self._mean[at]).excess(self._state.slo)
        return float((missed - np.log(np.maximum(self._probability[at], 1e-12))).min())

    def scored(self, place: int) -> ScoredCandidate:
        """The candidate with its expected improvement and quantities."""
        rows, at = self._rows, self._blocks[place]
        expected = self._figures(at, self._mean[at])
        values = self._normalisation.scaled(expected.values(self._state.objectives))
        good = expected.within(self._state.slo)
        alone = np.where(good[:, None], values, -1.0)[None, :, None]
        adds = hypervolume_improvements(self._front, alone)[0] * self._counted[at]
        within = np.where(good, values.prod(-1), -np.inf)
        near = within if good.any() else -expected.excess(self._state.slo)
        best = int(np.argmax(adds)) if adds.max() > 0 else int(np.argmax(near))
        row = at[best : best + 1]
        drawn = self._residuals.draws(row[None], self._normal[:, :1])[0]
        spread = self._figures(row[None], drawn).tok_s.std()
        figures = self._figures(row, self._mean[row])
        missed = float(figures.excess(self._state.slo)[0])
        improvement = float(self._improvements(np.array([place]), SAMPLES, (STD_SHARE,))[0, 0])
        incumbent = float(volumes(self._front[None])[0])
        return ScoredCandidate(
            candidate=rows.candidates[place],
            improvement=improvement / incumbent if incumbent > 0 else np.inf,
            figures=figures,
            log_std=float(spread),
            probability=float(self._probability[row[0]]),
            predicted=bool(rows.predicted[row[0]]),
            learnt_from=(self._own, len(self._state.knowledge.earlier)),
            misses_slo=float(np.expm1(missed)) if missed > 0 else None,
        )

    def _improvements(self, places: Ints, samples: int, widths: Sequence[float]) -> Floats:
        """Mean improvements by candidates under samples of each width: `w x c`."""
        at, real = padded([self._blocks[place] for place in places])
        normal = self._normal[:samples, : at.shape[1]]
        runs = (self._uniform[:samples, None, None] < self._counted[at]) & real
        return np.array(
            [
                self._improvement(at, runs, drawn)
                for drawn in self._residuals.draws(at, normal, widths)
            ]
        )

    def _improvement(self, at: Ints, runs: Bools, residuals: Floats) -> Floats:
        drawn = self._figures(at, residuals)
        fits = runs & drawn.within(self._state.slo)
        values = self._normalisation.scaled(drawn.values(self._state.objectives))
        return np.asarray(
            hypervolume_improvements(self._front, np.where(fits[..., None], values, -1.0)).mean(0)
        )

    def _figures(self, at: Ints, residuals: Floats) -> Quantities:
        return Quantities.of(self._rows, at, residuals)

    def _flying(self) -> Ints:
        """Rows of launches in flight that are likely to run."""
        flying = np.array([c in self._state.in_flight for c in self._rows.candidates])
        return np.flatnonzero(flying[self._rows.of] & (self._probability > LIKELY))

    def _incumbent_front(self, at: Ints) -> tuple[Normalisation, Floats]:
        """Normalisation by all that is expected, and in it the frontier of launched rows."""
        everything = np.arange(len(self._rows.of))
        figures = self._figures(everything, self._mean)
        values = figures.values(self._state.objectives)
        good: Bools = (self._probability > LIKELY) & np.isfinite(values).all(-1)
        good[at] = True
        normalisation = normalisation_of(values[good] if good.any() else values)
        incumbent = at[figures.within(self._state.slo)[at]]
        return normalisation, normalisation.scaled(frontier(values[incumbent]))
