"""The hybrid strategy: a calibrated predictor, and the expected gain of a whole sweep.

`rows` makes arrays of what is known; `residuals` learns what the predictor gets wrong, `transfer`
what earlier tasks teach of it, `feasibility` what fits; `quantities` turns rows into what a search
compares; `acquisition` says what a launch is expected to add; `strategy` chooses by it.
"""

from autotuner.search.hybrid.strategy import HybridStrategy

__all__ = ["HybridStrategy"]
