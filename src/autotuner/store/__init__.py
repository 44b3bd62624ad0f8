"""Facts kept: tasks, experiments, measurements, predictions, observations; SQLite or
PostgreSQL.

In: records as they happen, each committed at once. Out: immutable records. Knows nothing of HTTP.
"""

from autotuner.store.lock import LOCKS, device_locks, machine_locks
from autotuner.store.observations import About
from autotuner.store.records import (
    EventRecord,
    ExperimentRecord,
    ObservationRecord,
    RelaunchRecord,
    Standing,
    TaskRecord,
)
from autotuner.store.store import Store
from autotuner.store.tasks import Lease, Tasks

__all__ = [
    "LOCKS",
    "About",
    "EventRecord",
    "ExperimentRecord",
    "Lease",
    "ObservationRecord",
    "RelaunchRecord",
    "Standing",
    "Store",
    "TaskRecord",
    "Tasks",
    "device_locks",
    "machine_locks",
]
