"""This machine while a level runs: the load of its CPUs, and the energy of what is occupied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from autotuner.measure.disturbance import Counters, MachineLoad, machine_load
from autotuner.measure.energy import Energy, EnergyCounters, EnergyMeter
from autotuner.measure.energy_counters import Occupied
from autotuner.measure.results import Measurement


@dataclass(frozen=True)
class LevelWatcher:
    """Reads this machine while levels run.

    Attributes:
        counters: what its CPUs have done; None where it does not say.
        energy: opens the counters of what a launch occupies, or raises `NotCounted`; None where
            nothing real is occupied, as in a replay.
    """

    counters: Callable[[], Counters | None] = lambda: None
    energy: Callable[[Occupied], EnergyCounters] | None = None

    async def look(self, seconds: float) -> MachineLoad | None:
        """The load of the CPUs over so many seconds; None where it is not known."""
        before = self.counters()
        if before is None:
            return None
        await asyncio.sleep(seconds)
        return machine_load(before, self.counters())

    @contextmanager
    def watched(self, occupied: Occupied) -> Iterator[LevelWatch]:
        """Watches the machine while the block runs, which is one level of a launch."""
        watch, opened, before = LevelWatch(), self.energy, self.counters()
        if opened is None:
            yield watch
        else:
            with EnergyMeter(lambda: opened(occupied)) as meter:
                yield watch
            watch.energy_of = lambda level: meter.energy(level.began_at, level.duration_s)
        watch.load = machine_load(before, self.counters())


UNWATCHED = LevelWatcher()
"""Nothing is said of it."""


@dataclass
class LevelWatch:
    """Load and energy that were seen while a level ran."""

    load: MachineLoad | None = None
    energy_of: Callable[[Measurement], Energy | None] = field(default=lambda measurement: None)

    def added_to(self, measurement: Measurement) -> Measurement:
        """The measurement of the level with it."""
        seen = {"machine": self.load, "energy": self.energy_of(measurement)}
        return measurement.model_copy(update={k: v for k, v in seen.items() if v is not None})
