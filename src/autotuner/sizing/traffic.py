"""Traffic that a service has to hold: requests per second, or users who wait for answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Traffic:
    """Requests per second, or users of whom each sends the next request after an answer.

    Attributes:
        rate: requests per second; None where users are given.
        users: that are there at once.
        think_s: mean seconds from an answer until its user sends the next request.

    Raises:
        ValueError: not one of the two, or a value that is none.
    """

    rate: float | None = None
    users: float | None = None
    think_s: float = 0.0

    def __post_init__(self) -> None:
        given = [value for value in (self.rate, self.users) if value is not None]
        if len(given) != 1:
            raise ValueError("traffic is a rate or a number of users: give one of the two")
        if not 0 < given[0] < math.inf:
            raise ValueError(f"traffic of {given[0]:g} is none; give a number above 0")
        if not 0 <= self.think_s < math.inf:
            raise ValueError(f"a think time of {self.think_s:g} s is none; give 0 or more")

    def times(self, factor: float) -> Self:
        """The same, grown by a factor."""
        if self.users is not None:
            return replace(self, users=self.users * factor)
        return replace(self, rate=(self.rate or 0.0) * factor)


def grown(traffic: Traffic, share_per_month: float, months: int) -> list[Traffic]:
    """Traffic now and after each month, grown by the same share every month."""
    return [traffic.times((1 + share_per_month) ** month) for month in range(months + 1)]
