"""The predecessor's tables: its tasks, experiments and presets, read and written as it did.

In: v1's values. Out: immutable records with v1's names and units. Knows nothing of v2's tasks, but
for the link from a v2 task to the v1 task that it runs.
"""

from autotuner.store.v1.experiments import V1Experiments, V1Statistics
from autotuner.store.v1.presets import V1Presets
from autotuner.store.v1.projection import MirroredRun, Projection, Shown, V1Outcome, project
from autotuner.store.v1.records import (
    EXTRAS,
    LOG_BEGINS,
    OWN,
    V1ExperimentRecord,
    V1PresetRecord,
    V1TaskRecord,
)
from autotuner.store.v1.tasks import FINISHED, PENDING, RUNNING, STOPPING, V1Tasks, V1Transitions

__all__ = [
    "EXTRAS",
    "FINISHED",
    "LOG_BEGINS",
    "OWN",
    "PENDING",
    "RUNNING",
    "STOPPING",
    "MirroredRun",
    "Projection",
    "Shown",
    "V1ExperimentRecord",
    "V1Experiments",
    "V1Outcome",
    "V1PresetRecord",
    "V1Presets",
    "V1Statistics",
    "V1TaskRecord",
    "V1Tasks",
    "V1Transitions",
    "project",
]
