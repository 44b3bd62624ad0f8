"""Load on a live endpoint, and what it shows.

In: an `Endpoint` and a `LevelPlan`. Out: a `Measurement`. Knows nothing of search.
"""

from autotuner.measure.arrival import ArrivalProcess
from autotuner.measure.generator import StreamingLoadGenerator
from autotuner.measure.protocol import (
    Endpoint,
    LevelPlan,
    LoadContext,
    LoadGenerator,
    load_generator_named,
)
from autotuner.measure.results import Distribution, Measurement
from autotuner.measure.stopping import StoppingRule

__all__ = [
    "ArrivalProcess",
    "Distribution",
    "Endpoint",
    "LevelPlan",
    "LoadContext",
    "LoadGenerator",
    "Measurement",
    "StoppingRule",
    "StreamingLoadGenerator",
    "load_generator_named",
]
