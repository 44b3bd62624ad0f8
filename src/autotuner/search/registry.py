"""Strategies by name; `config.extensions.STRATEGIES` lists them, packages' own among them."""

from __future__ import annotations

from autotuner.config import nearest
from autotuner.config.extensions import STRATEGIES
from autotuner.errors import AutotunerError
from autotuner.search.strategy import Strategy


def strategy_named(name: str) -> Strategy:
    """The strategy of that name.

    Raises:
        AutotunerError: no such strategy, which names the nearest; or one that needs a package that
            is not installed.
    """
    if name not in STRATEGIES:
        raise AutotunerError(
            f"optimization.strategy: {name!r} is unknown; {nearest(name, list(STRATEGIES))}"
        )
    strategy: Strategy = STRATEGIES.load(name)()
    return strategy
