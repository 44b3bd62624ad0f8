"""The run that a task goes on with decides the load levels that the task leaves out."""

from __future__ import annotations

from dataclasses import replace

from autotuner.store import Store
from autotuner.tuning.prepare import Prepared

LEVELS_BEFORE = (1, 4, 8)
"""Load levels of tasks that left them out, before they followed the task."""


def going_on(prepared: Prepared, store: Store | None) -> Prepared:
    """`prepared` at the load levels of its newest run, where the task gives none and has a run.

    A run of before is found by the levels that were the default then.
    """
    if store is None or not prepared.levels_why:
        return prepared
    run = store.tasks.newest(prepared.content_id)
    if run is not None:
        return prepared.going_on(run.plan)
    before = prepared.task.at_levels(LEVELS_BEFORE)
    run = store.tasks.newest(before.content_id)
    if run is None:
        return prepared
    why = f"run {run.id} of this task began with them; --fresh chooses anew"
    return replace(prepared, task=before, content_id=before.content_id, levels_why=why)
