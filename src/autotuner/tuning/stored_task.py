"""A stored task, resolved once more on this machine."""

from __future__ import annotations

from pathlib import Path

from autotuner.config import parse_stored_task
from autotuner.errors import AutotunerError, StoreError
from autotuner.profiles import ProfileRegistry
from autotuner.space import MAX_COMBINATIONS
from autotuner.store import Store, TaskRecord
from autotuner.tuning.estimate import PlanEstimate, estimate_plan
from autotuner.tuning.forecast import forecast_of
from autotuner.tuning.history import as_begun
from autotuner.tuning.performance import performance_of
from autotuner.tuning.performance_views import PerformanceView
from autotuner.tuning.prepare import Prepared, prepare
from autotuner.tuning.replay import as_asked
from autotuner.tuning.resources import with_gpus_of_home

MOST_OF_REPORTS = 50_000
"""Most combinations of the axes of a task that is resolved for its report: a second or two."""


def prepared_again(
    record: TaskRecord,
    home: Path,
    registry: ProfileRegistry,
    *,
    most: int = MAX_COMBINATIONS,
) -> Prepared:
    """The task as it was prepared before it ran, at the load levels that it began with.

    Args:
        home: what relative paths count from where the task came without a folder.
        most: combinations of its axes that are not too many.

    Raises:
        AutotunerError: something of it is gone, or it is not what this version understands.
    """
    source = f"task {record.id}"
    task = with_gpus_of_home(parse_stored_task(record.config, source=source), home)
    base = Path(record.base) if record.base else home
    prepared = prepare(as_asked(task), base=base, source=source, registry=registry, most=most)
    return as_begun(prepared, record.plan)


def estimate_again(prepared: Prepared, home: Path, store: Store) -> PlanEstimate:
    """Prediction of every candidate of a stored task, by all that is known now."""
    asked = forecast_of(prepared, home, measure=False)
    return estimate_plan(prepared, asked, asked.remembered(store))


def performance_again(
    record: TaskRecord, home: Path, registry: ProfileRegistry, store: Store
) -> PerformanceView | None:
    """Where the time of a stored task's recommended point goes; None where that is
    unknown, or the task cannot be resolved any more."""
    try:
        prepared = prepared_again(record, home, registry, most=MOST_OF_REPORTS)
        return performance_of(prepared, home, store, record, measure=False).of_recommended()
    except StoreError:
        raise
    except AutotunerError:
        return None
