"""The geometry of plots with logarithmic axes; the template draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = ((1,), (1, 2, 5), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8))
"""Mantissas of ticks, from coarse to fine."""
_MOST_TICKS = 7
_FEW = 200
_ROOM = 1.15
"""Free space beyond the outermost value, as a factor."""


@dataclass(frozen=True)
class LogAxis:
    """Values from `low` to `high`, drawn from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """The pixel of a value; of one beyond the axis, that of its end."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values within the axis, as pixel and text: the finest that are not too many."""
        first, last = (math.floor(math.log10(end)) for end in (self.low, self.high))
        found: list[float] = []
        for steps in _STEPS:
            values = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            within = [value for value in values if self.low <= value <= self.high]
            if len(within) <= _MOST_TICKS or not found:
                found = within
        return [(self.place(value), f"{value:g}") for value in found]


@dataclass(frozen=True)
class Dot:
    """A point to draw: its pixels, what to say of it, and whether it is hollow."""

    x: float
    y: float
    tip: str
    hollow: bool


@dataclass(frozen=True)
class LogPlot:
    """A plot: axes with their names, dots, a line and the band around it as corner points."""

    x: LogAxis
    y: LogAxis
    x_name: str
    y_name: str
    dots: tuple[Dot, ...]
    line: str
    band: str

    @property
    def radius(self) -> int:
        """Of a dot; smaller where there are many."""
        return 4 if len(self.dots) <= _FEW else 2


def axis(values: Sequence[float], start: float, end: float) -> LogAxis:
    """An axis that holds all values, with room at both ends; not empty, all positive."""
    return LogAxis(min(values) / _ROOM, max(values) * _ROOM, start, end)


def corners(plot_x: LogAxis, plot_y: LogAxis, points: Sequence[tuple[float, float]]) -> str:
    """Points in values as an SVG list of points in pixels."""
    return " ".join(f"{plot_x.place(x)},{plot_y.place(y)}" for x, y in points)
