"""The point of a task that is deployed: the recommended one, or the one that is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from autotuner.errors import ExportError
from autotuner.report.points import PlotPoint, plot_points
from autotuner.tuning.recording import no_frontier
from autotuner.tuning.summary import TaskSummary

_MOST_NAMES = 8


def exportable_points(summary: TaskSummary) -> list[PlotPoint]:
    """Every operating point of a task; the recommended one first, then those of the frontier."""
    return sorted(
        plot_points(summary), key=lambda point: (not point.recommended, not point.on_frontier)
    )


def chosen_point(summary: TaskSummary, named: str | None) -> PlotPoint:
    """The point `CANDIDATE` or `CANDIDATE@LOAD`; the recommended one where none is named.

    The first characters of a candidate do where no other begins with them.

    Of a candidate without a load it is the recommended point, else the one of the frontier with
    the most load, else the highest load that was measured.

    Raises:
        NoResultError: no launch of the task measured an operating point.
        ExportError: there is no such point.
    """
    points = exportable_points(summary)
    if not points:
        raise no_frontier(summary.task.id, summary.task.status, len(summary.experiments))
    if named is None:
        return points[0]
    prefix, _, load = named.partition("@")
    known = dict.fromkeys(point.experiment for point in points)
    alike = [one for one in known if prefix and one.startswith(prefix)]
    if prefix not in known and len(alike) != 1:
        number = f"begins {len(alike)} candidates" if alike else "has no operating point"
        _refuse(f"{prefix!r} {number} in task {summary.task.id}", alike or known)
    candidate = prefix if prefix in known else alike[0]
    own = [point for point in points if point.experiment == candidate]
    if not load:
        return max(own, key=lambda p: (p.recommended, p.on_frontier, p.load.value))
    found = next((point for point in own if _is_load(point, load)), None)
    if found is None:
        values = sorted(point.load.value for point in own)
        _refuse(f"{candidate} has no load {load!r}", [f"{candidate}@{value:g}" for value in values])
    return found


def point_name(point: PlotPoint) -> str:
    """The point as `--point` takes it."""
    return f"{point.experiment}@{point.load.value:g}"


def _is_load(point: PlotPoint, text: str) -> bool:
    try:
        return float(text) == point.load.value
    except ValueError:
        return False


def _refuse(message: str, known: Iterable[str]) -> NoReturn:
    names = list(known)
    shown = names[:_MOST_NAMES]
    more = f", and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    raise ExportError(f"point: {message}", remedy=f"give one of {', '.join(shown)}{more}")
