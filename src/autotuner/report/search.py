"""How a task searched: what each launch brought, in words and as plots for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.markup import escape
from rich.table import Table

from autotuner.report.axes import Limit, PlotFrame, Span, frame, log_span
from autotuner.report.point_table import short_ids
from autotuner.report.points import AXES, limits_by_quantity, plane
from autotuner.search import OBJECTIVES
from autotuner.search.axes import describe_settings
from autotuner.search.points import figure
from autotuner.tuning.summary import (
    LaunchView,
    PointView,
    PredictedPointView,
    SearchView,
    TaskSummary,
)

_MOST_ROWS = 20
"""Of longer searches the terminal leaves out the launches that added no point; the page has all."""


def measure_name(search: SearchView) -> str:
    """The quantity that a search improves: `hypervolume`, or the objective with its unit."""
    return f"best {AXES[search.measure]}" if search.measure in AXES else search.measure


def value_text(launch: LaunchView, search: SearchView) -> str:
    """The best value after the launch: `97.1 %`, `4,200`; `-` while there is none."""
    return "-" if launch.value is None else _figure(launch.value, search)


def added_text(launch: LaunchView, search: SearchView) -> str:
    """The improvement by the launch: `+3.1 %`, `-12` of what is to be small, `first`, `nothing`."""
    if launch.failed:
        return "failed"
    if launch.added is None:
        return "first"
    if launch.added == 0:
        return "nothing"
    objective = OBJECTIVES.get(search.measure)
    sign = "+" if objective is None or objective.maximise else "-"
    return f"{sign}{_figure(launch.added, search)}"


def differing_settings(summary: TaskSummary) -> dict[str, str]:
    """Experiment -> the settings in which the launches differ, short: `TP 4, sequences 64`."""
    values: dict[str, set[str]] = {}
    for experiment in summary.experiments:
        for path in summary.task.axes.keys() | experiment.settings.keys():
            values.setdefault(path, set()).add(repr(experiment.settings.get(path)))
    differ = {path for path, found in values.items() if len(found) > 1}
    return {
        e.id: describe_settings({p: v for p, v in e.settings.items() if p in differ})
        or "the only one"
        for e in summary.experiments
    }


def search_title(search: SearchView) -> str:
    """The line above `search_table`."""
    left_out = len(search.launches) - len(shown_launches(search))
    if left_out:
        return f"Search: {measure_name(search)}; {left_out} launches without a point left out"
    return f"Search: {measure_name(search)} after each launch; points: its own on the frontier"


def search_table(summary: TaskSummary) -> Table:
    """A row for each launch; those without a point of the final frontier are dim."""
    search, settings = summary.search, differing_settings(summary)
    ids = short_ids([experiment.id for experiment in summary.experiments])
    name = "of final" if search.measure not in OBJECTIVES else "best"
    table = Table(box=None, padding=(0, 1, 0, 0))
    for head in ("#", name, "added", "points"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("phase", no_wrap=True)
    table.add_column("id", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for launch in shown_launches(search):
        table.add_row(
            str(launch.index),
            value_text(launch, search),
            added_text(launch, search),
            str(launch.frontier_points),
            escape(launch.phase),
            escape(ids[launch.experiment]),
            escape(settings[launch.experiment]),
            style="dim" if launch.in_vain else None,
        )
    return table


def reasons_table(summary: TaskSummary) -> Table:
    """Why each launch of `search_table` was chosen, in full."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for launch in shown_launches(summary.search):
        table.add_row(str(launch.index), escape(launch.reason))
    return table


def shown_launches(search: SearchView) -> list[LaunchView]:
    """All launches, or of a long search those with points on the final frontier."""
    if len(search.launches) <= _MOST_ROWS:
        return search.launches
    return [launch for launch in search.launches if not launch.in_vain]


def _figure(value: float, search: SearchView) -> str:
    return figure(value) if search.measure in OBJECTIVES else f"{100 * value:.1f} %"


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
    frame: PlotFrame
    lines: Mapping[str, str]
    marks: tuple[Mark, ...]
    limits: tuple[Limit, ...] = ()


def search_plots(summary: TaskSummary, labels: Mapping[str, str]) -> list[SearchPlot]:
    """The progress launch by launch, and the predicted beside the measured frontier.

    Either is left out where there is nothing to draw; the second with one objective.
    """
    found = (_progress(summary, labels), _frontiers(summary, labels))
    return [plot for plot in found if plot is not None]


def _progress(summary: TaskSummary, labels: Mapping[str, str]) -> SearchPlot | None:
    search = summary.search
    known = [(launch, launch.value) for launch in search.launches if launch.value is not None]
    if not any(value for _, value in known):
        return None
    last = max(launch.index for launch in search.launches)
    is_share = search.measure not in OBJECTIVES
    low, high = _range([value for _, value in known])
    name = measure_name(search)
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
    limit = limits_by_quantity(summary.task.slo).get(search.measure)
    return SearchPlot(
        title=f"{name} after each launch",
        frame=drawn,
        lines={"incumbent": _staircase(marks)},
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


def _frontiers(summary: TaskSummary, labels: Mapping[str, str]) -> SearchPlot | None:
    objectives = summary.task.objectives
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
    limits = limits_by_quantity(summary.task.slo)
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
            text = f"{labels[point.experiment]} at {point.load}, {origin}"
            if isinstance(point, PredictedPointView) and point.kind:
                text += f" from {point.kind}"
            found.append((kind, text, float(values[across]), float(values[upwards])))
    return found


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in corners)
