"""Predictions against measurements, as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autotuner.report.log_plot import Dot, LogPlot, axis, corners
from autotuner.report.page import render_page, write_aside
from autotuner.verify import METRICS, Comparison, Metric, Miss, Verdict, misses_of, pair_rows

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _EDGE = 380, 320, 52, 40, 12
_BAND = 1.2
"""The band around the diagonal: 20 % either way."""


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
        width=_WIDTH,
        height=_HEIGHT,
        sides=[("predicted", comparison.predicted), ("measured", comparison.actual)],
    )


def scatter(metric: Metric, misses: Sequence[Miss]) -> LogPlot:
    """Predicted against measured, both logarithmic, with the diagonal and 20 % around it."""
    values = [value for miss in misses for value in (miss.predicted, miss.actual)]
    x = axis(values, _LEFT, _WIDTH - _EDGE)
    y = axis(values, _HEIGHT - _BOTTOM, _EDGE)
    low, high = x.low, x.high
    band = [
        *((low, low * _BAND), (high / _BAND, high), (high, high)),
        *((high, high / _BAND), (low * _BAND, low), (low, low)),
    ]
    return LogPlot(
        x,
        y,
        f"measured ({metric.unit})",
        f"predicted ({metric.unit})",
        tuple(_dot(metric, m, x.place(m.actual), y.place(m.predicted)) for m in misses),
        corners(x, y, [(low, low), (high, high)]),
        corners(x, y, band),
    )


def by_concurrency(metric: Metric, misses: Sequence[Miss]) -> LogPlot:
    """Predicted over measured at each load, with 20 % around 1."""
    ratios = [miss.predicted / miss.actual for miss in misses]
    x = axis([miss.pair.actual.concurrency for miss in misses], _LEFT, _WIDTH - _EDGE)
    y = axis([*ratios, _BAND**2, _BAND**-2], _HEIGHT - _BOTTOM, _EDGE)
    ends = (x.low, x.high)
    band = [(ends[0], _BAND), (ends[1], _BAND), (ends[1], 1 / _BAND), (ends[0], 1 / _BAND)]
    return LogPlot(
        x,
        y,
        "concurrent requests",
        "predicted / measured",
        tuple(
            _dot(metric, miss, x.place(miss.pair.actual.concurrency), y.place(ratio))
            for miss, ratio in zip(misses, ratios, strict=True)
        ),
        corners(x, y, [(ends[0], 1.0), (ends[1], 1.0)]),
        corners(x, y, band),
    )


def _dot(metric: Metric, miss: Miss, x: float, y: float) -> Dot:
    point = miss.pair.actual
    return Dot(
        x,
        y,
        f"{point.source}: {metric.title} {miss.predicted:.4g} {metric.unit} predicted, "
        f"{miss.actual:.4g} measured ({miss.error:+.0f} %) at {point.concurrency} concurrent",
        hollow=not miss.pair.like_for_like,
    )
