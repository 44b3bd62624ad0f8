"""What is known of a task's candidates before the first launch, gathered for its strategy.

Gathered once, and the same again when a run goes on after an interruption: predictions depend on
the task alone, and of what other tasks have measured only what was there when the run began counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotuner.config import Candidate
from autotuner.predict import Observation
from autotuner.search import Circumstances, Knowledge
from autotuner.search.grid_and_random import spread
from autotuner.tuning.forecast import Expected, Forecast
from autotuner.tuning.prepare import Prepared

MOST_PREDICTED = 5_000
"""Candidates that are predicted, spread over a space that has more: what a search can think over
within a second."""
ASKED_AT_ONCE = 500
"""Candidates between two calls of `tell`."""


def foreknowledge(
    prepared: Prepared,
    forecast: Forecast,
    observations: Sequence[Observation],
    *,
    most: int = MOST_PREDICTED,
    tell: Callable[[int, int], None] = lambda asked, wanted: None,
) -> Knowledge:
    """What `forecast` says of the candidates, and what of `observations` belongs to it.

    Never raises for what a predictor does: the forecast keeps that as a warning.

    Args:
        observations: what other runs measured.
        most: candidates that are predicted.
        tell: called with how many candidates are asked for, of how many.
    """
    candidates = prepared.space.candidates
    asked = [candidates[place] for place in spread(len(candidates), most)]
    expected: dict[str, Expected] = {}
    for begin in range(0, len(asked), ASKED_AT_ONCE):
        some = asked[begin : begin + ASKED_AT_ONCE]
        expected |= forecast.expected([candidate.id for candidate in some])
        tell(len(expected), len(asked))
    unasked = f"a sample of {len(asked):,} of {len(candidates):,} candidates is predicted"
    refused = {key: said.refused for key, said in expected.items() if said.refused is not None}
    return Knowledge(
        predictions={key: said.base for key, said in expected.items() if said.base},
        out_of_memory={
            key: said.out_of_memory.why
            for key, said in expected.items()
            if said.out_of_memory is not None
        },
        refused=refused | {c.id: unasked for c in candidates if c.id not in expected},
        circumstances={c.id: told for c in candidates if (told := _circumstances(forecast, c))},
        earlier=forecast.relevant(observations),
    )


def _circumstances(forecast: Forecast, candidate: Candidate) -> Circumstances | None:
    scenario = forecast.scenario(candidate.id)
    if scenario is None:
        return None
    return Circumstances(
        model=scenario.model,
        family=scenario.facts.architecture,
        engine=scenario.engine,
        device=scenario.device,
        isl=scenario.isl,
        osl=scenario.osl,
        gpus=scenario.devices(candidate),
    )
