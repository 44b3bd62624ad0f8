"""Load levels of one replica as a curve: what it holds within limits, and latencies in between.

Throughput and latencies are made monotone in load: a level that is faster than one below it is
taken to be as slow. Between two levels is interpolated; beyond the highest nothing is known, and
nothing is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from autotuner.config import LoadKind, LoadLevel
from autotuner.sizing.traffic import Traffic


class ValueInterval(NamedTuple):
    """A value and the ends of its interval; equal to it where none is known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ReplicaLevel:
    """A load level of one replica.

    Attributes:
        requests_per_s: that it completes.
        e2e_ms: mean; None where it is not known, as it may be in a closed loop.
        latencies_ms: limited quantity -> its value with its interval; what is not known is absent,
            and within no limit.
    """

    load: LoadLevel
    requests_per_s: ValueInterval
    e2e_ms: float | None = None
    latencies_ms: Mapping[str, ValueInterval] = field(default_factory=dict)

    @property
    def in_flight(self) -> float:
        """Mean requests in flight: those of the closed loop, else by Little's law."""
        if self.load.kind is LoadKind.CONCURRENCY:
            return self.load.value
        return self.requests_per_s.value * (self.e2e_ms or 0.0) / 1000

    def users(self, requests_per_s: float, think_s: float) -> float:
        """Users that it holds: those who wait for an answer and, by Little's law, who think."""
        return self.in_flight + requests_per_s * think_s


@dataclass(frozen=True)
class Capacity:
    """The most that one replica holds within the limits.

    Attributes:
        level: of those within them, as are all below it, the one that holds most.
        requests_per_s: at it, or the end of its interval.
    """

    level: ReplicaLevel
    requests_per_s: float

    def held(self, traffic: Traffic) -> float:
        """Amount that it holds, as the traffic counts: requests per second, or users."""
        if traffic.users is None:
            return self.requests_per_s
        return self.level.users(self.requests_per_s, traffic.think_s)


@dataclass(frozen=True)
class Missed:
    """The limit that the lowest level misses most.

    Attributes:
        over: by what share of the limit.
    """

    level: ReplicaLevel
    name: str
    limit_ms: float
    value_ms: float | None
    over: float


class Between(NamedTuple):
    """Two neighbouring levels and how far from one to the other; or one level, twice."""

    lower: int
    upper: int
    share: float


@dataclass(frozen=True)
class LoadCurve:
    """The levels of one replica, of one kind of load.

    Attributes:
        levels: the lowest load first.

    Raises:
        ValueError: no level, or levels out of order.
    """

    levels: tuple[ReplicaLevel, ...]

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("a curve has one level or more")
        if any(not one.load < other.load for one, other in pairwise(self.levels)):
            raise ValueError("the levels of a curve rise")

    def capacity(self, slo: Mapping[str, float], traffic: Traffic) -> Capacity | None:
        """Of the levels whose values are within all limits, as those of all below them are, the
        one that holds most of what the traffic counts; the highest where several hold as much.

        On a plateau of throughput a higher level has more users, and no more requests per second.
        None where not even the lowest is within.
        """
        return self._most(slo, traffic, lambda i: i.value, lambda i: i.value)

    def certain_capacity(self, slo: Mapping[str, float], traffic: Traffic) -> Capacity | None:
        """The same where whole intervals have to be within, with the least throughput."""
        return self._most(slo, traffic, lambda i: i.high, lambda i: i.low)

    def possible_capacity(self, slo: Mapping[str, float], traffic: Traffic) -> Capacity | None:
        """The same where intervals may be within, with the most throughput."""
        return self._most(slo, traffic, lambda i: i.low, lambda i: i.high)

    def missed(self, slo: Mapping[str, float]) -> Missed | None:
        """The limit that keeps the lowest level out; None where it is within all."""
        lowest = self.levels[0]
        found = [
            Missed(lowest, name, limit, value, math.inf if value is None else value / limit - 1)
            for name, limit in slo.items()
            for value in [_value(lowest.latencies_ms.get(name))]
        ]
        worst = max(found, key=lambda one: one.over, default=None)
        return worst if worst is not None and worst.over > 0 else None

    def _most(
        self,
        slo: Mapping[str, float],
        traffic: Traffic,
        latency: Callable[[ValueInterval], float],
        rate: Callable[[ValueInterval], float],
    ) -> Capacity | None:
        best: Capacity | None = None
        for level in self.levels:
            if not all(
                (known := level.latencies_ms.get(name)) is not None and latency(known) <= limit
                for name, limit in slo.items()
            ):
                break
            found = Capacity(level, rate(level.requests_per_s))
            if best is None or found.held(traffic) >= best.held(traffic):
                best = found
        return best

    @cached_property
    def _rates(self) -> tuple[float, ...]:
        return tuple(_rising(level.requests_per_s.value for level in self.levels))

    def place(self, requests_per_s: float) -> Between | None:
        """Where a rate lies on the curve; None beyond its highest level.

        A rate below the lowest level is given that level: its latencies are no lower for certain.
        """
        return _between(self._rates, requests_per_s)

    def place_of_users(self, users: float, think_s: float) -> Between | None:
        """The same of users: on a plateau of throughput levels differ in these alone."""
        return _between(self._users(think_s), users)

    def rate_of_users(self, users: float, think_s: float) -> float | None:
        """Requests per second that so many users make; None beyond the highest level.

        Fewer users than at the lowest level make requests in proportion.
        """
        fewest = self._users(think_s)[0]
        if users <= fewest:
            return self._rates[0] * users / fewest if fewest > 0 else self._rates[0]
        place = self.place_of_users(users, think_s)
        return None if place is None else _at(self._rates, place)

    def _users(self, think_s: float) -> tuple[float, ...]:
        return tuple(
            _rising(
                level.users(rate, think_s)
                for level, rate in zip(self.levels, self._rates, strict=True)
            )
        )

    def latencies_ms(self, place: Between) -> dict[str, float]:
        """The known latencies at a place."""
        return {name: _at(values, place) for name, values in self._latencies.items()}

    @cached_property
    def _latencies(self) -> Mapping[str, tuple[float, ...]]:
        found: dict[str, tuple[float, ...]] = {}
        for name in self.levels[0].latencies_ms:
            known = [level.latencies_ms.get(name) for level in self.levels]
            values = [one.value for one in known if one is not None]
            if len(values) == len(self.levels):
                found[name] = tuple(_rising(values))
        return found


def _value(interval: ValueInterval | None) -> float | None:
    return None if interval is None else interval.value


def _rising(values: Sequence[float] | Iterator[float]) -> Iterator[float]:
    """Each value, or the greatest before it where that is greater."""
    most = -math.inf
    for value in values:
        most = max(most, value)
        yield most


def _between(values: Sequence[float], wanted: float) -> Between | None:
    for index, value in enumerate(values):
        if wanted <= value:
            if index == 0 or wanted == value:
                return Between(index, index, 0.0)
            lower = values[index - 1]
            return Between(index - 1, index, (wanted - lower) / (value - lower))
    return None


def _at(values: Sequence[float], place: Between) -> float:
    lower, upper = values[place.lower], values[place.upper]
    return lower + (upper - lower) * place.share
