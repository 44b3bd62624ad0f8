"""Load on a live endpoint, and what it shows.

In: an `Endpoint` and a `LevelPlan`. Out: a `Measurement`. Knows nothing of search.
"""

from autotuner.measure.generator import StreamingLoadGenerator
from autotuner.measure.protocol import Endpoint, LevelPlan, LoadGenerator
from autotuner.measure.results import Distribution, Measurement

__all__ = [
    "Distribution",
    "Endpoint",
    "LevelPlan",
    "LoadGenerator",
    "Measurement",
    "StreamingLoadGenerator",
]
