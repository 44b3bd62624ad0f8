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

from autotuner.search.frontier import front_places, volume_gains, volumes
from autotuner.search.hybrid.feasibility import chance_to_fit, distance_to_wall
from autotuner.search.hybrid.quantities import Quantities, seen
from autotuner.search.hybrid.residuals import Measured, Residuals
from autotuner.search.hybrid.rows import QUANTITIES, Bools, Floats, Ints, Rows, rows_of
from autotuner.search.hybrid.transfer import recall
from autotuner.search.strategy import SearchState

MARGIN = 0.1
"""The reference point lies this share of the frontier's extent below its nadir."""


@dataclass(frozen=True)
class Frame:
    """Coordinates in which every objective counts alike.

    Attributes:
        nadir, extent: of the expected frontier, one for each objective: `d`.
    """

    nadir: Floats
    extent: Floats

    def scaled(self, values: Floats) -> Floats:
        """Coordinates above the reference point: `... x d`, of values to be maximised."""
        return np.asarray((values - self.nadir) / self.extent + MARGIN)


def frame(values: Floats) -> Frame:
    """The frame of the frontier of `n x d` values, to be maximised.

    With one objective that is a single point, which says nothing of scale: the frame is that of all
    values, so that the best within an SLO counts however far below the best of all it lies.
    """
    front = frontier(values) if values.shape[1] > 1 else values
    nadir, ideal = front.min(0), front.max(0)
    size = np.where(np.abs(nadir) > 0, np.abs(nadir), 1.0)
    return Frame(nadir, np.where(ideal > nadir, ideal - nadir, size))


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
at all of them. It is a rough one: within an SLO most gain nothing in any of few samples."""
DOUBT = 0.5
"""Share of the believed doubts that counts, of figures and of memory: a dozen launches have no time
to follow every doubt."""
WIDENED, WIDE_SHARE = 2.5, {True: 0.03, False: 0.1}
"""Gains under doubts so many times as wide as believed count with this share, with several
objectives and with one: where nothing is expected to be gained any more, they say where the belief
would have to be wrong the least."""
LIKELY = 0.5
"""A row that fits with this chance counts in the expected frontier."""


@dataclass(frozen=True)
class Weighed:
    """The best candidate left.

    Attributes:
        gain: what it is expected to add, as a share of the volume reached (or of how far the best
            feasible value lies above the reference point); infinite where nothing is reached.
        figures: what is expected at the level that adds most, one row.
        log_std: standard deviation of the logarithm of throughput there.
        chance: of that level to fit. predicted: whether the prediction is its own.
        learnt_from: measured levels that correct the prediction, of this search and of others.
        misses_slo: by what share the expected figures miss the worst limit; None within.
    """

    candidate: str
    gain: float
    figures: Quantities
    log_std: float
    chance: float
    predicted: bool
    learnt_from: tuple[int, int]
    misses_slo: float | None


def weigh(state: SearchState) -> Weighed:
    """The candidate left that is expected to add most for each minute of its launch."""
    rows = rows_of(state)
    rows = replace(rows, base=rows.base + recall(state, rows))
    view = _View(state, rows)
    left = set(state.untried())
    places = np.array([i for i, c in enumerate(rows.candidates) if c in left])
    minutes = _minutes(state, rows)
    if len(places) > FINALISTS:
        screened = view.scores(places, SCREENED) / minutes[places]
        finalists = places[np.argsort(-screened, kind="stable")[:FINALISTS]]
    else:
        finalists = places
    scores = view.scores(finalists, SAMPLES) / minutes[finalists]
    if scores.max() > 0:
        best = int(finalists[np.argmax(scores)])
    else:
        best = int(places[np.argmin([view.worst_excess(place) for place in places])])
    return view.told(best)


def _asks_for_tail(state: SearchState) -> bool:
    """Whether the 90th percentile of E2E latency is asked for; else nothing is learnt of it."""
    return "e2e_p90_ms" in (*state.objectives, *state.slo)


def _minutes(state: SearchState, rows: Rows) -> Floats:
    """Expected minutes of each candidate's launch over their mean; 1 where they are not known."""
    known = state.knowledge.minutes
    minutes = np.array([known.get(c, np.nan) for c in rows.candidates], float)
    minutes[~(minutes > 0) | ~np.isfinite(minutes)] = np.nan
    if np.isnan(minutes).all():
        return np.ones(len(minutes))
    mean = float(np.nanmean(minutes))
    return np.asarray(np.nan_to_num(minutes, nan=mean) / mean)


class _View:
    """What is believed now, and the frontier that a launch would have to beat."""

    def __init__(self, state: SearchState, rows: Rows) -> None:
        self._state, self._rows = state, rows
        known = seen(state, rows)
        self._blocks = rows.blocks()
        distance = distance_to_wall(rows, known.tried, known.ran)
        self._chance, self._counted = (chance_to_fit(distance, d) for d in (1.0, DOUBT))
        learnt = len(QUANTITIES) if _asks_for_tail(state) else len(QUANTITIES) - 1
        self._residuals = Residuals(rows, known.measured, state.seed, learnt)
        self._own = len(known.measured.rows)
        flying = self._flying()
        if len(flying):
            believed = Measured(
                np.r_[known.measured.rows, flying],
                np.r_[known.measured.residuals, self._residuals.mean[flying]],
            )
            self._residuals = Residuals(rows, believed, state.seed, learnt)
        self._mean = known.as_measured(rows, self._residuals.mean)
        self._frame, self._front = self._reached(np.r_[known.measured.rows, flying])
        random = np.random.default_rng([abs(state.seed), len(state.history)])
        half = random.standard_normal((SAMPLES // 2, max(map(len, self._blocks)), learnt))
        self._normal = np.stack([half, -half], axis=1).reshape(SAMPLES, -1, learnt)
        self._luck = random.permutation((np.arange(SAMPLES) + 0.5) / SAMPLES)

    def scores(self, places: Ints, samples: int) -> Floats:
        """Expected gains of candidates, with the share of the wide ones: `c`."""
        several = len(self._state.objectives) > 1
        if not self._own:
            return np.asarray(self._gains(places, samples, (DOUBT,))[0])
        near, wide = self._gains(places, samples, (DOUBT, WIDENED))
        return np.asarray(near + WIDE_SHARE[several] * wide)

    def worst_excess(self, place: int) -> float:
        """By what the level that comes nearest to the SLO is expected to miss it."""
        at = self._blocks[place]
        missed = self._figures(at, self._mean[at]).excess(self._state.slo)
        return float((missed - np.log(np.maximum(self._chance[at], 1e-12))).min())

    def told(self, place: int) -> Weighed:
        """A candidate with what there is to say of it."""
        rows, at = self._rows, self._blocks[place]
        expected = self._figures(at, self._mean[at])
        values = self._frame.scaled(expected.values(self._state.objectives))
        good = expected.within(self._state.slo)
        alone = np.where(good[:, None], values, -1.0)[None, :, None]
        adds = volume_gains(self._front, alone)[0] * self._counted[at]
        within = np.where(good, values.prod(-1), -np.inf)
        near = within if good.any() else -expected.excess(self._state.slo)
        best = int(np.argmax(adds)) if adds.max() > 0 else int(np.argmax(near))
        row = at[best : best + 1]
        drawn = self._residuals.draws(row[None], self._normal[:, :1])[0]
        spread = self._figures(row[None], drawn).tok_s.std()
        figures = self._figures(row, self._mean[row])
        missed = float(figures.excess(self._state.slo)[0])
        gain = float(self._gains(np.array([place]), SAMPLES, (DOUBT,))[0, 0])
        reached = float(volumes(self._front[None])[0])
        return Weighed(
            candidate=rows.candidates[place],
            gain=gain / reached if reached > 0 else np.inf,
            figures=figures,
            log_std=float(spread),
            chance=float(self._chance[row[0]]),
            predicted=bool(rows.predicted[row[0]]),
            learnt_from=(self._own, len(self._state.knowledge.earlier)),
            misses_slo=float(np.expm1(missed)) if missed > 0 else None,
        )

    def _gains(self, places: Ints, samples: int, widths: Sequence[float]) -> Floats:
        """Mean gains of candidates under samples of each width: `w x c`."""
        at, real = padded([self._blocks[place] for place in places])
        normal = self._normal[:samples, : at.shape[1]]
        runs = (self._luck[:samples, None, None] < self._counted[at]) & real
        return np.array(
            [self._gain(at, runs, drawn) for drawn in self._residuals.draws(at, normal, widths)]
        )

    def _gain(self, at: Ints, runs: Bools, residuals: Floats) -> Floats:
        drawn = self._figures(at, residuals)
        fits = runs & drawn.within(self._state.slo)
        values = self._frame.scaled(drawn.values(self._state.objectives))
        return np.asarray(
            volume_gains(self._front, np.where(fits[..., None], values, -1.0)).mean(0)
        )

    def _figures(self, at: Ints, residuals: Floats) -> Quantities:
        return Quantities.of(self._rows, at, residuals)

    def _flying(self) -> Ints:
        """Rows of launches in flight that are likely to run."""
        flying = np.array([c in self._state.in_flight for c in self._rows.candidates])
        return np.flatnonzero(flying[self._rows.of] & (self._chance > LIKELY))

    def _reached(self, at: Ints) -> tuple[Frame, Floats]:
        """The frame of all that is expected, and in it the frontier of rows that were launched."""
        everything = np.arange(len(self._rows.of))
        figures = self._figures(everything, self._mean)
        values = figures.values(self._state.objectives)
        good: Bools = (self._chance > LIKELY) & np.isfinite(values).all(-1)
        good[at] = True
        view = frame(values[good] if good.any() else values)
        reached = at[figures.within(self._state.slo)[at]]
        return view, view.scaled(frontier(values[reached]))
