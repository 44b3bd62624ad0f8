"""Every search that can be replayed, by name."""

from __future__ import annotations

from collections.abc import Callable

from autotuner.evaluate.baselines.gaussian import gaussian_order
from autotuner.evaluate.baselines.greedy import greedy_prediction
from autotuner.evaluate.baselines.nsga2 import nsga2_order
from autotuner.evaluate.baselines.oracle import oracle
from autotuner.evaluate.baselines.ordered import Ordered
from autotuner.evaluate.baselines.predicted import predicted_frontier
from autotuner.landscapes import Landscape
from autotuner.search import STRATEGIES, Strategy

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
    return BASELINES[name](landscape) if name in BASELINES else STRATEGIES[name]
