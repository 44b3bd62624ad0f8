"""Strategies by name."""

from __future__ import annotations

from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.search.auto import AutoStrategy
from autotuner.search.bayesian import BayesianStrategy
from autotuner.search.grid_and_random import GridStrategy, RandomStrategy
from autotuner.search.hybrid import HybridStrategy
from autotuner.search.progressive.strategy import ProgressiveStrategy
from autotuner.search.strategy import Strategy
from autotuner.search.two_stage import TwoStageStrategy

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        GridStrategy(),
        RandomStrategy(),
        TwoStageStrategy(),
        ProgressiveStrategy(),
        BayesianStrategy(),
        HybridStrategy(),
        AutoStrategy(),
    )
}


def strategy_named(name: str) -> Strategy:
    """The strategy of that name.

    Raises:
        AutotunerError: no such strategy; names the nearest.
    """
    if name not in STRATEGIES:
        raise AutotunerError(
            f"optimization.strategy: {name!r} is unknown; {nearest(name, list(STRATEGIES))}"
        )
    return STRATEGIES[name]
