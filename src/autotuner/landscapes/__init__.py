"""Recorded landscapes: tables of what every launch of a task would measure.

In: a CSV file, one row a launch and load level, with the truth and what a predictor said of it.
Out: what a search may know of it before it begins, and what it measures when it launches a row.
"""

from autotuner.landscapes.knowledge import knowledge, observations, predictions
from autotuner.landscapes.landscape import Figures, Landscape, RecordedLaunch, RecordedLevel
from autotuner.landscapes.names import same_model
from autotuner.landscapes.reading import read_landscape
from autotuner.landscapes.replayed import measured, true_outcome

__all__ = [
    "Figures",
    "Landscape",
    "RecordedLaunch",
    "RecordedLevel",
    "knowledge",
    "measured",
    "observations",
    "predictions",
    "read_landscape",
    "same_model",
    "true_outcome",
]
