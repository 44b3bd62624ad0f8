"""Recorded landscapes: tables of what every launch of a task would measure.

In: a CSV file, one row a launch and load level, with the truth and what a predictor said of it.
Out: what a search may know of it before it begins, what it measures when it launches a row, and
its launches as candidates of a space.
"""

from autotuner.landscapes.knowledge import RecordedPredictor, knowledge, observations, predictions
from autotuner.landscapes.landscape import (
    Landscape,
    PointMetrics,
    RecordedLaunch,
    RecordedLevel,
    same_model,
)
from autotuner.landscapes.matching import Matched, match
from autotuner.landscapes.reading import parsed_landscape, read_landscape
from autotuner.landscapes.replay import (
    REPLAYED,
    RecordedRegion,
    Replay,
    ReplaySpec,
    measured,
    true_outcome,
    unserved,
    with_noise,
)
from autotuner.landscapes.table_file import read_table_file
from autotuner.landscapes.writing import landscape_csv

__all__ = [
    "REPLAYED",
    "Landscape",
    "Matched",
    "PointMetrics",
    "RecordedLaunch",
    "RecordedLevel",
    "RecordedPredictor",
    "RecordedRegion",
    "Replay",
    "ReplaySpec",
    "knowledge",
    "landscape_csv",
    "match",
    "measured",
    "observations",
    "parsed_landscape",
    "predictions",
    "read_landscape",
    "read_table_file",
    "same_model",
    "true_outcome",
    "unserved",
    "with_noise",
]
