"""Predicted against actual: the errors as a table, and a scatter of points with error bands."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table

from autotuner.predict.interval import METRICS, interval80
from autotuner.tuning.summary import (
    FiguresView,
    MeasuredView,
    PredictionErrorView,
    RunSummary,
)

TITLES = {"ttft_ms": "TTFT (ms)", "tpot_ms": "TPOT (ms)", "tok_s": "throughput (tok/s)"}
_LEFT, _TOP, _SIDE = 46.0, 8.0, 214.0
"""The frame of a scatter in a viewBox of 270 x 260."""


def error_table(error: PredictionErrorView) -> Table:
    """Base beside calibrated: median error, and the share inside the 80 % interval."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in ("TTFT", "TPOT", "throughput"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, figures in (("predictor", error.base), ("calibrated", error.calibrated)):
        if figures is not None:
            found = [getattr(figures, metric) for metric in METRICS]
            table.add_row(name, *(f"{100 * metric.median_ape:.0f} %" for metric in found))
            inside = (f"{100 * metric.share_in_interval:.0f} %" for metric in found)
            table.add_row("  inside the 80 % interval", *inside)
    return table


@dataclass(frozen=True)
class Whisker:
    """One predicted level in a scatter: actual rightwards, predicted upwards, in its pixels."""

    experiment: str
    kind: str
    x: float
    y: float
    low_y: float
    high_y: float
    told: str


@dataclass(frozen=True)
class Scatter:
    """Predicted against actual of one quantity, both axes logarithmic and equal.

    `ticks` are (pixel on x, pixel on y, text); on the diagonal a prediction is exact.
    """

    title: str
    left: float
    top: float
    side: float
    ticks: tuple[tuple[float, float, str], ...]
    whiskers: tuple[Whisker, ...]


def scatters(summary: RunSummary, labels: dict[str, str]) -> list[Scatter]:
    """One for each predicted quantity; none where nothing was predicted and measured."""
    return [found for name in METRICS if (found := _scatter(summary, labels, name)) is not None]


def _scatter(summary: RunSummary, labels: dict[str, str], name: str) -> Scatter | None:
    pairs: list[tuple[str, str, int, FiguresView, MeasuredView]] = []
    for experiment in summary.experiments:
        for level in experiment.predictions:
            for kind, figures in (("base", level.base), ("calibrated", level.calibrated)):
                if figures is not None and level.measured is not None:
                    pairs.append((experiment.id, kind, level.concurrency, figures, level.measured))
    if not pairs:
        return None
    values = [getattr(either, name) for *_, said, seen in pairs for either in (said, seen)]
    low, high = math.log10(min(values) / 1.3), math.log10(max(values) * 1.3)

    def along(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return _SIDE * min(max(share, 0.0), 1.0)

    whiskers = []
    for experiment_id, kind, concurrency, said, seen in pairs:
        predicted, actual = getattr(said, name), getattr(seen, name)
        least, most = interval80(predicted, getattr(said, METRICS[name]))
        whiskers.append(
            Whisker(
                experiment=experiment_id,
                kind=kind,
                x=_LEFT + along(actual),
                y=_TOP + _SIDE - along(predicted),
                low_y=_TOP + _SIDE - along(least),
                high_y=_TOP + _SIDE - along(most),
                told=f"{labels[experiment_id]} at {concurrency}, {kind}: "
                f"predicted {predicted:.4g} ({least:.4g} to {most:.4g}), actual {actual:.4g}",
            )
        )
    ticks = tuple((_LEFT + along(v), _TOP + _SIDE - along(v), f"{v:g}") for v in _ticks(low, high))
    return Scatter(TITLES[name], _LEFT, _TOP, _SIDE, ticks, tuple(whiskers))


def _ticks(low: float, high: float) -> Iterable[float]:
    """Round values between two decimal logarithms: 1, 2, 5 of each decade, fewer over many."""
    steps = (1, 2, 5) if high - low < 2 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    return [
        step * 10.0**decade
        for decade in decades
        for step in steps
        if low <= math.log10(step * 10.0**decade) <= high
    ]
