"""How far predictions were from what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

from autotuner.predict import Prediction
from autotuner.predict.predictor import METRICS, interval80
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
    """What was expected of an experiment, level by level, beside what was measured."""
    found = {point.concurrency: point for point in measured}
    calibrated = {point.concurrency: point for point in experiment.calibrated}
    return [
        PredictionView(
            concurrency=base.concurrency,
            measured=_measured(found.get(base.concurrency)),
            base=_figures(base),
            calibrated=_figures(later) if (later := calibrated.get(base.concurrency)) else None,
        )
        for base in experiment.base
    ]


def prediction_error(predictions: Iterable[PredictionView]) -> PredictionErrorView | None:
    """Base and calibrated predictions against what was measured; None where nothing was."""
    pairs = [(told, told.measured) for told in predictions if told.measured is not None]
    base = [_Pair(told.base, measured) for told, measured in pairs]
    calibrated = [_Pair(told.calibrated, measured) for told, measured in pairs if told.calibrated]
    if not base:
        return None
    return PredictionErrorView(
        base=_error(base), calibrated=_error(calibrated) if calibrated else None
    )


class _Pair(NamedTuple):
    predicted: FiguresView
    measured: MeasuredView


def _error(pairs: list[_Pair]) -> ErrorView:
    metrics = {name: _metric(pairs, name, std_name) for name, std_name in METRICS.items()}
    return ErrorView.model_validate({"points": len(pairs), **metrics})


def _metric(pairs: list[_Pair], name: str, std_name: str) -> MetricErrorView | None:
    apes, inside = [], 0
    for predicted, measured in pairs:
        said, seen = getattr(predicted, name), getattr(measured, name)
        if said is None or seen is None:
            continue
        low, high = interval80(said, getattr(predicted, std_name))
        inside += low <= seen <= high
        apes.append(abs(said / seen - 1))
    if not apes:
        return None
    return MetricErrorView(median_ape=statistics.median(apes), share_in_interval=inside / len(apes))


def _measured(point: OperatingPoint | None) -> MeasuredView | None:
    if point is None:
        return None
    return MeasuredView(ttft_ms=point.ttft_ms, tpot_ms=point.tpot_ms, tok_s=point.tok_s)


def _figures(point: Prediction) -> FiguresView:
    return FiguresView.model_validate(
        {name: getattr(point, name) for name in FiguresView.model_fields}
    )
