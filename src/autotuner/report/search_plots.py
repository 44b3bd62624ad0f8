"""The geometry of the plots that explain a search; the template draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from autotuner.report.log_plot import LogAxis, axis
from autotuner.report.searched import added_text, reached_name, value_text
from autotuner.search import OBJECTIVES
from autotuner.tuning.summary import RunSummary

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _EDGE = 520.0, 300.0, 56.0, 42.0, 12.0
_MOST_TICKS = 8


@dataclass(frozen=True)
class LinearAxis:
    """Values from `low` to `high`, drawn from pixel `start` to pixel `end`.

    Attributes:
        least_step: between ticks.
        percent: whether values are shares, told in percent.
    """

    low: float
    high: float
    start: float
    end: float
    least_step: float = 0.0
    percent: bool = False

    def place(self, value: float) -> float:
        """The pixel of a value within the axis."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values within the axis, as pixel and text."""
        least = max((self.high - self.low) / _MOST_TICKS, self.least_step)
        power = 10 ** math.floor(math.log10(least))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= least)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        values = [step * count for count in range(first, last + 1)]
        texts = (f"{100 * v:.0f} %" if self.percent else f"{v:.6g}" for v in values)
        return [(self.place(v), text) for v, text in zip(values, texts, strict=True)]


Axis = LinearAxis | LogAxis


@dataclass(frozen=True)
class Mark:
    """A point to draw: its pixels, its CSS classes, and what to say of it."""

    x: float
    y: float
    kind: str
    told: str


@dataclass(frozen=True)
class SearchPlot:
    """Axes with their names, lines (CSS classes -> points in pixels) and marks over them."""

    title: str
    x: Axis
    y: Axis
    x_name: str
    y_name: str
    lines: Mapping[str, str]
    marks: tuple[Mark, ...]


def search_plots(summary: RunSummary, labels: Mapping[str, str]) -> list[SearchPlot]:
    """What was reached after each launch, and the predicted beside the measured frontier.

    Either is left out where there is nothing to draw; the second with one objective.
    """
    found = (_reached(summary, labels), _frontiers(summary, labels))
    return [plot for plot in found if plot is not None]


def _reached(summary: RunSummary, labels: Mapping[str, str]) -> SearchPlot | None:
    search = summary.search
    known = [(launch, launch.value) for launch in search.launches if launch.value is not None]
    if not any(value for _, value in known):
        return None
    last = max(launch.index for launch in search.launches)
    x = LinearAxis(0.5, last + 0.5, _LEFT, _WIDTH - _EDGE, least_step=1)
    low, high = _range([value for _, value in known])
    is_share = search.measure not in OBJECTIVES
    y = LinearAxis(low, high, _HEIGHT - _BOTTOM, _EDGE, percent=is_share)
    marks = tuple(
        Mark(
            x.place(launch.index),
            y.place(value),
            "failed" if launch.failed else "vain" if launch.in_vain else "front",
            f"launch {launch.index}, {labels[launch.experiment]}: {value_text(launch, search)}"
            f" ({added_text(launch, search)})",
        )
        for launch, value in known
    )
    return SearchPlot(
        title=f"{reached_name(search)} after each launch",
        x=x,
        y=y,
        x_name="launch",
        y_name=reached_name(search),
        lines={"reached": _staircase(marks)},
        marks=marks,
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From a bit below the least to a bit above the most; from 0 where all are equal."""
    low, high = min(values), max(values)
    room = (high - low) / 10
    return (max(low - room, 0.0), high + room) if room else (0.0, high * 1.1)


def _staircase(marks: Sequence[Mark]) -> str:
    """What is reached holds until the next launch."""
    corners = [(marks[0].x, marks[0].y)]
    for before, mark in pairwise(marks):
        corners += [(mark.x, before.y), (mark.x, mark.y)]
    return _points(corners)


def _frontiers(summary: RunSummary, labels: Mapping[str, str]) -> SearchPlot | None:
    objectives, predicted = summary.run.objectives, summary.search.predicted_frontier
    if len(objectives) < 2 or not summary.frontier:
        return None
    first, second = objectives[:2]
    told = [
        ("front", f"{labels[point.experiment]} at {point.concurrency}: measured",
         getattr(point, first), getattr(point, second))
        for point in summary.frontier
    ] + [
        ("expected", f"{labels[point.experiment]} at {point.concurrency}: predicted",
         point.values[first], point.values[second])
        for point in predicted
    ]  # fmt: skip
    x = axis([entry[2] for entry in told], _LEFT, _WIDTH - _EDGE)
    y = axis([entry[3] for entry in told], _HEIGHT - _BOTTOM, _EDGE)
    marks = tuple(
        Mark(
            x.place(a), y.place(b), kind, f"{text} {a:.4g} {_unit(first)}, {b:.4g} {_unit(second)}"
        )
        for kind, text, a, b in told
    )
    # The shadow of a surface in a plane is no line.
    kinds = ("expected", "front") if len(objectives) == 2 else ()
    return SearchPlot(
        title="predicted and measured frontier",
        x=x,
        y=y,
        x_name=f"{OBJECTIVES[first].meaning} ({_unit(first)})",
        y_name=f"{OBJECTIVES[second].meaning} ({_unit(second)})",
        lines={
            kind: _points(sorted((m.x, m.y) for m in marks if m.kind == kind)) for kind in kinds
        },
        marks=tuple(sorted(marks, key=lambda mark: kinds.index(mark.kind) if kinds else 0)),
    )


def _unit(name: str) -> str:
    return OBJECTIVES[name].unit


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in corners)
