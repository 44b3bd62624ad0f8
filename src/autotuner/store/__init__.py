"""Facts kept: runs, experiments, measurements, predictions, observations; SQLite, SQLAlchemy.

In: records as they happen, each committed at once. Out: immutable records. Knows nothing of HTTP.
"""

from autotuner.store.lock import home_in_use, home_lock
from autotuner.store.records import EventRecord, ExperimentRecord, ObservationRecord, RunRecord
from autotuner.store.store import Store

__all__ = [
    "EventRecord",
    "ExperimentRecord",
    "ObservationRecord",
    "RunRecord",
    "Store",
    "home_in_use",
    "home_lock",
]
