"""Certainty: how sure it is that one configuration is better than another.

In: figures of launches. Out: ratios with intervals and probabilities. Pure; knows nothing of
engines and tasks.
"""

from autotuner.certainty.decision import SETTLED, Settled, settled
from autotuner.certainty.membership import UncertainPoint, membership
from autotuner.certainty.posterior import LAUNCH_MEDIAN, LaunchFigure, LaunchPosterior, Ratio

__all__ = [
    "LAUNCH_MEDIAN",
    "SETTLED",
    "LaunchFigure",
    "LaunchPosterior",
    "Ratio",
    "Settled",
    "UncertainPoint",
    "membership",
    "settled",
]
