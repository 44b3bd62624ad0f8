"""Steps of a search: the improvement by each launch, looked at from its end.

With two or three objectives: the hypervolume after each launch, as a share of that at the end
of the search. Its scale spans the final frontier and the predicted one
(`NormalisedHypervolume`), so that neither is cut off. With one objective: the best value within
the SLO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from autotuner.search.frontier import normalised_by, pareto_front
from autotuner.search.points import OBJECTIVES, OperatingPoint, has, quantity
from autotuner.search.slo import within
from autotuner.search.strategy import Outcome


@dataclass(frozen=True)
class Step:
    """A finished launch.

    Attributes:
        value: after it, the share of the final hypervolume, or with one objective the best
            value within the SLO, in its unit (None while nothing is within).
        added: by how much it improved `value`, never negative; None where nothing was within the
            SLO before it.
        frontier_points: points of the final frontier that are its own.
    """

    candidate_id: str
    value: float | None
    added: float | None
    frontier_points: int

    @property
    def in_vain(self) -> bool:
        """Whether the search would have ended with the same frontier without it."""
        return self.frontier_points == 0


def steps(
    history: Sequence[Outcome],
    frontier: Sequence[OperatingPoint],
    *,
    objectives: Sequence[str],
    slo: Mapping[str, float],
    predicted: Iterable[OperatingPoint] = (),
) -> list[Step]:
    """One step for each launch, in order.

    Args:
        frontier: what the search ended with: points of `history`.
        predicted: what was expected of the launches; it takes part in the scale only.
    """
    if len(objectives) == 1:
        values = list(_best_values(history, objectives[0], slo))
    else:
        values = _shares(history, frontier, predicted, objectives)
    own = Counter(point.candidate_id for point in frontier)
    before: list[float | None] = [0.0 if len(objectives) > 1 else None, *values]
    return [
        Step(outcome.candidate_id, value, _added(earlier, value), own[outcome.candidate_id])
        for outcome, earlier, value in zip(history, before, values, strict=False)
    ]


def _added(before: float | None, after: float | None) -> float | None:
    if after is None:
        return 0.0
    return None if before is None else abs(after - before)


def _best_values(
    history: Iterable[Outcome], name: str, slo: Mapping[str, float]
) -> Iterator[float | None]:
    best_of = max if OBJECTIVES[name].maximise else min
    feasible: list[float] = []
    for outcome in history:
        known = (p for p in outcome.points if has(p, (name, *slo)))
        feasible += [quantity(p, name) for p in known if within(p, slo)]
        feasible = [best_of(feasible)] if feasible else []
        yield feasible[0] if feasible else None


def _shares(
    history: Sequence[Outcome],
    frontier: Sequence[OperatingPoint],
    predicted: Iterable[OperatingPoint],
    objectives: Sequence[str],
) -> list[float | None]:
    if not frontier:
        return [0.0] * len(history)
    expected = [point for point in predicted if has(point, objectives)]
    scale = normalised_by(frontier, objectives, beside=expected)
    volumes, incumbent = [], scale.vectors(())
    for outcome in history:
        new = scale.vectors([p for p in outcome.points if has(p, objectives)])
        incumbent = pareto_front([*incumbent, *new], lambda vector: vector)
        volumes.append(scale.volume(incumbent))
    # Rounding may take a last digit away where nothing was added.
    rising = list(accumulate(volumes, max))
    return [volume / rising[-1] for volume in rising]
