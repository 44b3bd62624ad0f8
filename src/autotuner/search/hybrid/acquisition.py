"""Expected hypervolume improvement of every candidate left, by a launch's whole sweep.

Samples of a sweep's true figures are laid over what is measured; the volume that the union gains,
averaged over samples, is the expected hypervolume improvement (M. Emmerich, K. Giannakoglou,
B. Naujoks, "Single- and multiobjective evolutionary optimization assisted by Gaussian random field
metamodels", IEEE Trans. Evol. Comput. 10, 2006), here of all levels of one launch together. A
sample's level that does not run adds nothing. `search.frontier` has the volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autotuner.search.frontier import MARGIN, front_places, hypervolume_improvements, volumes
from autotuner.search.hybrid.feasibility import probability_of_feasibility, standardised_margin
from autotuner.search.hybrid.quantities import Quantities, measured_history
from autotuner.search.hybrid.residuals import Measured, Residuals
from autotuner.search.hybrid.rows import Bools, Floats, Ints, Rows, measured_beside, rows_of
from autotuner.search.hybrid.transfer import transferred_residuals
from autotuner.search.strategy import Same, SearchState


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
NOTHING = 5e-4
"""An improvement that would read as 0.0 %."""
_NOTHING_OF_LEVEL = 1e-4
"""A level that adds no more than this share of the incumbent is not where a candidate adds."""
LIKELY = 0.5
"""A row that fits with this probability counts in the expected frontier."""


@dataclass(frozen=True)
class ScoredCandidate:
    """The best candidate left.

    Attributes:
        improvement: what it is expected to add, as a share of the incumbent's hypervolume (or of
            how far the best feasible value lies above the reference point); infinite without one.
        most: the same of the candidate left that has most of it, which may take longer or be less
            certain; looked for where `improvement` alone would read as nothing or end the search.
        figures: what is expected at the level that adds most, one row.
        log_std: standard deviation of the logarithm of throughput there.
        probability: of that level to fit. predicted: whether the prediction is its own.
        learnt_from: measured levels that correct the prediction, of this search and of others.
        misses_slo: by what share the expected figures miss the worst limit; None within.
    """

    candidate: str
    improvement: float
    most: float
    figures: Quantities
    log_std: float
    probability: float
    predicted: bool
    learnt_from: tuple[int, int]
    misses_slo: float | None


def best_candidate(state: SearchState) -> ScoredCandidate:
    """The candidate left that is expected to add most for each minute of its launch."""
    posterior = posterior_of(state)
    places = posterior.places(state.untried())
    minutes = _minutes(state, posterior.rows)
    finalists = posterior.finalists(places, minutes[places])
    scores = posterior.scores(finalists, SAMPLES) / minutes[finalists]
    best = int(finalists[np.argmax(scores)]) if scores.max() > 0 else posterior.nearest(places)
    return posterior.scored(best)


def posterior_of(state: SearchState) -> SearchPosterior:
    """The posterior of a search, with what earlier tasks teach."""
    key = (
        *(Rows, state.candidates, state.levels, Same(state.settings), state.compared),
        *(state.usd_per_gpu_hour, measured_beside(state)),
    )
    return SearchPosterior(state, state.knowledge.once(key, lambda: _prior_rows(state)))


def _prior_rows(state: SearchState) -> Rows:
    rows = rows_of(state)
    return replace(rows, base=rows.base + transferred_residuals(state, rows))


def _minutes(state: SearchState, rows: Rows) -> Floats:
    """Expected minutes of each candidate's launch over their mean; 1 where they are not known."""
    known = state.knowledge.minutes
    minutes = np.array([known.get(c, np.nan) for c in rows.candidates], float)
    minutes[~(minutes > 0) | ~np.isfinite(minutes)] = np.nan
    if np.isnan(minutes).all():
        return np.ones(len(minutes))
    mean = float(np.nanmean(minutes))
    return np.asarray(np.nan_to_num(minutes, nan=mean) / mean)


class SearchPosterior:
    """The posterior of all rows, and the frontier that a launch would have to improve on.

    Attributes:
        rows: of the search; blocks: those of each candidate.
        front: of launched rows, in coordinates: `f x d`.
    """

    def __init__(self, state: SearchState, rows: Rows) -> None:
        self._state, self.rows = state, rows
        known = measured_history(state, rows)
        self.blocks = rows.blocks()
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
        self._normalisation, self.front = self._incumbent_front(np.r_[known.measured.rows, flying])
        random = np.random.default_rng([abs(state.seed), len(state.history)])
        shape = max(map(len, self.blocks)), len(rows.quantities)
        half = random.standard_normal((SAMPLES // 2, *shape))
        self._normal = np.stack([half, -half], axis=1).reshape(SAMPLES, *shape)
        self._uniform = random.permutation((np.arange(SAMPLES) + 0.5) / SAMPLES)

    def scores(self, places: Ints, samples: int) -> Floats:
        """Expected improvements by candidates, with the share of the wide ones: `c`."""
        widths, shares = zip(*self.widths(), strict=True)
        return np.asarray(np.array(shares) @ self._improvements(places, samples, widths))

    def widths(self) -> tuple[tuple[float, float], ...]:
        """Widths of the samples whose improvements count, in standard deviations, and how much."""
        if not self._own:
            return ((STD_SHARE, 1.0),)
        return (STD_SHARE, 1.0), (WIDENED, WIDE_SHARE[len(self._state.objectives) > 1])

    def places(self, candidates: Iterable[str]) -> Ints:
        """Places of candidates, in the order of the space."""
        asked = set(candidates)
        return np.array([i for i, c in enumerate(self.rows.candidates) if c in asked], np.int64)

    def finalists(self, places: Ints, minutes: Floats) -> Ints:
        """The candidates that are worth all samples; `minutes` are those of their launches."""
        if len(places) <= FINALISTS:
            return places
        screened = self.scores(places, SCREENED) / minutes
        return places[np.argsort(-screened, kind="stable")[:FINALISTS]]

    def nearest(self, places: Ints) -> int:
        """The candidate that is expected to come nearest to the SLO."""
        return int(places[np.argmin([self.worst_excess(place) for place in places])])

    def incumbent(self) -> float:
        """Volume that the launched rows dominate; 0 without any within the SLO."""
        return float(volumes(self.front[None])[0])

    def worst_excess(self, place: int) -> float:
        """By what the level that comes nearest to the SLO is expected to miss it."""
        at = self.blocks[place]
        missed = self._figures(at, self._mean[at]).excess(self._state.slo)
        return float((missed - np.log(np.maximum(self._probability[at], 1e-12))).min())

    def scored(self, place: int) -> ScoredCandidate:
        """The candidate with its expected improvement and quantities."""
        rows, at = self.rows, self.blocks[place]
        expected = self._figures(at, self._mean[at])
        values = self._normalisation.scaled(expected.values(self._state.objectives))
        good = expected.within(self._state.slo)
        alone = np.where(good[:, None], values, -1.0)[None, :, None]
        adds = hypervolume_improvements(self.front, alone)[0] * self._counted[at]
        within = np.where(good, values.prod(-1), -np.inf)
        near = within if good.any() else -expected.excess(self._state.slo)
        likely = (self._probability[at] > LIKELY) & (good | ~good.any())
        near = np.where(likely | ~likely.any(), near, -np.inf)
        incumbent = self.incumbent()
        best = int(np.argmax(adds if adds.max() > _NOTHING_OF_LEVEL * incumbent else near))
        row = at[best : best + 1]
        drawn = self._residuals.draws(row[None], self._normal[:, :1])[0]
        spread = self._figures(row[None], drawn).tok_s.std()
        figures = self._figures(row, self._mean[row])
        missed = float(figures.excess(self._state.slo)[0])
        improvement = self._expected_improvement(np.array([place]))
        return ScoredCandidate(
            candidate=rows.candidates[place],
            improvement=improvement,
            most=improvement if missed > 0 or improvement >= self._enough() else self._most_left(),
            figures=figures,
            log_std=float(spread),
            probability=float(self._probability[row[0]]),
            predicted=bool(rows.predicted[row[0]]),
            learnt_from=(self._own, len(self._state.knowledge.earlier)),
            misses_slo=float(np.expm1(missed)) if missed > 0 else None,
        )

    def _enough(self) -> float:
        return max(NOTHING, self._state.threshold or 0.0)

    def _most_left(self) -> float:
        places = self.places(self._state.untried())
        return self._expected_improvement(self.finalists(places, np.ones(len(places))))

    def _expected_improvement(self, places: Ints) -> float:
        """The most that one of the candidates adds, as a share of the incumbent's volume."""
        most = float(self._improvements(places, SAMPLES, (STD_SHARE,)).max())
        incumbent = self.incumbent()
        return most / incumbent if incumbent > 0 else np.inf

    def _improvements(self, places: Ints, samples: int, widths: Sequence[float]) -> Floats:
        """Mean improvements by candidates under samples of each width: `w x c`."""
        drawn = self.draws([self.blocks[place] for place in places], samples, widths)
        return np.array([hypervolume_improvements(self.front, one).mean(0) for one in drawn])

    def draws(
        self, blocks: Sequence[Ints], samples: int, widths: Sequence[float]
    ) -> Iterator[Floats]:
        """Samples of each block's coordinates, one array `s x c x l x d` for each width.

        A row that does not run there, that misses the SLO or that pads a shorter block is -1.
        """
        at, real = padded(blocks)
        runs = (self._uniform[:samples, None, None] < self._counted[at]) & real
        for residuals in self._residuals.draws(at, self._normal[:samples, : at.shape[1]], widths):
            drawn = self._figures(at, residuals)
            fits = runs & drawn.within(self._state.slo)
            values = self._normalisation.scaled(drawn.values(self._state.objectives))
            yield np.where(fits[..., None], values, -1.0)

    def _figures(self, at: Ints, residuals: Floats) -> Quantities:
        return Quantities.of(self.rows, at, residuals)

    def _flying(self) -> Ints:
        """Rows of launches in flight that are likely to run."""
        flying = np.array([c in self._state.in_flight for c in self.rows.candidates])
        return np.flatnonzero(flying[self.rows.of] & (self._probability > LIKELY))

    def _incumbent_front(self, at: Ints) -> tuple[Normalisation, Floats]:
        """Normalisation by all that is expected, and in it the frontier of launched rows."""
        everything = np.arange(len(self.rows.of))
        figures = self._figures(everything, self._mean)
        values = figures.values(self._state.objectives)
        good: Bools = (self._probability > LIKELY) & np.isfinite(values).all(-1)
        good[at] = True
        normalisation = normalisation_of(values[good] if good.any() else values)
        incumbent = at[figures.within(self._state.slo)[at]]
        return normalisation, normalisation.scaled(frontier(values[incumbent]))
