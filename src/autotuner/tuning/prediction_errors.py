"""Predictions of launches beside what was measured, and how far they were off. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

from autotuner.config import PERCENTILES
from autotuner.predict import Prediction
from autotuner.predict.predictor import METRICS, interval80, log_std
from autotuner.search import OperatingPoint
from autotuner.store import ExperimentRecord
from autotuner.tuning.summary import (
    ErrorView,
    FiguresView,
    MeasuredView,
    MetricErrorView,
    PredictionErrorView,
    PredictionView,
)


def predictions_beside(
    experiment: ExperimentRecord, measured: Iterable[OperatingPoint]
) -> list[PredictionView]:
    """Expectations of an experiment, level by level, beside what was measured."""
    found = {point.load: point for point in measured}
    calibrated = {point.load: point for point in experiment.calibrated}
    return [
        PredictionView(
            load=base.load,
            measured=_measured(found.get(base.load)),
            base=_figures(base),
            calibrated=_figures(later) if (later := calibrated.get(base.load)) else None,
        )
        for base in experiment.base
    ]


def prediction_error(predictions: Iterable[PredictionView]) -> PredictionErrorView | None:
    """Base and calibrated predictions against what was measured; None where nothing was."""
    pairs = [(view, view.measured) for view in predictions if view.measured is not None]
    base = [_Pair(view.base, measured) for view, measured in pairs]
    calibrated = [_Pair(view.calibrated, measured) for view, measured in pairs if view.calibrated]
    if not base:
        return None
    return PredictionErrorView(
        base=_error(base), calibrated=_error(calibrated) if calibrated else None
    )


class _Pair(NamedTuple):
    predicted: FiguresView
    measured: MeasuredView


def _error(pairs: list[_Pair]) -> ErrorView:
    metrics = {name: _metric(pairs, name) for name in METRICS}
    percentiles = {name: found for name in PERCENTILES if (found := _metric(pairs, name))}
    return ErrorView.model_validate({"points": len(pairs), **metrics, "percentiles": percentiles})


def _metric(pairs: list[_Pair], name: str) -> MetricErrorView | None:
    apes, inside = [], 0
    for predicted, measured in pairs:
        expected, seen = getattr(predicted, name), getattr(measured, name)
        if expected is None or seen is None:
            continue
        low, high = interval80(expected, log_std(predicted, name))
        inside += low <= seen <= high
        apes.append(abs(expected / seen - 1))
    if not apes:
        return None
    return MetricErrorView(median_ape=statistics.median(apes), share_in_interval=inside / len(apes))


def _measured(point: OperatingPoint | None) -> MeasuredView | None:
    if point is None:
        return None
    names = MeasuredView.model_fields
    return MeasuredView.model_validate({name: getattr(point, name) for name in names})


def _figures(point: Prediction) -> FiguresView:
    return FiguresView.model_validate(
        {name: getattr(point, name) for name in FiguresView.model_fields}
    )
