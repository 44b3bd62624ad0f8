"""Bayesian: Optuna's tree-structured Parzen estimator over the axes of the space.

TPE (Bergstra et al., 2011; with several objectives Ozaki et al., 2022) models which settings the
better measured points have and which the others, and asks for what is likely among the former. The
load level is one more axis, so every measured level teaches. A failed level, and a limit of the SLO
that is missed, is a violated constraint. It needs no predictor and knows nothing of engines.

The sampler asks for any combination of values; where that is no candidate, or a tried one, it is
asked again, and in the end the nearest untried candidate is taken. The history is replayed into a
study in memory at each call, so equal states get equal answers.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autotuner.config import LoadLevel
from autotuner.errors import AutotunerError
from autotuner.search.axes import Axis, Settings, axes_of, describe_settings, gower_distance
from autotuner.search.points import OBJECTIVES, quantity
from autotuner.search.predictions import infeasible
from autotuner.search.stopping import stop_reason
from autotuner.search.strategy import Proposal, SearchState, Stop

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_LEVEL = "load level"
_STARTS = 4
"""Launches that are drawn at random before the model is asked."""
_ASKS = 8
"""How often the sampler is asked for a candidate that is not tried."""
_SEEDS = 2**32


class BayesianStrategy:
    """`strategy: bayesian`."""

    name = "bayesian"

    def __init__(self) -> None:
        """Refuses to be made without Optuna, which it imports when it proposes.

        Raises:
            AutotunerError: Optuna is not installed.
        """
        if importlib.util.find_spec("optuna") is None:
            raise AutotunerError(
                "optimization.strategy: bayesian needs Optuna, which is not installed",
                remedy="pip install 'inference-autotuner[bayesian]', or take another strategy",
            )

    def describe(self, state: SearchState) -> str:
        """The first launches, and what decides then."""
        return (
            f"{_STARTS} launches drawn with seed {state.seed}, then what Optuna's TPE sampler asks "
            "for, taught by every measured load level"
        )

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The first untried candidate that the sampler asks for, else the nearest to its ask.

        Candidates that are predicted not to fit into memory come last.
        """
        stop = stop_reason(state)
        if stop is not None:
            return Stop(stop)
        settings = {c: state.settings.get(c, {}) for c in state.candidates}
        state, axes = replace(state, settings=settings), axes_of(settings)
        excluded = infeasible(state)
        untried = [c for c in state.untried() if c not in excluded] or list(state.untried())
        by_place = {_place(settings[c], axes): c for c in reversed(untried)}
        wishes = _wishes(state, axes)
        phase = "start" if state.launched < _STARTS else "sampling"
        met = next((wish for wish in wishes if wish in by_place), None)
        if met is not None:
            return Proposal(by_place[met], _reason(state, _settings(met, axes)), phase)
        wish = _settings(wishes[0], axes)
        nearest = min(untried, key=lambda c: gower_distance(settings[c], wish, axes))
        reason = f"{_reason(state, wish)}; this is the nearest that is not launched"
        return Proposal(nearest, reason, phase)


Indices = tuple[int, ...]
"""For each axis the index of a value."""


def _place(settings: Settings, axes: Sequence[Axis]) -> Indices:
    return tuple(axis.values.index(settings.get(axis.path)) for axis in axes)


def _settings(place: Indices, axes: Sequence[Axis]) -> dict[str, object]:
    return {axis.path: axis.values[index] for axis, index in zip(axes, place, strict=True)}


def _reason(state: SearchState, wish: Settings) -> str:
    taught = sum(bool(outcome.points) for outcome in state.history)
    sampler = "a random draw" if state.launched < _STARTS else f"TPE, taught by {taught} launches,"
    return f"{sampler} asks for {describe_settings(wish) or 'any'} (seed {state.seed})"


def _wishes(state: SearchState, axes: Sequence[Axis]) -> list[Indices]:
    """Candidates that the sampler asks for, one after the other."""
    import optuna  # heavy, and only this strategy needs it

    levels = _levels(state)
    sampler = optuna.samplers.TPESampler(
        seed=(state.seed + state.launched) % _SEEDS, n_startup_trials=_STARTS * len(levels)
    )
    up, down = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE
    goals = [up if OBJECTIVES[name].maximise else down for name in state.objectives]
    distributions: dict[str, BaseDistribution] = {
        axis.path: optuna.distributions.IntDistribution(0, len(axis.values) - 1)
        if axis.numeric
        else optuna.distributions.CategoricalDistribution(range(len(axis.values)))
        for axis in axes
    }
    distributions[_LEVEL] = optuna.distributions.IntDistribution(0, len(levels) - 1)
    with _quiet():
        study = optuna.create_study(directions=goals, sampler=sampler)
        study.add_trials(_trials(state, axes, distributions))
        asked = [study.ask(distributions).params for _ in range(_ASKS)]
    return [tuple(params[axis.path] for axis in axes) for params in asked]


def _trials(
    state: SearchState, axes: Sequence[Axis], distributions: dict[str, BaseDistribution]
) -> Iterator[FrozenTrial]:
    """The history: a trial for each load level that was measured, failed or is under way."""
    from optuna.trial import TrialState, create_trial

    levels = _levels(state)

    def trial(candidate: str, level: LoadLevel, **outcome: Any) -> FrozenTrial:
        place = _place(state.settings[candidate], axes)
        params = {axis.path: index for axis, index in zip(axes, place, strict=True)}
        params[_LEVEL] = levels.index(level)
        return create_trial(params=params, distributions=distributions, **outcome)

    met = dict.fromkeys(("failed", *state.slo), 0.0)
    missed = dict.fromkeys(met, 1.0)
    worst = _worst(state)
    for outcome in state.history:
        if outcome.candidate_id not in state.settings or outcome.is_not_its_own:
            continue
        for point in outcome.points:
            excess = {name: getattr(point, name) / limit - 1 for name, limit in state.slo.items()}
            values = [quantity(point, name) for name in state.objectives]
            yield trial(point.candidate_id, point.load, values=values, constraints=met | excess)
        for level in outcome.failed_levels if outcome.points else levels:
            yield trial(outcome.candidate_id, level, values=worst, constraints=missed)
    for candidate in state.in_flight:
        for level in levels:
            yield trial(candidate, level, state=TrialState.RUNNING)


def _levels(state: SearchState) -> list[LoadLevel]:
    """Every load level that was or will be tried, rising."""
    points = (point for outcome in state.history for point in outcome.points)
    failed = (level for outcome in state.history for level in outcome.failed_levels)
    return sorted({*state.levels, *(point.load for point in points), *failed}) or [
        LoadLevel.concurrency(1)
    ]


def _worst(state: SearchState) -> list[float]:
    """The worst that was measured of each objective, for what was not measured at all."""
    points = [point for outcome in state.history for point in outcome.points]
    ends = [min if OBJECTIVES[name].maximise else max for name in state.objectives]
    return [
        end((quantity(point, name) for point in points), default=0.0)
        for end, name in zip(ends, state.objectives, strict=True)
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna tells of every study; its verbosity is the process's, and left as it was."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
