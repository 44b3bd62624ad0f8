"""The hybrid strategy: a calibrated predictor, and the gain of a whole sweep.

`rows` makes arrays of what is known; `residuals` learns what the predictor gets wrong, `fits` where
the memory wall stands; `gains` says what a launch is expected to add; `strategy` chooses by it.
"""

from autotuner.search.hybrid.strategy import HybridStrategy

__all__ = ["HybridStrategy"]
