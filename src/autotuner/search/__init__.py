"""The next launch, the frontier and the recommended point: pure functions.

In: candidates, history, objectives, budget, seed. Out: a `Proposal` with its reason, or `Stop`.
No clock, no I/O, no hidden state, so resuming is replaying.
"""

from autotuner.config.extensions import STRATEGIES
from autotuner.search.frontier import dominates, hypervolume, pareto_front, reference_point
from autotuner.search.load_choice import (
    ChoosesLevels,
    EndLaunch,
    NextLevel,
    RunningLaunch,
    next_level,
)
from autotuner.search.points import (
    COST,
    OBJECTIVES,
    Objective,
    OperatingPoint,
    fastest_first,
    has,
    objective_vector,
    quantity,
)
from autotuner.search.predictions import Predicted, as_point, is_usable, predicted
from autotuner.search.progressive.trends import Trend, Trends, learn_trends
from autotuner.search.registry import strategy_named
from autotuner.search.slo import recommend
from autotuner.search.steps import Step, steps
from autotuner.search.stopping import budget_exhausted, stop_reason, too_little, why_cut
from autotuner.search.strategy import (
    Budget,
    Circumstances,
    Describes,
    Knowledge,
    LaunchMinutes,
    Outcome,
    Proposal,
    SearchState,
    Stop,
    Strategy,
    description,
    uses_knowledge,
)

__all__ = [
    "COST",
    "OBJECTIVES",
    "STRATEGIES",
    "Budget",
    "ChoosesLevels",
    "Circumstances",
    "Describes",
    "EndLaunch",
    "Knowledge",
    "LaunchMinutes",
    "NextLevel",
    "Objective",
    "OperatingPoint",
    "Outcome",
    "Predicted",
    "Proposal",
    "RunningLaunch",
    "SearchState",
    "Step",
    "Stop",
    "Strategy",
    "Trend",
    "Trends",
    "as_point",
    "budget_exhausted",
    "description",
    "dominates",
    "fastest_first",
    "has",
    "hypervolume",
    "is_usable",
    "learn_trends",
    "next_level",
    "objective_vector",
    "pareto_front",
    "predicted",
    "quantity",
    "recommend",
    "reference_point",
    "steps",
    "stop_reason",
    "strategy_named",
    "too_little",
    "uses_knowledge",
    "why_cut",
]
