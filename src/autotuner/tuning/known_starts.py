"""How long engines took to start before: what other tasks launched on the same device."""

from __future__ import annotations

from dataclasses import replace

from autotuner.store import Store
from autotuner.tuning.expected_starts import KnownStarts, Start
from autotuner.tuning.prepare import Prepared

MOST_LAUNCHES = 500
"""The newest ones: drivers, disks and engines change."""


def with_known_starts(prepared: Prepared, store: Store | None) -> Prepared:
    """`prepared` with how its engine started before, with its model on its kind of device."""
    is_known = prepared.known_starts is not None
    if store is None or is_known or prepared.replay is not None:
        return prepared
    gpu = prepared.variants[0].context.gpu
    found = store.starts(
        model=prepared.model.name,
        engine=prepared.engine_name,
        device=prepared.device_name,
        gpu=None if gpu is None or gpu.is_cpu else gpu.name,
        most=MOST_LAUNCHES,
    )
    if not found:
        return prepared
    known = KnownStarts.of(
        [Start(*start) for start in found],
        engine=prepared.engine_name,
        engine_version=prepared.engine_version,
    )
    return replace(prepared, known_starts=known)
