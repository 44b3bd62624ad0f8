"""How fast and how right predictions are: what `autotuner bench` prints.

In: predictors, measured rows. Out: ratios and errors. Knows nothing of HTTP and terminals.
"""

from autotuner.evaluate.speed import SpeedReport, measure_speed

__all__ = ["SpeedReport", "measure_speed"]
