"""What to launch next, and which points are worth having: pure functions.

In: candidates, history, objectives, budget, seed. Out: a `Proposal` with its reason, or `Stop`.
No clock, no I/O, no hidden state, so resuming is replaying.
"""

from autotuner.search.hypervolume import hypervolume, reference_point
from autotuner.search.knowledge import Circumstances, Knowledge
from autotuner.search.pareto import dominates, pareto_front
from autotuner.search.points import OBJECTIVES, Objective, OperatingPoint, objective_vector
from autotuner.search.recommend import recommend
from autotuner.search.registry import STRATEGIES, strategy_named
from autotuner.search.stopping import budget_exhausted, stop_reason, too_little
from autotuner.search.strategy import (
    Budget,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    Strategy,
)

__all__ = [
    "OBJECTIVES",
    "STRATEGIES",
    "Budget",
    "Circumstances",
    "Knowledge",
    "Objective",
    "OperatingPoint",
    "Outcome",
    "Proposal",
    "SearchState",
    "Stop",
    "Strategy",
    "budget_exhausted",
    "dominates",
    "hypervolume",
    "objective_vector",
    "pareto_front",
    "recommend",
    "reference_point",
    "stop_reason",
    "strategy_named",
    "too_little",
]
