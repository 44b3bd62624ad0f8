"""Predictions against measurements, as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autotuner.report.axes import Frame, frame, log_span
from autotuner.report.page import render_page, write_aside
from autotuner.verify import METRICS, Comparison, Metric, Miss, Verdict, misses_of, pair_rows

_BAND = 1.2
"""The band around the diagonal: 20 % either way."""
_FEW = 200


@dataclass(frozen=True)
class Dot:
    """A point to draw: its pixels, its tooltip, and whether it is hollow."""

    x: float
    y: float
    tip: str
    hollow: bool


@dataclass(frozen=True)
class ErrorPlot:
    """A frame, dots, the line of equality and the band around it as corner points in pixels."""

    frame: Frame
    dots: tuple[Dot, ...]
    line: str
    band: str

    @property
    def radius_px(self) -> int:
        """Of a dot; smaller where there are many."""
        return 4 if len(self.dots) <= _FEW else 2


def write_comparison(comparison: Comparison, path: Path, verdicts: Sequence[Verdict] = ()) -> None:
    """Writes the page; `path` is never half a file.

    Raises:
        OSError: the folder cannot be written.
    """
    write_aside(path, render_comparison(comparison, verdicts))


def render_comparison(comparison: Comparison, verdicts: Sequence[Verdict] = ()) -> str:
    """The whole document."""
    plots = []
    for metric in METRICS.values():
        misses = misses_of(metric, comparison.pairs)
        if misses:
            plots.append((metric, scatter(metric, misses), by_concurrency(metric, misses)))
    return render_page(
        "comparison.html.j2",
        comparison=comparison,
        metrics=METRICS,
        plots=plots,
        verdicts=verdicts,
        rows=pair_rows(comparison.pairs),
        sides=[("predicted", comparison.predicted), ("measured", comparison.actual)],
    )


def scatter(metric: Metric, misses: Sequence[Miss]) -> ErrorPlot:
    """Predicted against measured, both logarithmic, with the diagonal and 20 % around it."""
    values = [value for miss in misses for value in (miss.predicted, miss.actual)]
    across = log_span(f"measured {metric.title} ({metric.unit})", values)
    drawn = frame(across, log_span(f"predicted {metric.title} ({metric.unit})", values))
    low, high = across.low, across.high
    band = [
        *((low, low * _BAND), (high / _BAND, high), (high, high)),
        *((high, high / _BAND), (low * _BAND, low), (low, low)),
    ]
    return ErrorPlot(
        drawn,
        tuple(_dot(metric, m, drawn, m.actual, m.predicted) for m in misses),
        drawn.corners([(low, low), (high, high)]),
        drawn.corners(band),
    )


def by_concurrency(metric: Metric, misses: Sequence[Miss]) -> ErrorPlot:
    """Predicted over measured at each load, with 20 % around 1."""
    ratios = [miss.predicted / miss.actual for miss in misses]
    across = log_span("concurrent requests", [miss.pair.actual.concurrency for miss in misses])
    upwards = log_span(f"{metric.title}, predicted / measured", [*ratios, _BAND**2, _BAND**-2])
    drawn = frame(across, upwards)
    ends = (across.low, across.high)
    band = [(ends[0], _BAND), (ends[1], _BAND), (ends[1], 1 / _BAND), (ends[0], 1 / _BAND)]
    return ErrorPlot(
        drawn,
        tuple(
            _dot(metric, miss, drawn, miss.pair.actual.concurrency, ratio)
            for miss, ratio in zip(misses, ratios, strict=True)
        ),
        drawn.corners([(ends[0], 1.0), (ends[1], 1.0)]),
        drawn.corners(band),
    )


def _dot(metric: Metric, miss: Miss, drawn: Frame, x: float, y: float) -> Dot:
    point = miss.pair.actual
    return Dot(
        drawn.x.place(x),
        drawn.y.place(y),
        f"{point.source}: {metric.title} {miss.predicted:.4g} {metric.unit} predicted, "
        f"{miss.actual:.4g} measured ({miss.error:+.0f} %) at {point.concurrency} concurrent",
        hollow=not miss.pair.like_for_like,
    )
