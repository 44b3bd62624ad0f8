"""Errors of predictions: what the definitions say, and nothing of what was not measured."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.config import LoadLevel
from autotuner.predict.predictor import interval80
from autotuner.tuning.prediction_errors import prediction_error
from autotuner.tuning.summary import FiguresView, MeasuredView, PredictionView

POSITIVE = st.floats(min_value=1e-3, max_value=1e6)


def shown(
    predicted: float, measured: float | None, calibrated: float | None = None, std: float = 0.5
) -> PredictionView:
    def figures(value: float) -> FiguresView:
        names: dict[str, Any] = dict.fromkeys(["ttft_ms", "tpot_ms", "tok_s"], value)
        stds = dict.fromkeys(["ttft_log_std", "tpot_log_std", "tok_s_log_std"], std)
        return FiguresView(**names, **stds, source="made up")

    seen = None
    if measured is not None:
        seen = MeasuredView(ttft_ms=measured, tpot_ms=measured, tok_s=measured)
    return PredictionView(
        load=LoadLevel.concurrency(1),
        measured=seen,
        base=figures(predicted),
        calibrated=None if calibrated is None else figures(calibrated),
    )


def test_the_median_of_absolute_relative_errors() -> None:
    error = prediction_error([shown(110, 100, 101), shown(80, 100, 99), shown(300, 100, 100)])
    assert error is not None
    assert error.calibrated is not None
    assert error.base.ttft_ms.median_ape == pytest.approx(0.2)
    assert error.calibrated.tok_s.median_ape == pytest.approx(0.01)
    assert (error.base.points, error.base.tpot_ms.share_in_interval) == (3, pytest.approx(2 / 3))


def test_levels_that_were_not_measured_take_no_part() -> None:
    error = prediction_error([shown(100, None), shown(50, 100)])
    assert error is not None
    assert (error.base.points, error.calibrated) == (1, None)
    assert prediction_error([shown(100, None)]) is None
    assert prediction_error([]) is None


@given(POSITIVE, st.floats(min_value=0, max_value=3))
def test_an_interval_is_even_around_its_value_in_logarithms(value: float, std: float) -> None:
    low, high = interval80(value, std)
    assert low <= value <= high
    assert math.log(high / value) == pytest.approx(math.log(value / low), abs=1e-9)


def test_an_interval_holds_four_in_five() -> None:
    from statistics import NormalDist

    low, high = interval80(1.0, 1.0)
    normal = NormalDist()
    share = normal.cdf(math.log(high)) - normal.cdf(math.log(low))
    assert share == pytest.approx(0.8)
