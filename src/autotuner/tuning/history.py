"""The finished experiments of a run in memory: each is read, and its figures checked, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autotuner.store import ExperimentRecord, Standing, Store

FINISHED = ("completed", "failed")


class History:
    """What a run has finished. Only whoever holds the run adds to it, so that nothing goes."""

    def __init__(self) -> None:
        self._task_id: int | None = None
        self._finished: dict[int, ExperimentRecord] = {}

    def read(self, store: Store, task_id: int) -> list[ExperimentRecord]:
        """The finished experiments of a run in the order of their launch."""
        if task_id != self._task_id:
            self._task_id, self._finished = task_id, {}
        for record in store.experiments(task_id, besides=self._finished):
            if record.status in FINISHED:
                self._finished[record.id] = record
        return self.known

    @property
    def known(self) -> list[ExperimentRecord]:
        """Those that were there when it was read."""
        return sorted(self._finished.values(), key=lambda record: record.index)

    def stand(self, standings: Mapping[int, Standing]) -> None:
        """Notes where experiments (by their number in the store) stand now."""
        for key, standing in standings.items():
            self._finished[key] = replace(self._finished[key], standing=standing)
