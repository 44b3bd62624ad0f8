"""Facts kept: runs, experiments, measurements, predictions, observations; SQLite or
PostgreSQL.

In: records as they happen, each committed at once. Out: immutable records. Knows nothing of HTTP.
"""

from autotuner.store.kept_observations import About
from autotuner.store.lock import LOCKS, device_locks, machine_locks
from autotuner.store.queue import Lease, Queue
from autotuner.store.records import (
    EventRecord,
    ExperimentRecord,
    ObservationRecord,
    RunRecord,
    Standing,
    TaskRecord,
)
from autotuner.store.store import Store

__all__ = [
    "LOCKS",
    "About",
    "EventRecord",
    "ExperimentRecord",
    "Lease",
    "ObservationRecord",
    "Queue",
    "RunRecord",
    "Standing",
    "Store",
    "TaskRecord",
    "device_locks",
    "machine_locks",
]
