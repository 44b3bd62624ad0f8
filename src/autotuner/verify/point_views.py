"""Points of files in the shape that points of tasks have, for charts that hold both."""

from __future__ import annotations

from collections.abc import Iterator

from autotuner.tuning.operating_points import OperatingPointView
from autotuner.tuning.point_figures import FigureView, PointFiguresView
from autotuner.verify.points import Point, PointFile
from autotuner.verify.readers import is_predicted


class ResultPointView(OperatingPointView):
    """A point of a file, and what it is of; null is what the file does not state of it."""

    model: str | None
    workload: str | None
    """Lengths of its requests: `D(1024,512)`."""
    engine: str | None
    engine_version: str | None
    system: str | None
    layout: str | None
    """How its workers are laid out, where its settings cannot say it."""


_SCALARS = (str, int, float, bool)


def point_views(file: PointFile) -> Iterator[ResultPointView]:
    """The points of a file, in its order."""
    kind = "predicted" if is_predicted(file) else "measured"
    for place, point in enumerate(file.points, 1):
        yield ResultPointView(
            id=f"{place}:{point.load.kind.value}:{point.load.value:g}",
            kind=kind,
            experiment_index=None,
            candidate=point.candidate or point.label,
            load=point.load,
            settings={
                name: value
                for name, value in point.settings.items()
                if value is None or isinstance(value, _SCALARS)
            },
            gpus=point.gpus or 0,
            figures=_figures(point),
            verdicts={},
            meets_slo=None,
            on_frontier=False,
            is_steady=True,
            source=point.tool or file.format,
            note="; ".join(point.remarks),
            model=point.model,
            workload=_workload(point),
            engine=point.engine,
            engine_version=point.engine_version,
            system=point.system,
            layout=point.layout,
        )


def _workload(point: Point) -> str | None:
    if not point.isl or not point.osl:
        return None
    return point.lengths or f"D({point.isl:g},{point.osl:g})"


def _figures(point: Point) -> PointFiguresView:
    per_user = 1000 / point.tpot_ms if point.tpot_ms else None
    return PointFiguresView(
        tok_s=_figure(point.tok_s),
        tok_s_per_gpu=_figure(point.tok_s_per_gpu),
        tok_s_per_user=_figure(per_user),
        ttft_ms=_figure(point.ttft_ms),
        tpot_ms=_figure(point.tpot_ms),
    )


def _figure(value: float | None) -> FigureView | None:
    return FigureView(value=value) if value else None
