"""How far predictions are from measurements, and other tools' files in our terms.

In: files of predictions and measurements (ours, aiconfigurator's, genai-bench's, CSV), or pairs of
points. Out: a `Comparison`; tasks in aiconfigurator's words and back. Knows nothing of HTTP.
"""

from autotuner.verify.analysis import (
    DEFAULT_WITHIN,
    METRICS,
    Errors,
    Metric,
    Miss,
    PredictedChoice,
    misses_of,
)
from autotuner.verify.compare import Comparison, Side, compare_files, compare_pairs, compare_task
from autotuner.verify.matching import Pair, match, pair_of
from autotuner.verify.points import Excluded, Point, PointFile
from autotuner.verify.readers import FORMATS, detect_format, read_points
from autotuner.verify.requirements import ErrorLimit, Verdict, judge, parse_requirements

__all__ = [
    "DEFAULT_WITHIN",
    "FORMATS",
    "METRICS",
    "Comparison",
    "ErrorLimit",
    "Errors",
    "Excluded",
    "Metric",
    "Miss",
    "Pair",
    "Point",
    "PointFile",
    "PredictedChoice",
    "Side",
    "Verdict",
    "compare_files",
    "compare_pairs",
    "compare_task",
    "detect_format",
    "judge",
    "match",
    "misses_of",
    "pair_of",
    "parse_requirements",
    "read_points",
]
