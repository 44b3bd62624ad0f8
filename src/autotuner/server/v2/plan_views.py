"""Models of validations and plans in responses of API v2."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue, TypeAdapter

from autotuner.config import LoadLevel
from autotuner.server.v2.routing import FaultView, View

Settings = dict[str, JsonValue]


class Validation(View):
    """Whether a document is a task that can run here."""

    valid: bool
    errors: list[FaultView]
    """Every fault, with the path of its field; empty where it is valid."""
    warnings: list[str]
    """Settings of profiles that the engine cannot express."""
    content_id: str | None
    """Hash of all that determines what is launched; null where it is not a task."""
    candidates: int | None
    """Number of candidates; null where it cannot be prepared."""


class PlannedCandidate(View):
    """Candidate, its expected start and its command line."""

    id: str
    settings: Settings
    startup_s: float
    """Expected seconds until the engine is ready."""
    startup_source: Literal["recorded", "again", "first", "assumed"]
    """Basis of that: the recorded launch of a replay; earlier starts of the same settings; first
    starts of other settings; an assumption."""
    startup_launches: int
    """Earlier launches of which it is the median; 0 where it is none."""
    command: str | None
    """Null where commands are left out."""
    unserved: str | None
    """Reason why the command does not serve what the figures are of; null where it does."""


class PlannedBaseline(PlannedCandidate):
    """Configuration that is launched first."""

    kind: Literal["defaults", "mine"]
    reason: str
    """Name of it, and what has to be set for it to start."""


class PlannedBudget(View):
    """The limits of a task; null where there is none."""

    experiments: int | None
    minutes: float | None
    usd: float | None


class PredictedPercentiles(View):
    """Predicted percentiles over requests; null where nothing tells them."""

    ttft_p90_ms: float | None
    ttft_p99_ms: float | None
    tpot_p90_ms: float | None
    tpot_p99_ms: float | None
    e2e_p90_ms: float | None
    e2e_p99_ms: float | None
    percentiles_from: str
    """Basis of the percentiles; empty where there are none."""


class PredictedPoint(PredictedPercentiles):
    """Predicted operating point: a candidate at one load level.

    `*_log_std`: standard deviation of ln(measured / predicted).
    """

    candidate: str
    settings: Settings
    gpus: int
    load: LoadLevel
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
    """Limit of the SLO and the recommended point's prediction for it."""

    name: str
    limit_ms: float
    predicted_ms: float
    interval_ms: list[float]
    """80 % interval of the measurement."""
    verdict: Literal["meets", "unclear", "misses"]
    over: float
    """By what share the prediction is over the limit; 0 where it is not."""
    basis: str
    """Basis of a predicted percentile; empty of a mean."""


class PredictionMemberView(View):
    """Answer of one predictor of a blend, and its weights as measurements leave them."""

    name: str
    ttft_ms: float
    tpot_ms: float | None
    ttft_weight: float
    tpot_weight: float
    percentiles: dict[str, float]
    """Name -> ms, of those that it predicts itself."""


class PredictedRecommendation(PredictedPercentiles):
    """Recommended point by prediction alone."""

    candidate: str
    settings: Settings
    gpus: int
    load: LoadLevel
    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    requests_per_s: float
    e2e_ms: float
    usd_per_million_tokens: float | None
    """Of output tokens; null where no price is known, as the two below."""
    usd_per_million_input_tokens: float | None
    usd_per_million_total_tokens: float | None
    """Of input and output tokens together."""
    intervals: dict[str, list[float]]
    """Quantity -> bounds of its 80 % interval."""
    members: list[PredictionMemberView]
    """Predictors that the point is a blend of; empty where one answers alone."""
    reason: str
    meets_slo: bool
    limits: list[PredictedLimit]
    command: str
    unserved: str | None
    """Reason why the command does not serve what the figures are of; null where it does."""


class InfeasibleView(View):
    """Reason why a candidate is predicted to exceed memory."""

    why: str
    needed_gib: float | None
    available_gib: float | None


class PlanPredictionView(View):
    """Prediction of the task as a whole."""

    predictor: str | None
    why: str
    observations: int
    """Number of earlier measurements that corrected the predictions."""
    recommended: PredictedRecommendation | None
    mixed: str | None
    """Sentence about the kinds of data that are compared; null where it is one."""
    frontier: list[PredictedPoint]
    """Predicted Pareto frontier, the fastest for a user first."""
    out_of_memory: dict[str, InfeasibleView]
    refused: dict[str, str]
    """Candidate -> reason why it is not predicted."""
    asked: int
    """Number of predicted candidates: all, or a sample spread over the space."""
    minutes: float | None
    """Of tuning; null where nothing is predicted."""
    usd: float | None
    """Of tuning; null where no price is known."""
    warnings: list[str]


class TaskPlan(View):
    """Plan of a task, before anything is launched."""

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
    """Unknown facts of the model, and contradictions to its files."""
    device: str
    strategy: str
    strategy_reason: str
    min_gain: float
    budget: PlannedBudget
    side_by_side: int
    """Engines that may run at once."""
    objectives: list[str]
    workload: str
    load: list[LoadLevel]
    """Load levels, all of one kind."""
    load_reason: str
    """Reason for these levels, where the task leaves them open; else empty."""
    slo_notes: list[str]
    """Percentiles in the SLO that the levels have too few requests for."""
    combinations: int
    candidates: int
    launches: int
    """Most candidates that will be launched, the baseline beside them."""
    baseline: PlannedBaseline | None
    """Configuration that is launched first, to compare with; null where there is none."""
    baseline_reason: str
    """Why there is none; empty where there is one."""
    confirm_launches: int
    """Most further launches that confirm the result, kept of the budget's experiments."""
    excluded: dict[str, int]
    """Why -> how many combinations."""
    profiles: list[str]
    warnings: list[str]
    axes: dict[str, list[JsonValue]]
    """`group.field` -> the values that differ among candidates."""
    startup_s: float
    """Seconds that the engine is expected to take until it is ready."""
    startup_why: str
    """Where that is from: earlier launches, or an assumption."""
    expected_minutes: float | None
    """Duration of earlier tasks of the same document; null where there is none."""
    at_most_minutes: float | None
    """Duration if every level runs to its time limit, or each launch takes as long as the longest
    of the earlier task; null where it is not finite."""
    experiments: list[PlannedCandidate]
    """The candidates in the order of the space; the first of them where there are many."""
    prediction: PlanPredictionView
    why_not: list[str]
    """Why nothing is predicted to meet the SLO, and what excludes more than half of the
    combinations, in sentences; empty where neither is so."""


class PlanProgress(View):
    """Progress of a plan, as the event `progress` of its stream has it."""

    asked: int
    """Candidates that were predicted so far."""
    total: int


VALIDATION: TypeAdapter[Validation] = TypeAdapter(Validation)
PLAN: TypeAdapter[TaskPlan] = TypeAdapter(TaskPlan)
PLAN_PROGRESS: TypeAdapter[PlanProgress] = TypeAdapter(PlanProgress)
