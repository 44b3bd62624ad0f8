"""Optuna's samplers as searches: TPE (Ozaki et al., 2022) and NSGA-II (Deb et al., 2002).

An operating point is a trial: the settings that differ and the load level are its parameters, the
objectives its values, limits and failures its constraints. A sampler is told every measured point
and every prediction of what is not launched yet, so it knows as much as ours do. What it
suggests is launched, or the untried candidate nearest to it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotuner.evaluate.baselines.ordered import expected_points
from autotuner.search import SearchState, objective_vector

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

_ASKED = 20
"""Suggestions that may lead to nothing new before the rest is left to chance."""
_LEVEL = "concurrency"


def optuna_order(
    sampler_of: Callable[[int, Sequence[FrozenTrial]], BaseSampler], state: SearchState
) -> Iterator[str]:
    """Untried candidates as the sampler suggests them."""
    optuna = _optuna()
    if MODE == "start" and len(state.history) < 2:
        from autotuner.evaluate.baselines.predicted import predicted_frontier

        yield from predicted_frontier(state)
        return
    grid = Grid.of(state)
    told = trials(state, grid)
    study = optuna.create_study(
        directions=["maximize"] * len(state.objectives),
        sampler=sampler_of(state.seed + len(state.history), told),
    )
    study.add_trials(told)
    for _ in range(_ASKED):
        suggested = study.ask(grid.distributions)
        yield grid.nearest(suggested.params, state.untried())


@dataclass(frozen=True)
class Grid:
    """Settings that differ, as places on axes: numbers in their order, words without one."""

    axes: Mapping[str, tuple[Any, ...]]
    places: Mapping[str, Mapping[str, int]]
    levels: tuple[int, ...]

    @classmethod
    def of(cls, state: SearchState) -> Grid:
        names = dict.fromkeys(name for one in state.settings.values() for name in one)
        axes = {}
        for name in names:
            values = {one.get(name) for one in state.settings.values()}
            if len(values) > 1:
                axes[name] = tuple(
                    sorted(
                        values,
                        key=lambda v: (
                            isinstance(v, str),
                            v is None,
                            v if isinstance(v, (int, float, str)) else str(v),
                        ),
                    )
                )
        places = {
            key: {name: axis.index(state.settings[key].get(name)) for name, axis in axes.items()}
            for key in state.candidates
        }
        return cls(axes, places, state.levels)

    @property
    def distributions(self) -> dict[str, Any]:
        optuna = _optuna()
        d = optuna.distributions
        found: dict[str, Any] = {}
        for name, axis in (*self.axes.items(), (_LEVEL, self.levels)):
            words = any(not isinstance(v, (int, float)) for v in axis)
            found[name] = (
                d.CategoricalDistribution(range(len(axis)))
                if words
                else d.IntDistribution(0, len(axis) - 1)
            )
        return found

    def nearest(self, params: Mapping[str, int], untried: Sequence[str]) -> str:
        def distance(key: str) -> float:
            total = 0.0
            for name, axis in self.axes.items():
                gap = abs(self.places[key][name] - params[name])
                words = any(not isinstance(v, (int, float)) for v in axis)
                total += float(gap > 0) if words else gap / (len(axis) - 1)
            return total

        return min(untried, key=distance)


def trials(state: SearchState, grid: Grid) -> list[FrozenTrial]:
    optuna = _optuna()
    distributions = grid.distributions
    found = []
    worst: list[float] | None = None
    untried = set(state.untried())
    measured = [(o.candidate_id, p.concurrency, p) for o in state.history for p in o.points]
    failed = [(o.candidate_id, level, None) for o in state.history for level in o.failed_levels]
    predicted = [
        (k, p.concurrency, p)
        for k, ps in expected_points(state).items()
        if k in untried
        for p in ps
    ]
    if MODE != "warm":
        predicted = []
    every = [objective_vector(p, state.objectives) for _, _, p in (*measured, *predicted) if p]
    if not every:
        return []
    worst = [min(c) for c in zip(*every)]
    for key, level, point in (*predicted, *measured, *failed):
        if level not in grid.levels:
            continue
        excess = {
            name: (getattr(point, name) / limit - 1 if point else 1.0)
            for name, limit in state.slo.items()
        }
        found.append(
            optuna.trial.create_trial(
                params={**grid.places[key], _LEVEL: grid.levels.index(level)},
                distributions=distributions,
                values=list(objective_vector(point, state.objectives)) if point else worst,
                constraints={"failed": 0.0 if point else 1.0, **excess},
                system_attrs={"NSGAIISampler:generation": 0},
            )
        )
    return found


MODE = "warm"


def _optuna() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna
