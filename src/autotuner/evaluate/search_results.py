"""Results of replayed searches: quartiles over seeds, and means over landscapes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotuner.evaluate.search_replay import Case, Scores, Subject

MEASURES = ("hv2", "hv3", "regret", "e2e_regret", "wasted", "seconds_per_proposal")
"""Scores at equal launches, as the fields of `Result` and `Average` are named."""
TIMED_MEASURES = ("hv2_minutes", "hv3_minutes", "regret_minutes")
"""Scores at equal minutes, named likewise."""


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles, linearly interpolated."""

    median: float
    q25: float
    q75: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Quartiles:
        """Of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)


@dataclass(frozen=True)
class Result:
    """A strategy on a landscape with a budget, over seeds.

    Attributes:
        minutes: that so many launches take there.
    """

    landscape: str
    strategy: str
    launches: int
    seeds: int
    hv2: Quartiles
    hv3: Quartiles
    regret: Quartiles
    e2e_regret: Quartiles
    wasted: Quartiles
    seconds_per_proposal: Quartiles
    minutes: float
    hv2_minutes: Quartiles
    hv3_minutes: Quartiles
    regret_minutes: Quartiles


def results(subjects: Sequence[Subject], found: Mapping[Case, Scores]) -> list[Result]:
    """Quartiles over seeds, in the order in which the cases stand."""
    grouped: dict[tuple[int, int, str], list[Scores]] = {}
    for case, scores in found.items():
        grouped.setdefault((case.subject, case.launches, case.strategy), []).append(scores)
    return [
        Result(
            landscape=subjects[subject].landscape.name,
            strategy=strategy,
            launches=launches,
            seeds=len(some),
            **{
                name: Quartiles.of([getattr(one, name) for one in some])
                for name in ("hv2", "hv3", "regret", "e2e_regret", "wasted", *TIMED_MEASURES)
            },
            minutes=some[0].minutes,
            seconds_per_proposal=Quartiles.of([s for one in some for s in one.seconds] or [0.0]),
        )
        for (subject, launches, strategy), some in grouped.items()
    ]


@dataclass(frozen=True)
class Average:
    """A strategy with a budget: the means over landscapes of the medians over seeds."""

    strategy: str
    launches: int
    landscapes: int
    hv2: float
    hv3: float
    regret: float
    e2e_regret: float
    wasted: float
    seconds_per_proposal: float
    hv2_minutes: float
    hv3_minutes: float
    regret_minutes: float


def averages(found: Sequence[Result]) -> list[Average]:
    """One for each budget and strategy, in the order in which they stand."""
    grouped: dict[tuple[int, str], list[Result]] = {}
    for result in found:
        grouped.setdefault((result.launches, result.strategy), []).append(result)
    return [
        Average(
            strategy=strategy,
            launches=launches,
            landscapes=len(some),
            **{
                name: statistics.fmean(getattr(one, name).median for one in some)
                for name in (*MEASURES, *TIMED_MEASURES)
            },
        )
        for (launches, strategy), some in grouped.items()
    ]
