"""Results of a task: frontier, comparison, summary, report."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter

from autotuner.config import LoadLevel
from autotuner.report.html import render_html
from autotuner.server.problems import ProblemKind
from autotuner.server.service import Service
from autotuner.server.v2.conditional_requests import NOT_MODIFIED
from autotuner.server.v2.performance import performance_of_recommended
from autotuner.server.v2.result_versions import ResultCondition
from autotuner.server.v2.routing import (
    ServiceDep,
    TaskId,
    View,
    json_response,
    merged,
    problems,
    v2_router,
)
from autotuner.server.v2.tasks import task_not_found
from autotuner.store import TaskRecord
from autotuner.tuning.baseline_views import BaselineView
from autotuner.tuning.confirmation_views import ConfirmationView
from autotuner.tuning.disturbance import DisturbanceView, disturbance_of, why_uncorrected
from autotuner.tuning.summarise import summarise
from autotuner.tuning.summary import (
    FiguresView,
    MeasuredView,
    PointView,
    PredictedPointView,
    PredictionErrorView,
    RecommendedView,
    SearchView,
    TaskSummary,
)

SUMMARY = TypeAdapter(TaskSummary)
SEARCH = TypeAdapter(SearchView)
router = v2_router("/tasks/{task_id}", "results")
_ERRORS = merged(problems(ProblemKind.NOT_FOUND), problems(ProblemKind.TASK_INVALID))


class FrontierView(View):
    """Measured and predicted Pareto frontiers."""

    objectives: list[str]
    actual: list[PointView] | None
    """Measured points; null where they were not requested."""
    predicted: list[PredictedPointView] | None
    """Points predicted just before each launch; null where they were not requested."""
    recommended: RecommendedView | None
    """Recommended point, of the measured ones."""
    baseline: BaselineView | None
    """The engine's defaults, or the settings of today, and the recommended point beside them; null
    where nothing was launched for that."""
    confirmation: ConfirmationView | None
    """Further launches of the recommended candidate and of those that it has to beat; null where
    none are wanted."""
    disturbance: DisturbanceView | None
    """Levels of the task that were not measured in peace; null where all were."""


class ErrorPercentView(View):
    """Error of a prediction in percent: 100 x (predicted / measured - 1).

    The one of TPOT is null where every answer has one token.
    """

    ttft_ms_percent: float
    tpot_ms_percent: float | None
    tok_s_percent: float


class LevelComparisonView(View):
    """Prediction and measurement of one load level of an experiment."""

    experiment: str
    index: int
    load: LoadLevel
    measured: MeasuredView | None
    base: FiguresView
    """Prediction before calibration."""
    calibrated: FiguresView | None
    """The same, corrected by all earlier measurements."""
    base_error: ErrorPercentView | None
    calibrated_error: ErrorPercentView | None


class ComparisonView(View):
    """Predictions against measurements."""

    levels: list[LevelComparisonView]
    error: PredictionErrorView | None
    """Over all levels that were measured; null where none was predicted and measured."""
    uncorrected: str
    """Reason why calibration changed no prediction; empty where it did."""


FRONTIER = TypeAdapter(FrontierView)
COMPARISON = TypeAdapter(ComparisonView)


class FrontierKind(StrEnum):
    """Frontier that is requested."""

    ACTUAL = "actual"
    PREDICTED = "predicted"
    BOTH = "both"


@router.get("/frontier", response_model=FrontierView, responses=_ERRORS | NOT_MODIFIED)
def get_frontier(
    service: ServiceDep,
    task_id: TaskId,
    condition: ResultCondition,
    kind: Annotated[FrontierKind, Query()] = FrontierKind.BOTH,
) -> Response:
    """The Pareto frontier of operating points: measured, predicted, or both."""
    return condition.answered(lambda: json_response(FRONTIER, _frontier(service, task_id, kind)))


def _frontier(service: Service, task_id: int, kind: FrontierKind) -> dict[str, Any]:
    summary = summarise(service.store, task_of(service, task_id))
    return {
        "objectives": summary.task.objectives,
        "actual": summary.frontier if kind is not FrontierKind.PREDICTED else None,
        "predicted": (
            summary.search.predicted_frontier if kind is not FrontierKind.ACTUAL else None
        ),
        "recommended": summary.recommended,
        "baseline": summary.baseline,
        "confirmation": summary.confirmation,
        "disturbance": disturbance_of(summary.experiments),
    }


@router.get("/comparison", response_model=ComparisonView, responses=_ERRORS | NOT_MODIFIED)
def get_comparison(service: ServiceDep, task_id: TaskId, condition: ResultCondition) -> Response:
    """Predictions and measurements of every load level, and the errors."""
    return condition.answered(lambda: json_response(COMPARISON, _comparison(service, task_id)))


def _comparison(service: Service, task_id: int) -> dict[str, Any]:
    summary = summarise(service.store, task_of(service, task_id))
    levels = [
        {
            "experiment": experiment.id,
            "index": experiment.index,
            "load": level.load,
            "measured": level.measured,
            "base": level.base,
            "calibrated": level.calibrated,
            "base_error": _error_percent(level.base, level.measured),
            "calibrated_error": _error_percent(level.calibrated, level.measured),
        }
        for experiment in summary.experiments
        for level in experiment.predictions
    ]
    learns_when_busy = summary.task.config.get("benchmark", {}).get("learn_when_busy", False)
    return {
        "levels": levels,
        "error": summary.prediction_error,
        "uncorrected": why_uncorrected(summary.experiments, when_busy=learns_when_busy),
    }


@router.get("/search", response_model=SearchView, responses=_ERRORS | NOT_MODIFIED)
def get_search(service: ServiceDep, task_id: TaskId, condition: ResultCondition) -> Response:
    """How a task searched: what each finished launch added, and what was predicted of them."""
    return condition.answered(
        lambda: json_response(SEARCH, summarise(service.store, task_of(service, task_id)).search)
    )


@router.get("/summary", response_model=TaskSummary, responses=_ERRORS | NOT_MODIFIED)
def get_summary(service: ServiceDep, task_id: TaskId, condition: ResultCondition) -> Response:
    """All results of a task, in the form of `autotuner show --json`."""
    return condition.answered(
        lambda: json_response(SUMMARY, summarise(service.store, task_of(service, task_id)))
    )


@router.get(
    "/report",
    response_class=HTMLResponse,
    responses=_ERRORS
    | {
        200: {
            "description": "One page that works offline.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    },
)
def get_report(service: ServiceDep, task_id: TaskId) -> HTMLResponse:
    """The report of a task, for people."""
    task = task_of(service, task_id)
    performance = performance_of_recommended(service, task)
    return HTMLResponse(render_html(summarise(service.store, task), performance))


def task_of(service: Service, task_id: int) -> TaskRecord:
    """The task; an HTTP problem where there is none."""
    found = service.store.tasks.get(task_id)
    if found is None:
        raise task_not_found(task_id)
    return found


def _error_percent(
    predicted: FiguresView | None, measured: MeasuredView | None
) -> dict[str, float | None] | None:
    if predicted is None or measured is None:
        return None
    figures = {
        name: (getattr(predicted, name), getattr(measured, name))
        for name in ("ttft_ms", "tpot_ms", "tok_s")
    }
    return {
        f"{name}_percent": 100 * (value / actual - 1) if value and actual else None
        for name, (value, actual) in figures.items()
    }
