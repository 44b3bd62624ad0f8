"""Strategies by name."""

from __future__ import annotations

from autotuner.config import nearest
from autotuner.errors import AutotunerError
from autotuner.search.grid import GridStrategy
from autotuner.search.shuffled import RandomStrategy
from autotuner.search.strategy import Strategy

STRATEGIES: dict[str, Strategy] = {s.name: s for s in (GridStrategy(), RandomStrategy())}


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
