"""NSGA-II (Deb et al., 2002), Optuna's, with predictions and measurements as its population.

An operating point is an individual: the settings that differ and the load level are its genes,
limits and failures its constraints. A dozen launches make no generation, so the candidates
that are predicted to be best stand among them as they are predicted, until they are launched. What
a child asks for is launched, or the untried candidate most like it.

Every search that can be replayed, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from autotuner.config import LoadLevel
from autotuner.evaluate.baseline_gaussian import gaussian_order
from autotuner.evaluate.baseline_orders import (
    Ordered,
    greedy_prediction,
    oracle,
    predicted_frontier,
)
from autotuner.landscapes import Landscape
from autotuner.search import (
    STRATEGIES,
    OperatingPoint,
    SearchState,
    Strategy,
    objective_vector,
    strategy_named,
)
from autotuner.search.axes import axes_of, gower_distance
from autotuner.search.predictions import predicted
from autotuner.search.two_stage import ranking

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


POPULATION = 16
"""Individuals that have children, and predicted candidates among which they are."""
_CHILDREN = 20
_LEVEL = "load level"


def nsga2_order(state: SearchState) -> Iterator[str]:
    """Untried candidates as children of the best ask for them."""
    import optuna  # heavy, and only this baseline needs it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    axes = axes_of(state.settings)
    values = {axis.path: axis.values for axis in axes} | {_LEVEL: state.levels}
    distributions: dict[str, BaseDistribution] = {
        name: optuna.distributions.CategoricalDistribution(range(len(choices)))
        for name, choices in values.items()
    }
    every = _individuals(state)
    points = [point for _, _, point in every if point is not None]
    if not points:
        return
    vectors = [objective_vector(point, state.objectives) for point in points]
    worst = [min(column) for column in zip(*vectors, strict=True)]
    sampler = optuna.samplers.NSGAIISampler(
        seed=(state.seed + len(state.history)) % 2**32,
        population_size=max(2, min(POPULATION, len(every))),
    )
    study = optuna.create_study(directions=["maximize"] * len(state.objectives), sampler=sampler)
    for key, level, point in every:
        settings = {**state.settings[key], _LEVEL: level}
        vector = worst if point is None else objective_vector(point, state.objectives)
        study.add_trial(
            optuna.trial.create_trial(
                params={name: seen.index(settings.get(name)) for name, seen in values.items()},
                distributions=distributions,
                values=list(vector),
                constraints=_violations(point, state.slo),
                # All are of the generation before the one that is asked for.
                system_attrs={"NSGAIISampler:generation": 0},
            )
        )
    untried = state.untried()
    for _ in range(_CHILDREN):
        child = study.ask(distributions).params
        wish = {axis.path: axis.values[child[axis.path]] for axis in axes}
        yield min(untried, key=lambda key: gower_distance(state.settings[key], wish, axes))


def _individuals(state: SearchState) -> list[tuple[str, LoadLevel, OperatingPoint | None]]:
    """Candidate, load level and what is measured or else predicted there; None is a failure."""
    untried = set(state.untried())
    sweeps = {key: sweep for key, sweep in predicted(state).points.items() if key in untried}
    best = islice(ranking(sweeps, state.objectives, state.slo), POPULATION)
    points = [
        *(point for choice in best for point in sweeps[choice.candidate_id]),
        *(point for outcome in state.history for point in outcome.points),
    ]
    return [
        *((p.candidate_id, p.load, p) for p in points if p.load in state.levels),
        *((o.candidate_id, level, None) for o in state.history for level in o.failed_levels),
    ]


def _violations(point: OperatingPoint | None, slo: Mapping[str, float]) -> dict[str, Any]:
    if point is None:
        return {"failed": 1.0, **dict.fromkeys(slo, 1.0)}
    return {"failed": 0.0, **{name: getattr(point, name) / slo[name] - 1 for name in slo}}


BASELINES: dict[str, Callable[[Landscape], Strategy]] = {
    "predicted": lambda _: Ordered("predicted", predicted_frontier),
    "greedy": lambda _: Ordered("greedy", greedy_prediction),
    "nsga2": lambda _: Ordered("nsga2", nsga2_order),
    "gp": lambda _: Ordered("gp", gaussian_order),
    "oracle": lambda landscape: Ordered("oracle", oracle(landscape)),
}


def contenders() -> tuple[str, ...]:
    """The names of our strategies and of the baselines."""
    return (*STRATEGIES, *BASELINES)


def contender(name: str, landscape: Landscape) -> Strategy:
    """The strategy or baseline of that name, to be replayed on the landscape.

    Raises:
        KeyError: no such one.
    """
    return BASELINES[name](landscape) if name in BASELINES else strategy_named(name)
