"""How much of a landscape's truth a set of launches has found.

Scores use the true figures of what was launched, never the noisy ones that the search saw.
Coordinates, all maximised: tokens/s per GPU, tokens/s per user (1000 / TPOT in ms) and, in three
dimensions, -log10 of TTFT in ms. The hypervolume stands above nadir - 0.1 x (ideal - nadir) of the
true frontier, and is divided by the whole true frontier's; each coordinate's scale cancels out.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from autotuner.config import LoadLevel
from autotuner.landscapes import Landscape, true_outcome
from autotuner.search import OperatingPoint, hypervolume, pareto_front, reference_point
from autotuner.search.slo import within

Vector = tuple[float, ...]
Levels = Set[tuple[str, LoadLevel]]


def coordinates(point: OperatingPoint, dimensions: int) -> Vector:
    """The first 2 or 3 coordinates in which searches are scored."""
    speed = point.tok_s_per_user or 1000 / point.ttft_ms
    return (point.tok_s_per_gpu, speed, -math.log10(point.ttft_ms))[:dimensions]


@dataclass(frozen=True)
class Truth:
    """The measurements of every launch of a landscape, without noise.

    Attributes:
        points: launch -> its operating points; empty where it fails.
    """

    points: Mapping[str, tuple[OperatingPoint, ...]]

    @classmethod
    def of(cls, landscape: Landscape) -> Truth:
        """That of a landscape."""
        return cls({launch.id: true_outcome(launch).points for launch in landscape.launches})

    @cached_property
    def limits(self) -> dict[str, float]:
        """The SLO: medians of TTFT and TPOT over all points, in ms."""
        every = self._reached(self.points)
        figures = {
            "ttft_ms": [point.ttft_ms for point in every],
            "tpot_ms": [point.tpot_ms for point in every if point.tpot_ms is not None],
        }
        return {name: statistics.median(found) for name, found in figures.items() if found}

    @cached_property
    def e2e_limits(self) -> dict[str, float]:
        """The other SLO: the median of E2E latency over all points, in ms."""
        every = [point.e2e_p90_ms for point in self._reached(self.points)]
        return {"e2e_p90_ms": statistics.median(every)} if every else {}

    def hypervolume_ratio(
        self, launched: Iterable[str], dimensions: int, only: Levels | None = None
    ) -> float:
        """Share of the true frontier's hypervolume that the launches reach, 0 to 1.

        Args:
            only: candidates and load levels that were measured; all, if left out.
        """
        reference, whole = self._whole[dimensions]
        reached = [coordinates(point, dimensions) for point in self._reached(launched, only)]
        return hypervolume(pareto_front(reached, key=tuple), reference) / whole

    def regret(
        self,
        launched: Iterable[str],
        limits: Mapping[str, float] | None = None,
        only: Levels | None = None,
    ) -> float:
        """1 - best tokens/s per GPU within the limits / the best that is there.

        1 where no launch has a point within them; 0 where none exists in all the landscape.

        Args:
            limits: an SLO; `limits` of the truth, if left out.
            only: as in `hypervolume_ratio`.
        """
        limits = self.limits if limits is None else limits
        best = self._best_feasible(self.points, limits)
        return 1 - self._best_feasible(launched, limits, only) / best if best else 0.0

    def _best_feasible(
        self, launched: Iterable[str], limits: Mapping[str, float], only: Levels | None = None
    ) -> float:
        """The most tokens/s per GPU within the limits; 0 where no point is."""
        points = self._reached(launched, only)
        return max((p.tok_s_per_gpu for p in points if within(p, limits)), default=0)

    def in_vain(self, launched: Iterable[str]) -> int:
        """Launches without a point on the 2-D frontier of all that was launched, in the end.

        Failed ones are among them. Of equal points the one launched first counts.
        """
        launched = list(launched)
        front = pareto_front(self._reached(launched), key=lambda point: coordinates(point, 2))
        return len(launched) - len({point.candidate_id for point in front})

    def _reached(self, launched: Iterable[str], only: Levels | None = None) -> list[OperatingPoint]:
        points = [point for key in launched for point in self.points[key]]
        if only is None:
            return points
        return [point for point in points if (point.candidate_id, point.load) in only]

    @cached_property
    def _whole(self) -> dict[int, tuple[Vector, float]]:
        """Dimensions -> the reference point, and the true frontier's hypervolume above it."""
        found = {}
        for dimensions in (2, 3):
            every = [coordinates(point, dimensions) for point in self._reached(self.points)]
            front = pareto_front(every, key=tuple)
            reference = reference_point(front)
            found[dimensions] = reference, hypervolume(front, reference)
        return found
