"""The plots that explain a search, as geometry; the template draws them as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from autotuner.report.axes import Frame, Limit, Span, frame, log_span
from autotuner.report.points import AXES, limits_by_quantity, plane
from autotuner.report.searched import added_text, reached_name, value_text
from autotuner.search import OBJECTIVES
from autotuner.tuning.summary import PointView, PredictedPointView, RunSummary

_ROOM = 0.1


@dataclass(frozen=True)
class Mark:
    """A point to draw: its pixels, its CSS classes, and its tooltip."""

    x: float
    y: float
    kind: str
    tip: str


@dataclass(frozen=True)
class SearchPlot:
    """A frame, lines (CSS class -> points in pixels), SLO limits, and marks over them."""

    title: str
    frame: Frame
    lines: Mapping[str, str]
    marks: tuple[Mark, ...]
    limits: tuple[Limit, ...] = ()


def search_plots(summary: RunSummary, labels: Mapping[str, str]) -> list[SearchPlot]:
    """The progress launch by launch, and the predicted beside the measured frontier.

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
    is_share = search.measure not in OBJECTIVES
    low, high = _range([value for _, value in known])
    name = reached_name(search)
    drawn = frame(
        Span("launch", 0.5, last + 0.5, whole=True), Span(name, low, high, percent=is_share)
    )
    marks = tuple(
        Mark(
            drawn.x.place(launch.index),
            drawn.y.place(value),
            "failed" if launch.failed else "vain" if launch.in_vain else "front",
            f"launch {launch.index}, {labels[launch.experiment]}: {value_text(launch, search)}"
            f" ({added_text(launch, search)})",
        )
        for launch, value in known
    )
    limit = limits_by_quantity(summary.run.slo).get(search.measure)
    return SearchPlot(
        title=f"{name} after each launch",
        frame=drawn,
        lines={"reached": _staircase(marks)},
        marks=marks,
        limits=drawn.limits(y=limit),
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From a bit below the least to a bit above the most; from 0 where all are equal."""
    low, high = min(values), max(values)
    room = (high - low) * _ROOM
    return (max(low - room, 0.0), high + room) if room else (0.0, high * (1 + _ROOM))


def _staircase(marks: Sequence[Mark]) -> str:
    """The best value so far holds until the next launch."""
    corners = [(marks[0].x, marks[0].y)]
    for before, mark in pairwise(marks):
        corners += [(mark.x, before.y), (mark.x, mark.y)]
    return _points(corners)


def _frontiers(summary: RunSummary, labels: Mapping[str, str]) -> SearchPlot | None:
    objectives = summary.run.objectives
    if len(objectives) < 2 or not summary.frontier:
        return None
    across, upwards = plane(objectives)
    shown = [
        *_values("front", summary.frontier, labels, across, upwards),
        *_values("expected", summary.search.predicted_frontier, labels, across, upwards),
    ]
    drawn = frame(
        log_span(AXES[across], [a for _, _, a, _ in shown]),
        log_span(AXES[upwards], [b for *_, b in shown]),
    )
    marks = tuple(
        Mark(
            drawn.x.place(a),
            drawn.y.place(b),
            kind,
            f"{text}: {a:.4g} {OBJECTIVES[across].unit}, {b:.4g} {OBJECTIVES[upwards].unit}",
        )
        for kind, text, a, b in shown
    )
    # The shadow of a surface in a plane is no line.
    kinds = ("expected", "front") if len(objectives) == 2 else ()
    limits = limits_by_quantity(summary.run.slo)
    return SearchPlot(
        title="predicted and measured frontier",
        frame=drawn,
        lines={
            kind: _points(sorted((m.x, m.y) for m in marks if m.kind == kind)) for kind in kinds
        },
        marks=tuple(sorted(marks, key=lambda mark: kinds.index(mark.kind) if kinds else 0)),
        limits=drawn.limits(x=limits.get(across), y=limits.get(upwards)),
    )


def _values(
    kind: str,
    points: Sequence[PointView] | Sequence[PredictedPointView],
    labels: Mapping[str, str],
    across: str,
    upwards: str,
) -> list[tuple[str, str, float, float]]:
    origin = "measured" if kind == "front" else "predicted"
    found = []
    for point in points:
        values = point.values if isinstance(point, PredictedPointView) else point.model_dump()
        if values.get(across) and values.get(upwards):
            text = f"{labels[point.experiment]} at {point.concurrency}, {origin}"
            if isinstance(point, PredictedPointView) and point.kind:
                text += f" from {point.kind}"
            found.append((kind, text, float(values[across]), float(values[upwards])))
    return found


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in corners)
