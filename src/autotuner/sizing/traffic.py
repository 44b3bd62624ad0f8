"""Traffic that a service has to hold: requests per second, or users who wait for answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

_LEAST, _MOST, _MOST_THINK_S = 1e-6, 1e9, 1e6
"""Far beyond any service, and near enough that sizes and costs stay numbers."""


class TrafficError(ValueError):
    """No traffic.

    Args:
        field: the one whose value is none; "" where it is their combination.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Traffic:
    """Requests per second, or users of whom each sends the next request after an answer.

    Attributes:
        rate: requests per second; None where users are given.
        users: that are there at once.
        think_s: mean seconds from an answer until its user sends the next request.

    Raises:
        TrafficError: not one of the two, or a value that is none.
    """

    rate: float | None = None
    users: float | None = None
    think_s: float = 0.0

    def __post_init__(self) -> None:
        both = {"rate": self.rate, "users": self.users}
        given = {name: value for name, value in both.items() if value is not None}
        if len(given) != 1:
            raise TrafficError("", "traffic is a rate or a number of users: give one of the two")
        for name, value in given.items():
            if not value > 0:
                raise TrafficError(name, f"traffic of {value:g} is none; give a number above 0")
            if not _LEAST <= value <= _MOST:
                raise TrafficError(
                    name,
                    f"traffic of {value:g} is that of no service; give {_LEAST:g} to {_MOST:g}",
                )
        if not 0 <= self.think_s <= _MOST_THINK_S:
            raise TrafficError(
                "think_s",
                f"a think time of {self.think_s:g} s is none; give 0 to {_MOST_THINK_S:g}",
            )

    def times(self, factor: float) -> Self:
        """The same, grown by a factor."""
        if self.users is not None:
            return replace(self, users=self.users * factor)
        return replace(self, rate=(self.rate or 0.0) * factor)


def grown(traffic: Traffic, share_per_month: float, months: int) -> list[Traffic]:
    """Traffic now and after each month, grown by the same share every month.

    Raises:
        TrafficError: it grows beyond that of any service.
    """
    return [traffic.times((1 + share_per_month) ** month) for month in range(months + 1)]
