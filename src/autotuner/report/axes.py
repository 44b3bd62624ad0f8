"""Axes of plots: the pixel of a value, and ticks whose labels have room.

Templates draw them as SVG.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_CHARACTER_PX, _LINE_PX = 7.8, 15.0
"""Room of a character and of a line of 12 px text, in the widest of the common fonts."""
_MOST_TICKS = 8
_MANTISSAS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
_MARGIN = 0.15
"""Free space beyond the outermost values, as a share of their span or, logarithmic, a factor."""
_NAME_PX, _EDGE_PX = 20.0, 12.0
WIDTH_PX, HEIGHT_PX = 400.0, 300.0
"""Size of a plot unless given: as wide as a phone's window, so that its text stays legible."""


@dataclass(frozen=True)
class Span:
    """The values that an axis shows.

    Attributes:
        low, high: its ends; above 0 where `logarithmic`.
        percent: whether values are shares, labelled in percent.
        whole: whether only whole values are labelled.
    """

    name: str
    low: float
    high: float
    logarithmic: bool = False
    percent: bool = False
    whole: bool = False

    def holds(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def label(self, value: float) -> str:
        """A value as a tick says it: `0.05`, `1,500`, `20k`, `1.5M`, `97 %`."""
        if self.percent:
            return f"{100 * value:.3g} %"
        for unit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
            if abs(value) >= unit:
                scale = 1e3 if letter == "k" else unit
                return f"{value / scale:.6g}{letter}"
        return f"{value:,.6g}" if abs(value) >= 1 else f"{value:.3g}"


@dataclass(frozen=True)
class PlotAxis:
    """A span drawn from pixel `start` to pixel `end`: rightwards or upwards."""

    span: Span
    start: float
    end: float

    def place(self, value: float) -> float:
        """The pixel of a value; of one beyond the axis, that of its end."""
        low, high = self.span.low, self.span.high
        if self.span.logarithmic:
            share = math.log(value / low) / math.log(high / low)
        else:
            share = (value - low) / (high - low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values, as pixel and label: as many as have room, from the axis' low end on."""
        most: list[tuple[float, str]] = []
        for values in self._choices():
            ticks = [(self.place(value), self.span.label(value)) for value in values]
            if len(most) < len(ticks) <= _MOST_TICKS and self._has_room(ticks):
                most = ticks
        return most

    def _has_room(self, ticks: Sequence[tuple[float, str]]) -> bool:
        rightwards = self.end > self.start
        for (place, label), (following, next_label) in pairwise(ticks):
            needed = _text_px(label) / 2 + _text_px(next_label) / 2 + _CHARACTER_PX
            if abs(following - place) < (needed if rightwards else _LINE_PX):
                return False
        return len({label for _, label in ticks}) == len(ticks)

    def _choices(self) -> Iterator[list[float]]:
        """Sets of round values within the axis, of every fineness that may have room."""
        span = self.span
        if span.logarithmic:
            powers = range(math.floor(math.log10(span.low)), math.ceil(math.log10(span.high)) + 1)
            for mantissas in _MANTISSAS:
                yield self._within(m * 10.0**p for p in powers for m in mantissas)
            for stride in range(2, len(powers)):
                yield self._within(10.0**p for p in powers if p % stride == 0)
        extent = span.high - span.low
        power = math.floor(math.log10(extent))
        for step in (m * 10.0**p for p in (power, power - 1) for m in (5.0, 2.0, 1.0)):
            if not span.whole or step >= 1:
                first, last = math.ceil(span.low / step), math.floor(span.high / step)
                yield [step * count for count in range(first, last + 1)]

    def _within(self, values: Iterator[float]) -> list[float]:
        return [value for value in values if self.span.holds(value)]


@dataclass(frozen=True)
class PlotFrame:
    """Both axes of a plot, and its size in pixels. `x` goes rightwards, `y` upwards."""

    x: PlotAxis
    y: PlotAxis
    width: float
    height: float

    def corners(self, points: Sequence[tuple[float, float]]) -> str:
        """Points in values as an SVG list of points in pixels."""
        return " ".join(f"{self.x.place(x)},{self.y.place(y)}" for x, y in points)

    def limits(self, *, x: float | None = None, y: float | None = None) -> tuple[Limit, ...]:
        """Lines across the plot at the limits given; one beyond the axis is not drawn."""
        across, upwards = (self.x.start, self.x.end), (self.y.start, self.y.end)
        lines = []
        if x is not None and self.x.span.holds(x):
            lines.append(Limit((self.x.place(x),) * 2, upwards, self._tip(self.x, x)))
        if y is not None and self.y.span.holds(y):
            lines.append(Limit(across, (self.y.place(y),) * 2, self._tip(self.y, y)))
        return tuple(lines)

    @staticmethod
    def _tip(axis: PlotAxis, value: float) -> str:
        return f"SLO: {axis.span.name} {value:.6g}"


@dataclass(frozen=True)
class Limit:
    """A line that an SLO draws, from (x[0], y[0]) to (x[1], y[1]) in pixels, and its tooltip."""

    x: tuple[float, float]
    y: tuple[float, float]
    tip: str


def frame(x: Span, y: Span, *, width: float = WIDTH_PX, height: float = HEIGHT_PX) -> PlotFrame:
    """The frame of a plot, with room for its names and for the labels of its ticks."""
    upwards = PlotAxis(y, height - 2 * _LINE_PX - _EDGE_PX / 2, _EDGE_PX)
    left = (
        _NAME_PX + _EDGE_PX / 2 + max((_text_px(label) for _, label in upwards.ticks()), default=0)
    )
    rightwards = PlotAxis(x, left, width - _EDGE_PX)
    widest = max((_text_px(label) for _, label in rightwards.ticks()), default=0.0)
    return PlotFrame(PlotAxis(x, left, width - max(_EDGE_PX, widest / 2)), upwards, width, height)


def log_span(name: str, values: Sequence[float]) -> Span:
    """A logarithmic span that holds all values, all positive, with room at both ends."""
    factor = 1 + _MARGIN
    return Span(name, min(values) / factor, max(values) * factor, logarithmic=True)


def _widest_px(axis: PlotAxis) -> float:
    return max((_text_px(label) for _, label in axis.ticks()), default=0.0)


def _text_px(label: str) -> float:
    return len(label) * _CHARACTER_PX
