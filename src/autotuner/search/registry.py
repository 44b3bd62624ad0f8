"""Strategies by name."""

from __future__ import annotations

from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.search.auto import AutoStrategy
from autotuner.search.bayesian import BayesianStrategy
from autotuner.search.grid import GridStrategy
from autotuner.search.hybrid import HybridStrategy
from autotuner.search.progressive import ProgressiveStrategy
from autotuner.search.shuffled import RandomStrategy
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
