"""Threads in which load is timed."""

from __future__ import annotations

import asyncio
import gc

import pytest

from autotuner.measure.threads import run_in_own_loop


@pytest.mark.parametrize("is_frozen", [True, False])
def test_a_load_leaves_objects_frozen_or_not_as_they_were(is_frozen: bool) -> None:
    async def load() -> int:
        return gc.get_freeze_count()

    (gc.freeze if is_frozen else gc.unfreeze)()
    try:
        assert asyncio.run(run_in_own_loop(load)) > 0
        assert (gc.get_freeze_count() > 0) is is_frozen
    finally:
        gc.freeze()
