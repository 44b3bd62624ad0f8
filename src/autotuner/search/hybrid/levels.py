"""Load levels of a running launch, one by one: the next, and when another launch is worth more.

A level of an engine that is up costs its own minutes, one of another launch a share of a start
besides. The next level is the one left whose expected improvement for each of its minutes is
greatest. Another launch is worth what its best few levels add for each minute of the start and
these levels: levels are ordered by what each adds alone, and the best number of the first is taken.
The launch ends when that is more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autotuner.config import LoadLevel, format_levels
from autotuner.search.frontier import hypervolume_improvements
from autotuner.search.hybrid.acquisition import (
    SAMPLES,
    ScoredCandidate,
    SearchPosterior,
    posterior_of,
)
from autotuner.search.hybrid.rows import Floats, Ints
from autotuner.search.load_choice import EndLaunch, NextLevel, RunningLaunch
from autotuner.search.points import percent
from autotuner.search.stopping import budget_exhausted
from autotuner.search.strategy import LaunchMinutes, SearchState

PATIENCE = 2.0
"""Times as much as the best level left has another launch to add, for this one to end."""
MOST_COUNTED = 24
"""Launches whose best number of levels is found; the rest have a lower upper bound."""


@dataclass(frozen=True)
class PlannedLaunch:
    """The best of some launches: its place, what it adds for each minute, with how many levels."""

    place: int
    rate: float
    levels: int


def best_launch(posterior: SearchPosterior, places: Ints, minutes: LaunchMinutes) -> PlannedLaunch:
    """The launch among `places` that adds most for each minute, with its best levels alone."""
    whole = np.array([_minutes(posterior, posterior.blocks[p], minutes).sum() for p in places])
    places = posterior.finalists(places, minutes.startup + whole)
    blocks = [posterior.blocks[place] for place in places]
    alone = _alone(posterior, blocks)
    each = np.full(alone.shape, np.inf)
    for row, block in enumerate(blocks):
        each[row, : len(block)] = _minutes(posterior, block, minutes)
    order = np.argsort(-alone / each, axis=1, kind="stable")
    took = minutes.startup + np.cumsum(np.take_along_axis(each, order, 1), 1)
    # Together levels add no more than one by one.
    bound = (np.cumsum(np.take_along_axis(alone, order, 1), 1) / took).max(1)
    top = np.argsort(-bound, kind="stable")[:MOST_COUNTED]
    together = _together(posterior, [blocks[one] for one in top], order[top])
    rates = together / took[top][:, : together.shape[1]]
    best, count = np.unravel_index(int(np.argmax(rates)), rates.shape)
    return PlannedLaunch(int(places[top[best]]), float(rates[best, count]), int(count) + 1)


def best_by_levels(state: SearchState) -> ScoredCandidate:
    """As `acquisition.best_candidate`, of launches that measure their best levels alone."""
    posterior = posterior_of(state)
    places = posterior.places(state.untried())
    launch = best_launch(posterior, places, state.level_by_level or LaunchMinutes())
    return posterior.scored(launch.place if launch.rate > 0 else posterior.nearest(places))


def next_level(state: SearchState, running: RunningLaunch) -> NextLevel | EndLaunch:
    """The level left that adds most for each minute; or the end, where another launch adds more.

    A launch measures one level at least. Where no other can follow, it ends when the budget is
    used up, and else goes on to its last level.
    """
    minutes = state.level_by_level or LaunchMinutes()
    with_this = _with(state, running)
    if running.has_begun and (over := _out_of_time(with_this)) is not None:
        return EndLaunch(over)
    posterior = posterior_of(with_this)
    levels = _rows(posterior, running)
    if not levels:
        return NextLevel(running.left[0])
    blocks = [np.array([row]) for row in levels.values()]
    took = np.array([minutes.of_level(running.candidate_id, load) for load in levels])
    rates = _alone(posterior, blocks)[:, 0] / np.maximum(took, _LEAST_MINUTES)
    best = int(np.argmax(rates))
    choice = NextLevel(list(levels)[best])
    others = posterior.places(with_this.untried())
    if not running.has_begun or not len(others) or budget_exhausted(with_this) is not None:
        return choice
    other = best_launch(posterior, others, minutes)
    if PATIENCE * rates[best] >= other.rate:
        return choice
    name = posterior.rows.candidates[other.place]
    return EndLaunch(_reason(posterior, running, float(rates[best]), other, name))


_LEAST_MINUTES = 1e-6


def _with(state: SearchState, running: RunningLaunch) -> SearchState:
    """The search, with what the running launch has measured in its history."""
    return replace(
        state,
        history=(*state.history, running.measured),
        spent_experiments=state.spent_experiments + 1,
    )


def _out_of_time(state: SearchState) -> str | None:
    """That minutes or money are used up; more launches than the budget has are no reason."""
    return budget_exhausted(replace(state, budget=replace(state.budget, experiments=None)))


def _rows(posterior: SearchPosterior, running: RunningLaunch) -> dict[LoadLevel, int]:
    """Rows of the levels left, as far as anything is expected of them."""
    index = posterior.rows.index()
    return {
        load: index[running.candidate_id, load]
        for load in running.left
        if (running.candidate_id, load) in index
    }


def _minutes(posterior: SearchPosterior, block: Ints, minutes: LaunchMinutes) -> Floats:
    """Minutes of each row: `l`."""
    rows = posterior.rows
    candidate = rows.candidates[rows.of[block[0]]]
    found = [minutes.of_level(candidate, rows.levels[row]) for row in block]
    return np.asarray(np.maximum(found, _LEAST_MINUTES), float)


def _alone(posterior: SearchPosterior, blocks: Sequence[Ints]) -> Floats:
    """Expected improvement by each row of each block alone: `c x l`; 0 for padding."""
    widths, shares = zip(*posterior.widths(), strict=True)
    found = np.zeros((len(blocks), max(map(len, blocks))))
    for share, drawn in zip(shares, posterior.draws(blocks, SAMPLES, widths), strict=True):
        found += share * hypervolume_improvements(posterior.front, drawn[..., None, :]).mean(0)
    return found


def _together(posterior: SearchPosterior, blocks: Sequence[Ints], order: Ints) -> Floats:
    """Expected improvement by the first 1, 2, … rows of each block in its order: `c x l`."""
    longest = max(map(len, blocks))
    order = order[None, :, :longest, None]
    widths, shares = zip(*posterior.widths(), strict=True)
    found = np.zeros((len(blocks), longest))
    for share, drawn in zip(shares, posterior.draws(blocks, SAMPLES, widths), strict=True):
        ordered = np.take_along_axis(drawn, order, 2)
        for count in range(longest):
            first = ordered[:, :, : count + 1]
            found[:, count] += share * hypervolume_improvements(posterior.front, first).mean(0)
    return found


def _reason(
    posterior: SearchPosterior, running: RunningLaunch, rate: float, other: PlannedLaunch, name: str
) -> str:
    incumbent = posterior.incumbent()
    left = format_levels(running.left)
    if not incumbent > 0 or math.isinf(incumbent):
        return f"{left}: another launch ({name}) is expected to come nearer for each minute"
    return (
        f"{left}: the best is expected to add {percent(rate / incumbent)} for each minute, another "
        f"launch ({name}) {percent(other.rate / incumbent)}, its start included"
    )
