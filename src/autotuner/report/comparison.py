"""Predictions against measurements as a JSON document and as one HTML file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotuner.config import LoadKind
from autotuner.report.axes import PlotFrame, frame, log_span
from autotuner.report.html import render_page, write_aside
from autotuner.verify import (
    METRICS,
    Comparison,
    Errors,
    Metric,
    Miss,
    Pair,
    PredictedChoice,
    Side,
    Verdict,
    misses_of,
)


def comparison_document(comparison: Comparison, verdicts: Sequence[Verdict] = ()) -> dict[str, Any]:
    """The whole comparison; errors and shares in percent. docs/json.md describes it."""
    return {
        "schema_version": 2,
        "title": comparison.title,
        "predicted": _side(comparison.predicted),
        "actual": _side(comparison.actual),
        "within": list(comparison.within),
        "slo": dict(comparison.slo),
        "metrics": _errors(comparison.errors),
        "unlike": comparison.unlike,
        "like_for_like": _errors(comparison.like_for_like),
        "by": {
            dimension: {value: _errors(errors) for value, errors in values.items()}
            for dimension, values in comparison.by.items()
        },
        "worst": {
            name: [_miss(miss) for miss in misses] for name, misses in comparison.worst.items()
        },
        "choices": [_choice(choice) for choice in comparison.choices],
        "pairs": pair_rows(comparison.pairs),
        "requirements": [
            {**asdict(verdict.requirement), "found": verdict.found, "met": verdict.met}
            for verdict in verdicts
        ],
    }


def pair_rows(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """One flat row a pair: what it is, both sides' figures, the error of each in percent."""
    return list(map(_row, pairs))


def pairs_csv(pairs: Sequence[Pair]) -> Iterator[str]:
    """The same rows as the lines of a CSV, header first, each made when it is asked for.

    The load has a column for each kind that there is. Text that a spreadsheet would run as a
    formula is led by an apostrophe.
    """
    loads = list(dict.fromkeys(pair.actual.load.kind.value for pair in pairs))
    columns = [*_PLACE, *loads, *_FIGURES, *_REST]
    yield _line(columns)
    for pair in pairs:
        row = _row(pair)
        load = row.pop("load")
        row[load["kind"]] = load["value"]
        yield _line([row.get(name) for name in columns])


_PLACE = ("model", "engine", "system", "candidate", "layout", "gpus", "isl", "osl")
_FIGURES = tuple(
    column
    for name, metric in METRICS.items()
    for unit in ("" if name == "tok_s" else f"_{metric.unit}",)
    for column in (f"predicted_{name}{unit}", f"actual_{name}{unit}", f"{name}_error")
)
_REST = ("like_for_like", "unlike", "predicted_source", "actual_source")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _line(cells: Sequence[object]) -> str:
    file = io.StringIO()
    csv.writer(file).writerow(
        [f"'{one}" if isinstance(one, str) and one.startswith(_FORMULA) else one for one in cells]
    )
    return file.getvalue()


def _row(pair: Pair) -> dict[str, Any]:
    row: dict[str, Any] = {**_place(pair)}
    for name, metric in METRICS.items():
        predicted, actual = metric.of(pair.predicted), metric.of(pair.actual)
        unit = "" if name == "tok_s" else f"_{metric.unit}"
        row[f"predicted_{name}{unit}"] = predicted
        row[f"actual_{name}{unit}"] = actual
        both = predicted is not None and actual is not None
        row[f"{name}_error"] = 100 * (predicted - actual) / actual if both else None  # type: ignore[operator]  # `both` says so
    row["like_for_like"] = pair.like_for_like
    row["unlike"] = "; ".join(pair.unlike)
    row["predicted_source"] = pair.predicted.source
    row["actual_source"] = pair.actual.source
    return row


def _place(pair: Pair) -> dict[str, Any]:
    names = {name: pair.known(name) for name in ("model", "engine", "system", "candidate")}
    return {
        **names,
        "layout": pair.label,
        **{name: pair.known(name) for name in ("gpus", "isl", "osl")},
        "load": pair.actual.load.to_json(),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "format": side.format,
        "points": side.points,
        "excluded": [asdict(one) for one in side.excluded],
        "unmatched": [asdict(one) for one in side.unmatched],
        "not_used": dict(side.not_used or {}),
        "notes": list(side.notes),
    }


def _errors(found: Mapping[str, Errors]) -> dict[str, Any]:
    return {
        name: {
            "pairs": errors.pairs,
            "missing": errors.missing,
            "mape": errors.mape,
            "median_ape": errors.median_ape,
            "bias": errors.bias,
            "spearman": errors.spearman,
            "within": {f"{limit:g}": share for limit, share in errors.within.items()},
        }
        for name, errors in found.items()
    }


def _miss(miss: Miss) -> dict[str, Any]:
    place = _place(miss.pair)
    figures = {"predicted": miss.predicted, "actual": miss.actual, "error": miss.error}
    return {**place, **figures, "source": miss.pair.actual.source}


def _choice(choice: PredictedChoice) -> dict[str, Any]:
    plain = {
        name: getattr(choice, name)
        for name in (
            *("scenario", "points", "predicted_frontier", "actual_frontier", "common"),
            *("hypervolume_ratio", "same", "regret", "meets_slo"),
        )
    }
    return {**plain, "chosen": _place(choice.chosen), "best": _place(choice.best)}


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

    frame: PlotFrame
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
            plots.append((metric, scatter(metric, misses), by_load(metric, misses)))
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


def _load_title(misses: Sequence[Miss]) -> str:
    kinds = {miss.pair.actual.load.kind for miss in misses}
    titles = {LoadKind.CONCURRENCY: "concurrent requests", LoadKind.RATE: "requests/s"}
    return " or ".join(title for kind, title in titles.items() if kind in kinds)


def by_load(metric: Metric, misses: Sequence[Miss]) -> ErrorPlot:
    """Predicted over measured at each load, with 20 % around 1."""
    ratios = [miss.predicted / miss.actual for miss in misses]
    across = log_span(_load_title(misses), [miss.pair.actual.load.value for miss in misses])
    upwards = log_span(f"{metric.title}, predicted / measured", [*ratios, _BAND**2, _BAND**-2])
    drawn = frame(across, upwards)
    ends = (across.low, across.high)
    band = [(ends[0], _BAND), (ends[1], _BAND), (ends[1], 1 / _BAND), (ends[0], 1 / _BAND)]
    return ErrorPlot(
        drawn,
        tuple(
            _dot(metric, miss, drawn, miss.pair.actual.load.value, ratio)
            for miss, ratio in zip(misses, ratios, strict=True)
        ),
        drawn.corners([(ends[0], 1.0), (ends[1], 1.0)]),
        drawn.corners(band),
    )


def _dot(metric: Metric, miss: Miss, drawn: PlotFrame, x: float, y: float) -> Dot:
    point = miss.pair.actual
    return Dot(
        drawn.x.place(x),
        drawn.y.place(y),
        f"{point.source}: {metric.title} {miss.predicted:.4g} {metric.unit} predicted, "
        f"{miss.actual:.4g} measured ({miss.error:+.0f} %) at {point.load} concurrent",
        hollow=not miss.pair.like_for_like,
    )
