"""How long engines took to start before: what other tasks launched on the same device."""

from __future__ import annotations

import statistics
from dataclasses import replace

from autotuner.store import Store
from autotuner.tuning.prepare import KnownStart, Prepared

MOST_LAUNCHES = 50
"""The newest ones: drivers, disks and engines change."""


def with_known_start(prepared: Prepared, store: Store | None) -> Prepared:
    """`prepared` with how its engine started before, with its model on its kind of device."""
    is_known = prepared.known_start is not None
    if store is None or is_known or prepared.replay is not None:
        return prepared
    gpu = prepared.variants[0].context.gpu
    found = store.startups_s(
        model=prepared.model.name,
        engine=prepared.engine_name,
        device=prepared.device_name,
        gpu=None if gpu is None or gpu.is_cpu else gpu.name,
        most=MOST_LAUNCHES,
    )
    if not found:
        return prepared
    return replace(prepared, known_start=KnownStart(statistics.median(found), len(found)))
