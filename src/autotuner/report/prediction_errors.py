"""Predicted against actual: the errors as a table, and a scatter of points with error bands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.table import Table

from autotuner.config import LATENCIES, PERCENTILES, LoadLevel
from autotuner.predict.predictor import METRICS, interval80
from autotuner.report.axes import Limit, PlotFrame, frame, log_span
from autotuner.tuning.summary import (
    FiguresView,
    MeasuredView,
    MetricErrorView,
    PredictionErrorView,
    TaskSummary,
)

TITLES = {"ttft_ms": "TTFT (ms)", "tpot_ms": "TPOT (ms)", "tok_s": "throughput (tok/s)"}
_WIDTH_PX, _HEIGHT_PX = 300.0, 290.0


def error_table(error: PredictionErrorView) -> Table:
    """Median error of each figure and its share in the 80 % interval: base, then calibrated."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    both = {"predictor": error.base, "calibrated": error.calibrated}
    shown = {name: figures for name, figures in both.items() if figures is not None}
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
        table.add_column("in 80 %", justify="right", no_wrap=True)
    for metric, title in zip(METRICS, ("TTFT", "TPOT", "throughput"), strict=True):
        table.add_row(title, *_cells(getattr(figures, metric) for figures in shown.values()))
    for name in PERCENTILES:
        if any(name in figures.percentiles for figures in shown.values()):
            found = (figures.percentiles.get(name) for figures in shown.values())
            table.add_row(LATENCIES[name].label, *_cells(found))
    return table


def _cells(errors: Iterable[MetricErrorView | None]) -> Iterator[str]:
    for error in errors:
        yield _percent(None if error is None else error.median_ape)
        yield _percent(None if error is None else error.share_in_interval)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


@dataclass(frozen=True)
class Whisker:
    """One predicted level in a scatter: actual rightwards, predicted upwards, in its pixels."""

    kind: str
    x: float
    y: float
    low_y: float
    high_y: float
    tip: str


@dataclass(frozen=True)
class Scatter:
    """Predicted against actual of one quantity on equal axes: on the diagonal it is exact."""

    title: str
    frame: PlotFrame
    whiskers: tuple[Whisker, ...]
    limits: tuple[Limit, ...]


def scatters(summary: TaskSummary, labels: dict[str, str]) -> list[Scatter]:
    """One for each predicted quantity; none where nothing was predicted and measured."""
    return [found for name in METRICS if (found := _scatter(summary, labels, name)) is not None]


def _scatter(summary: TaskSummary, labels: dict[str, str], name: str) -> Scatter | None:
    pairs: list[tuple[str, str, LoadLevel, FiguresView, MeasuredView]] = []
    for experiment in summary.experiments:
        for level in experiment.predictions:
            for kind, figures in (("base", level.base), ("calibrated", level.calibrated)):
                if figures is None or level.measured is None:
                    continue
                if None not in (getattr(figures, name), getattr(level.measured, name)):
                    pairs.append((experiment.id, kind, level.load, figures, level.measured))
    pairs = [pair for pair in pairs if getattr(pair[3], name) and getattr(pair[4], name)]
    if not pairs:
        return None
    values = [getattr(either, name) for *_, expected, seen in pairs for either in (expected, seen)]
    drawn = frame(
        log_span(f"actual {TITLES[name]}", values),
        log_span(f"predicted {TITLES[name]}", values),
        width=_WIDTH_PX,
        height=_HEIGHT_PX,
    )
    whiskers = []
    for experiment_id, kind, load, expected, seen in pairs:
        predicted, actual = getattr(expected, name), getattr(seen, name)
        least, most = interval80(predicted, getattr(expected, METRICS[name]))
        figures_text = f"predicted {predicted:.4g} ({least:.4g} to {most:.4g}), actual {actual:.4g}"
        whiskers.append(
            Whisker(
                kind=kind,
                x=drawn.x.place(actual),
                y=drawn.y.place(predicted),
                low_y=drawn.y.place(least),
                high_y=drawn.y.place(most),
                tip=f"{labels[experiment_id]} at {load}, {kind}: {figures_text}",
            )
        )
    limit = summary.task.slo.get(name)
    return Scatter(TITLES[name], drawn, tuple(whiskers), drawn.limits(x=limit, y=limit))
