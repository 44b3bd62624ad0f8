"""Readings of workers' machines as one process sees them arrive: with heartbeats that grow."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from autotuner.store.maintenance import KnownWorker
from autotuner.workers.machine import MachineUsage
from autotuner.workers.usage_report import reported_usage

_MOST_MACHINES = 100
"""Machines of workers whose usage is kept."""
_MOST_SILENT = 1
"""Samples in a row without a new heartbeat before a reading counts no longer. Heartbeats are as far
apart as samples, so that now and then a sample falls between two of a healthy worker."""


@dataclass(frozen=True)
class _Seen:
    heartbeat: int
    silent: int
    """Samples since it was last seen to grow."""


class WorkerUsage:
    """Remembers the heartbeats of workers from sample to sample.

    A row in the database says nothing of now: its worker may be long dead. So the reading of a
    worker counts once its heartbeat has grown before the eyes of this process, and ends with it.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def of_others(self, workers: Iterable[KnownWorker], *, here: str) -> dict[str, MachineUsage]:
        """Host -> how busy it is, of all machines but `here`; the newest reading of each."""
        known = sorted(workers, key=lambda worker: worker.seen_at)
        self._seen = {worker.id: self._looked_at(worker) for worker in known}
        found = {
            worker.host: usage
            for worker in known
            if worker.host != here
            and self._seen[worker.id].silent <= _MOST_SILENT
            and (usage := reported_usage(worker.usage)) is not None
        }
        return dict(itertools.islice(sorted(found.items()), _MOST_MACHINES))

    def _looked_at(self, worker: KnownWorker) -> _Seen:
        before = self._seen.get(worker.id)
        if before is None:
            return _Seen(worker.heartbeat, _MOST_SILENT + 1)
        if before.heartbeat != worker.heartbeat:
            return _Seen(worker.heartbeat, 0)
        return _Seen(worker.heartbeat, before.silent + 1)
