"""How much further points improve on those reached, by the objectives and within the SLO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autotuner.search.hypervolume import Vector
from autotuner.search.points import OBJECTIVES, OperatingPoint, quantity
from autotuner.search.slo import within, worst_excess
from autotuner.search.worth import Worth, scale_of


@dataclass(frozen=True)
class Reached:
    """What a search has got so far.

    Attributes:
        points: of every launch, within the SLO or not; at least one.
        objectives: with one, the best point counts; with two or three, the frontier.
    """

    points: tuple[OperatingPoint, ...]
    objectives: tuple[str, ...]
    slo: Mapping[str, float]

    def gain(self, new: Iterable[OperatingPoint]) -> float:
        """What `new` would add, as a share of what is reached; 0 where it adds nothing.

        Of the hypervolume, or with one objective of the best value. Where nothing meets the SLO
        yet: by what share the worst excess shrinks, and 1 where it is gone.
        """
        new = tuple(new)
        feasible = [point for point in new if within(point, self.slo)]
        if not self.feasible:
            return self._nearer(new) if not feasible else 1.0
        if not feasible:
            return 0.0
        if len(self.objectives) == 1:
            return self._better(feasible)
        vectors = self._worth.vectors(feasible)
        return self._worth.added(self._vectors, vectors) / self._worth.volume(self._vectors)

    @cached_property
    def feasible(self) -> tuple[OperatingPoint, ...]:
        """The points that meet the SLO."""
        return tuple(point for point in self.points if within(point, self.slo))

    @cached_property
    def _worth(self) -> Worth:
        return scale_of(self.feasible, self.objectives)

    @cached_property
    def _vectors(self) -> list[Vector]:
        return self._worth.vectors(self.feasible)

    def _better(self, new: Sequence[OperatingPoint]) -> float:
        (name,) = self.objectives
        best, best_new = (_best(points, name) for points in (self.feasible, new))
        ratio = best_new / best if OBJECTIVES[name].maximise else best / best_new
        return max(ratio - 1, 0.0)

    def _nearer(self, new: Sequence[OperatingPoint]) -> float:
        excess, excess_new = (
            min((worst_excess(p, self.slo)[0] for p in points), default=float("inf"))
            for points in (self.points, new)
        )
        return max(1 - excess_new / excess, 0.0)


def _best(points: Sequence[OperatingPoint], name: str) -> float:
    values = [quantity(point, name) for point in points]
    return max(values) if OBJECTIVES[name].maximise else min(values)
