"""Experiments as API v2 tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from autotuner.measure.results import Measurement
from autotuner.server.v2.task_views import View
from autotuner.tuning.summary import FailureView, PredictionView, Scalar

ExperimentStatus = Literal["running", "completed", "failed", "interrupted"]


class ExperimentItem(View):
    """One candidate launched, with the figures of its representative operating point.

    Throughput in output tokens per second of the whole deployment, latencies in ms: means, and the
    90th percentile end to end. `predicted_*` is what was expected before the launch.
    """

    index: int
    """Counts from 1 in the order of launch."""
    candidate_id: str
    status: ExperimentStatus
    phase: str
    selection_reason: str
    """Why it was launched."""
    settings: dict[str, Scalar]
    """`group.field` -> value."""
    command: str
    failure_kind: str | None
    failure_message: str | None
    unpredicted: str | None
    """Why nothing could be predicted."""
    cut_short: str | None
    """Why load levels were left out: they could not improve the frontier."""
    startup_s: float | None
    measure_s: float | None
    began_s: float
    """When it was launched, in seconds of the task's work."""
    started_at: datetime
    ended_at: datetime | None
    predicted_throughput_tok_s: float | None
    predicted_ttft_ms: float | None
    predicted_tpot_ms: float | None
    predicted_latency_p90_ms: float | None
    actual_throughput_tok_s: float | None
    actual_ttft_ms: float | None
    actual_tpot_ms: float | None
    actual_latency_p90_ms: float | None
    is_on_predicted_frontier: bool
    is_on_actual_frontier: bool


class ExperimentPage(View):
    """Some experiments of a task, in the order of launch."""

    items: list[ExperimentItem]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""


class ExperimentDetail(ExperimentItem):
    """An experiment as a whole."""

    failure: FailureView | None
    predictions: list[PredictionView]
    """What was expected of each load level, beside what was measured."""


class MeasurementItem(Measurement):
    """One load level; `repeat` counts from 0 where the sweep was measured several times."""

    repeat: int


class MeasurementList(View):
    """All that was measured in an experiment, in the order in which it was."""

    items: list[MeasurementItem]


EXPERIMENT_PAGE = TypeAdapter(ExperimentPage)
EXPERIMENT = TypeAdapter(ExperimentDetail)
MEASUREMENTS = TypeAdapter(MeasurementList)
