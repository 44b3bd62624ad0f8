"""Replicas that hold traffic within limits, with head room, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autotuner.config import LoadLevel
from autotuner.sizing.costs import TokenCosts
from autotuner.sizing.curve import Between, Capacity, LoadCurve, Missed
from autotuner.sizing.traffic import Traffic

_ROUNDING = 1e-9
"""Share of a replica that is no reason for another one."""


@dataclass(frozen=True)
class Replica:
    """One engine, as it may be run several times.

    Attributes:
        key: tells replicas apart: GPU and candidate.
        devices: that it occupies; a CPU counts as one.
        usd_per_device_hour: None where no price is known.
        isl, osl: mean tokens of a request.
    """

    key: tuple[str, str]
    devices: int
    curve: LoadCurve
    isl: float
    osl: float
    usd_per_device_hour: float | None = None


@dataclass(frozen=True)
class ServiceLevel:
    """The service that is to be held.

    Attributes:
        slo: latency -> limit in ms.
        headroom: share of what a replica holds that stays free, from 0 to below 1.

    Raises:
        ValueError: a head room that is none.
    """

    traffic: Traffic
    slo: Mapping[str, float]
    headroom: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.headroom < 1:
            raise ValueError(f"a head room of {self.headroom:g} is none; give 0 to below 1")


@dataclass(frozen=True)
class Deployment:
    """So many replicas of one kind under a traffic.

    Attributes:
        least, most: replicas where all is as good, and as bad, as its interval allows; `most` is
            None where no level is within the limits for certain.
        requests_per_s: of all replicas.
        utilisation: share of what a replica holds within the limits that is used.
        latencies_ms: expected of a replica at its share of the traffic.
        between: the levels that these are interpolated between; one where it is that level.
    """

    replica: Replica
    capacity: Capacity
    replicas: int
    least: int
    most: int | None
    requests_per_s: float
    utilisation: float
    latencies_ms: Mapping[str, float]
    between: tuple[LoadLevel, ...]

    @property
    def devices(self) -> int:
        """Devices that it occupies."""
        return self.replicas * self.replica.devices

    @property
    def usd_per_hour(self) -> float | None:
        """Price of its devices for an hour; None where none is known."""
        price = self.replica.usd_per_device_hour
        return None if price is None else price * self.devices

    @property
    def costs(self) -> TokenCosts:
        """Costs of the tokens that the traffic has."""
        return TokenCosts.of_rate(
            self.usd_per_hour, self.requests_per_s, self.replica.isl, self.replica.osl
        )


def deployment(replica: Replica, requirement: ServiceLevel) -> Deployment | None:
    """The fewest whole replicas that hold the traffic; None where a replica holds no load."""
    curve, slo, traffic = replica.curve, requirement.slo, requirement.traffic
    capacity = curve.capacity(slo, traffic)
    possible = curve.possible_capacity(slo, traffic)
    certain = curve.certain_capacity(slo, traffic)
    if capacity is None or possible is None or not capacity.requests_per_s > 0:
        return None
    replicas = _replicas(capacity, requirement)
    rate, place = _share_of_one(curve, traffic, replicas, capacity)
    levels = [curve.levels[i].load for i in (place.lower, place.upper)]
    return Deployment(
        replica=replica,
        capacity=capacity,
        replicas=replicas,
        least=min(_replicas(possible, requirement), replicas),
        most=None if certain is None else max(_replicas(certain, requirement), replicas),
        requests_per_s=rate * replicas if traffic.rate is None else traffic.rate,
        utilisation=_utilisation(capacity, traffic, replicas),
        latencies_ms=curve.latencies_ms(place),
        between=tuple(dict.fromkeys(levels)),
    )


def _asked(traffic: Traffic) -> float:
    return traffic.users if traffic.users is not None else traffic.rate or 0.0


def _replicas(capacity: Capacity, requirement: ServiceLevel) -> int:
    usable = capacity.held(requirement.traffic) * (1 - requirement.headroom)
    return max(math.ceil(_asked(requirement.traffic) / usable - _ROUNDING), 1)


def _utilisation(capacity: Capacity, traffic: Traffic, replicas: int) -> float:
    return _asked(traffic) / replicas / capacity.held(traffic)


def _share_of_one(
    curve: LoadCurve, traffic: Traffic, replicas: int, capacity: Capacity
) -> tuple[float, Between]:
    """Requests per second of one replica, and where on its curve it is then."""
    # Rounding takes a share over what a replica holds, where that is used to the last.
    share = min(_asked(traffic) / replicas, capacity.held(traffic))
    if traffic.users is None:
        rate: float | None = share
        place = curve.place(share)
    else:
        rate = curve.rate_of_users(share, traffic.think_s)
        place = curve.place_of_users(share, traffic.think_s)
    assert rate is not None and place is not None  # noqa: S101 - the capacity is on the curve
    return min(rate, capacity.requests_per_s), place


def deployments(replicas: Iterable[Replica], requirement: ServiceLevel) -> list[Deployment]:
    """The deployments that hold the traffic, the smallest first, then the cheapest."""
    found = [made for one in replicas if (made := deployment(one, requirement)) is not None]
    return sorted(found, key=_size)


def _size(made: Deployment) -> tuple[int, float, int, float]:
    price = math.inf if made.usd_per_hour is None else made.usd_per_hour
    return made.devices, price, made.replicas, -made.capacity.requests_per_s


def cheapest(found: Sequence[Deployment]) -> Deployment | None:
    """The one whose hour costs least; None where no price is known."""
    priced = [(made.usd_per_hour, made) for made in found if made.usd_per_hour is not None]
    return min(priced, key=lambda pair: (pair[0], _size(pair[1])))[1] if priced else None


def nearest(replicas: Iterable[Replica], slo: Mapping[str, float]) -> tuple[Replica, Missed] | None:
    """Of replicas that hold no load, the one whose lowest level misses least, and the limit."""
    found = [(one, missed) for one in replicas if (missed := one.curve.missed(slo)) is not None]
    return min(found, key=lambda pair: pair[1].over, default=None)
