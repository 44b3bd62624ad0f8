"""Simulated minutes of recorded launches: the start of an engine, then each load level measured.

Where a table tells how long its launches took, they take that; else the figures stated. A launch
that fails at every level costs its start alone, and a level that fails as much as one that runs.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from autotuner.landscapes import Landscape, RecordedLaunch
from autotuner.search import LaunchMinutes

STARTUP_MINUTES, LEVEL_MINUTES = 4.0, 1.0
"""A start takes as long as four levels: weights of some hundred GiB are read, and graphs captured,
in minutes, and a level of some hundred requests takes about one."""


@dataclass(frozen=True)
class LaunchCosts:
    """Minutes of launches that their table does not time.

    Attributes:
        startup_minutes: until an engine is ready. level_minutes: of one load level.
    """

    startup_minutes: float = STARTUP_MINUTES
    level_minutes: float = LEVEL_MINUTES

    def startup(self, launch: RecordedLaunch) -> float:
        """Minutes until the engine is ready, or has failed."""
        return self.startup_minutes if launch.startup_s is None else launch.startup_s / 60

    def level(self, launch: RecordedLaunch) -> float:
        """Minutes of one load level."""
        if launch.measure_s is None or not launch.levels:
            return self.level_minutes
        return launch.measure_s / 60 / len(launch.levels)

    def whole(self, launch: RecordedLaunch) -> float:
        """Minutes of a launch that measures every level."""
        return self.startup(launch) + len(launch.levels) * self.level(launch)

    def by_level(self, landscape: Landscape) -> LaunchMinutes:
        """The same as a search expects it that measures launches level by level."""
        return LaunchMinutes(
            startup=statistics.fmean(map(self.startup, landscape.launches)),
            levels={
                launch.id: {level.load: self.level(launch) for level in launch.levels}
                for launch in landscape.launches
            },
            level=self.level_minutes,
        )

    def of_launches(self, landscape: Landscape, count: int) -> float:
        """Minutes that so many launches with all their levels take on average: a budget."""
        ran = (one for one in landscape.launches if any(level.true for level in one.levels))
        return count * statistics.fmean(map(self.whole, ran))
