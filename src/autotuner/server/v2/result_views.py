"""What came out of a task, as API v2 tells it."""

from __future__ import annotations

from pydantic import TypeAdapter

from autotuner.server.v2.task_views import View
from autotuner.tuning.summary import (
    FiguresView,
    MeasuredView,
    PointView,
    PredictedPointView,
    PredictionErrorView,
    RecommendedView,
    RunSummary,
)


class FrontierView(View):
    """The points that no other beats."""

    objectives: list[str]
    actual: list[PointView] | None
    """What was measured; null where it was not asked for."""
    predicted: list[PredictedPointView] | None
    """What was expected of the launches just before each; null where it was not asked for."""
    recommended: RecommendedView | None
    """The measured point to serve with."""


class MissView(View):
    """How far a prediction was off: 100 x (predicted / measured - 1).

    That of TPOT is null where every answer has one token.
    """

    ttft_ms_percent: float
    tpot_ms_percent: float | None
    tok_s_percent: float


class ComparedView(View):
    """One load level of an experiment: what was expected beside what was measured."""

    experiment: str
    index: int
    concurrency: int
    measured: MeasuredView | None
    base: FiguresView
    """What the predictor said."""
    calibrated: FiguresView | None
    """The same, corrected by all that had been measured until then."""
    base_error: MissView | None
    calibrated_error: MissView | None


class ComparisonView(View):
    """Predictions against measurements."""

    levels: list[ComparedView]
    error: PredictionErrorView | None
    """Over all levels that were measured; null where none was predicted and measured."""


FRONTIER = TypeAdapter(FrontierView)
COMPARISON = TypeAdapter(ComparisonView)
SUMMARY = TypeAdapter(RunSummary)
