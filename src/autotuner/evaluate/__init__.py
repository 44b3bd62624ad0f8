"""How fast and how right predictions are, and how good searches: what `autotuner bench` prints.

In: predictors and measured rows, strategies and recorded landscapes. Out: ratios, errors and shares
of the true frontier. Knows nothing of HTTP and terminals.
"""

from autotuner.evaluate.speed import SpeedReport, measure_speed

__all__ = ["SpeedReport", "measure_speed"]
