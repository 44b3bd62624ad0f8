"""What a task would do, as API v2 tells it."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue, TypeAdapter

from autotuner.server.v2.routing import FaultView
from autotuner.server.v2.task_views import View

Settings = dict[str, JsonValue]


class Validation(View):
    """Whether a document is a task that can run here."""

    valid: bool
    errors: list[FaultView]
    """Every fault, with the path of its field; empty where it is valid."""
    warnings: list[str]
    """What profiles want and the engine cannot express."""
    content_id: str | None
    """A hash of all that decides what is launched; null where it is no task."""
    candidates: int | None
    """How many there would be; null where it cannot be prepared."""


class PlannedCandidate(View):
    """A candidate and how it would be launched."""

    id: str
    settings: Settings
    command: str


class PlannedBudget(View):
    """The limits of a task; null where there is none."""

    experiments: int | None
    minutes: float | None
    usd: float | None


class PredictedPoint(View):
    """What is expected of a candidate at one load level.

    `*_log_std`: standard deviation of ln(measured / predicted).
    """

    candidate: str
    settings: Settings
    gpus: int
    concurrency: int
    ttft_ms: float
    tpot_ms: float | None
    """Null where every answer has one token, as `tok_s_per_user`."""
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float | None
    requests_per_s: float
    e2e_ms: float
    ttft_log_std: float
    tpot_log_std: float
    tok_s_log_std: float
    memory_gib: float | None
    source: str
    kind: str
    """The kind of data that `source` stands on; points of different kinds compare less well."""
    note: str
    on_frontier: bool


class PredictedLimit(View):
    """How the recommended point stands to a limit of the SLO."""

    name: str
    limit_ms: float
    predicted_ms: float
    interval_ms: list[float]
    """80 % interval of what will be measured."""
    verdict: Literal["meets", "unclear", "misses"]
    over: float
    """By what share the prediction is over the limit; 0 where it is not."""


class PredictedRecommendation(View):
    """The point to expect most of, before anything is launched."""

    candidate: str
    settings: Settings
    gpus: int
    concurrency: int
    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    requests_per_s: float
    e2e_ms: float
    usd_per_million_tokens: float | None
    intervals: dict[str, list[float]]
    """Of 80 %: quantity -> from, to."""
    reason: str
    meets_slo: bool
    limits: list[PredictedLimit]
    command: str


class PredictedMisfit(View):
    """Why a candidate is expected not to fit into memory."""

    why: str
    needed_gib: float | None
    available_gib: float | None


class PredictionPart(View):
    """What is expected of the task as a whole."""

    predictor: str | None
    why: str
    observations: int
    """How many earlier measurements corrected the predictions."""
    recommended: PredictedRecommendation | None
    mixed: str | None
    """Which kinds of data are compared, in a sentence; null where it is one."""
    frontier: list[PredictedPoint]
    """The predicted points that no other beats, the fastest for a user first."""
    out_of_memory: dict[str, PredictedMisfit]
    refused: dict[str, str]
    """Candidate -> why nothing can be said of it."""
    asked: int
    """How many candidates were predicted: all, or a sample spread over the space."""
    minutes: float | None
    """Of tuning; null where nothing is predicted."""
    usd: float | None
    """Of tuning; null where no price is known."""
    warnings: list[str]


class TaskPlan(View):
    """What tuning would do, before anything is launched."""

    task: str
    replay: bool
    landscape: str | None
    content_id: str
    engine: str
    engine_version: str
    engine_origin: str
    installed: bool
    """Whether the engine is on the service's machine."""
    model: str
    model_path: str
    model_notes: list[str]
    """What is not known of the model, and what contradicts its files."""
    device: str
    strategy: str
    strategy_reason: str
    min_gain: float
    budget: PlannedBudget
    side_by_side: int
    """Engines that may run at once."""
    objectives: list[str]
    workload: str
    concurrency: list[int]
    """Load levels: requests in flight."""
    concurrency_reason: str
    """Why these, where the task leaves them to the product; else empty."""
    combinations: int
    candidates: int
    launches: int
    """How many candidates will be launched at the most."""
    excluded: dict[str, int]
    """Why -> how many combinations."""
    profiles: list[str]
    warnings: list[str]
    axes: dict[str, list[JsonValue]]
    """`group.field` -> the values that differ among candidates."""
    expected_minutes: float | None
    """As earlier runs of the same task took; null where there is none."""
    at_most_minutes: float | None
    """Where every level runs to its time limit; null where that is beyond all numbers."""
    experiments: list[PlannedCandidate]
    """The candidates in the order of the space; the first of them where there are many."""
    prediction: PredictionPart


VALIDATION: TypeAdapter[Validation] = TypeAdapter(Validation)
PLAN: TypeAdapter[TaskPlan] = TypeAdapter(TaskPlan)
