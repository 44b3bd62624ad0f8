"""A launch under way: what it has shown, and which of its load levels are measured next."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from autotuner.config import Candidate, LoadLevel
from autotuner.engines import LaunchSpec
from autotuner.measure import Measurement
from autotuner.search import (
    EndLaunch,
    NextLevel,
    OperatingPoint,
    Outcome,
    RunningLaunch,
    why_cut,
)
from autotuner.store import ExperimentRecord
from autotuner.tuning.forecast import Expected
from autotuner.tuning.points import lost_levels, operating_points
from autotuner.tuning.prepare import Prepared

Rivals = Callable[[], Sequence[OperatingPoint]]
"""Points that the finished launches of a task have measured."""
ChooseLevel = Callable[[RunningLaunch], Awaitable[NextLevel | EndLaunch]]
"""Asks search for a running launch's next load level."""


@dataclass
class Launch:
    """An experiment under way, and what it has shown.

    Attributes:
        devices: the GPUs that it is limited to; empty where it is limited to none.
        measured_s: seconds of measuring, with those of `earlier_s`.
    """

    record: ExperimentRecord
    candidate: Candidate
    spec: LaunchSpec
    expected: Expected
    measured: list[Measurement] = field(default_factory=list)
    cut_short: str | None = None
    devices: tuple[str, ...] = ()
    measured_s: float = 0.0

    @property
    def earlier_s(self) -> float:
        """Seconds of measuring before it was launched now."""
        return self.record.measure_s or 0.0

    @property
    def before_s(self) -> float:
        """Seconds that it has cost before it was launched now."""
        return self.earlier_s + self.record.lost_s

    def points(
        self,
        measured: Sequence[Measurement],
        usd_per_gpu_hour: float | None = None,
        needs: Sequence[str] = (),
    ) -> tuple[OperatingPoint, ...]:
        gpus = self.candidate.gpus
        return operating_points(
            self.candidate.id, measured, gpus=gpus, usd_per_gpu_hour=usd_per_gpu_hour, needs=needs
        )

    def outcome(self, usd_per_gpu_hour: float | None, needs: Sequence[str]) -> Outcome:
        """Outcome until now, as search sees it."""
        points = self.points(self.measured, usd_per_gpu_hour, needs)
        lost = lost_levels(points, self.measured)
        return Outcome(self.candidate.id, "completed", points, failed_levels=lost)

    def unsaturated(self, levels: Sequence[LoadLevel]) -> tuple[LoadLevel, ...]:
        """The levels below the lowest with which the engine did not keep up."""
        lowest = min((m.load for m in self.measured if m.saturated), default=None)
        return tuple(load for load in levels if lowest is None or load < lowest)


async def levels_to_measure(
    launch: Launch,
    prepared: Prepared,
    cut: Callable[[str], None],
    rivals: Rivals,
    next_level: ChooseLevel | None = None,
) -> AsyncIterator[tuple[LoadLevel, int]]:
    """The load levels of a launch in order, each with the number of its repeat.

    Levels that an interrupted call has measured are not measured again. The whole sweep is
    repeated; where `next_level` chooses, a level is measured with all its repeats before the next,
    so that nothing is owed when the launch ends.

    Args:
        cut: called with the reason where levels are left out.
        next_level: chooses the next; where left out, every level is measured, rising.
    """
    task = prepared.task
    kept = Counter(measurement.load for measurement in launch.measured)
    levels = prepared.levels(launch.candidate.id)
    left = [load for load in levels if not kept[load]]
    together = 1 if next_level is None else task.benchmark.repeats
    for load in levels:
        for repeat in range(kept[load] or together, together):
            yield load, repeat
    while left:
        why = why_not(launch, prepared, left, rivals)
        load = left[0]
        if why is None and next_level is not None:
            shown = launch.outcome(prepared.usd_per_gpu_hour, task.compared)
            offered = launch.unsaturated(left) or tuple(left)
            choice = await next_level(RunningLaunch(shown, offered))
            if isinstance(choice, EndLaunch):
                why = choice.reason
            else:
                load = choice.load
        if why is not None:
            cut(f"after {_counted(launch)}: {why}")
            break
        for repeat in range(together):
            yield load, repeat
        left.remove(load)
    for repeat in range(together, task.benchmark.repeats):
        for load in levels:
            if load not in left and kept[load] <= repeat:
                yield load, repeat


def why_not(
    launch: Launch, prepared: Prepared, left: Sequence[LoadLevel], rivals: Rivals
) -> str | None:
    """Why the levels that are left cannot be worth their time; None where they may."""
    task = prepared.task
    if not task.benchmark.cut_short or not launch.measured:
        return None
    if not launch.unsaturated(left):
        lowest = min(m.load for m in launch.measured if m.saturated)
        return f"the engine does not keep up with {lowest.long}"
    return why_cut(
        launch.points(launch.measured, prepared.usd_per_gpu_hour, task.compared),
        launch.expected.points,
        left,
        others=rivals(),
        objectives=task.objectives,
        slo=task.slo_limits(),
    )


def _counted(launch: Launch) -> str:
    count = len({measurement.load for measurement in launch.measured})
    return f"{count} level{'' if count == 1 else 's'}"
