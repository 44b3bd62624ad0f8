"""Summary of a task: the one shape behind `--json`, the terminal table and the report.

The JSON form is public; docs/json.md describes it. `schema_version` grows when a field changes
its meaning or goes; new fields may come at any time.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autotuner.config import LoadLevel, with_former_load
from autotuner.measure.results import Measurement
from autotuner.search.slo import Verdict
from autotuner.tuning.baseline_views import BaselineView
from autotuner.tuning.confirmation_views import ConfirmationView

Scalar = str | int | float | bool | list[str] | None


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, value: Any) -> Any:
        return with_former_load(value)


class FailureView(_View):
    """Why an experiment failed: `kind` is one of `FailureKind`, `log_tail` the log's last lines."""

    kind: str
    message: str
    log_tail: str


class MeasuredView(_View):
    """A measured level: means, the median over repeats; `tok_s` of the whole deployment.

    `tpot_ms` is None where every answer has one token. Percentiles are over requests; a predicted
    one is None where nothing tells it, and both are in documents of earlier versions.
    """

    ttft_ms: float
    tpot_ms: float | None
    tok_s: float
    ttft_p90_ms: float | None = None
    ttft_p99_ms: float | None = None
    tpot_p90_ms: float | None = None
    tpot_p99_ms: float | None = None
    e2e_p90_ms: float | None = None
    e2e_p99_ms: float | None = None


class FiguresView(MeasuredView):
    """A predicted level. A `*_log_std` is the standard deviation of ln(measured / predicted);
    `percentiles_from` says what its percentiles stand on."""

    ttft_log_std: float
    tpot_log_std: float
    tok_s_log_std: float
    memory_gib: float | None = None
    source: str
    note: str = ""
    percentiles_from: str = ""


class PredictionView(_View):
    """Expectation of a level before the launch, beside what was measured.

    `calibrated` is `base` corrected by all that had been measured until then.
    """

    load: LoadLevel
    measured: MeasuredView | None
    base: FiguresView
    calibrated: FiguresView | None


class ExperimentView(_View):
    """One engine start. `settings` holds `group.field` -> value of every field that is set.

    `gpus` are those that it occupies, 0 on a CPU. `unpredicted` says why there are no predictions,
    in runs that asked for them. `cut_short` says why levels were left out: they could not improve
    the frontier.
    """

    id: str
    index: int
    status: Literal["running", "completed", "failed", "cancelled"]
    failure: FailureView | None = None
    selection_reason: str
    phase: str
    settings: dict[str, Scalar]
    gpus: int = 0
    command: str
    """Line for a shell of the machine: of a launch in a container, its `docker run`."""
    engine_command: str = ""
    """Line of the engine itself, as it was launched; empty in documents of earlier versions, whose
    `command` it is."""
    unserved: str | None = None
    """Reason why the command does not serve what was measured; null where it does."""
    log_path: str
    startup_s: float | None = None
    measure_s: float | None = None
    lost_s: float = 0.0
    """Seconds that launches of it took in vain, because their machine was lost."""
    measurements: list[Measurement] = Field(default_factory=list)
    predictions: list[PredictionView] = Field(default_factory=list)
    unpredicted: str | None = None
    cut_short: str | None = None


class MetricErrorView(_View):
    """`median_ape` is the median of |predicted / measured - 1|; `share_in_interval` the share of
    points inside the 80 % interval that the prediction states."""

    median_ape: float
    share_in_interval: float


class ErrorView(_View):
    """How far predictions were from `points` measured levels.

    `percentiles` holds those that were both predicted and measured.
    """

    points: int
    ttft_ms: MetricErrorView
    tpot_ms: MetricErrorView | None
    tok_s: MetricErrorView
    percentiles: dict[str, MetricErrorView] = Field(default_factory=dict)


class PredictionErrorView(_View):
    """The predictor's own error, and what calibration made of it."""

    base: ErrorView
    calibrated: ErrorView | None


class PointView(_View):
    """One operating point on the frontier.

    `experiment` and `candidate` are the candidate's id, `index` the place of its launch. Documents
    of earlier versions have neither of the last two: `candidate` is empty then, `index` None.

    Latencies are means over the level's requests, but for the percentiles; those other than
    `e2e_p90_ms` are None in documents of earlier versions. `tok_s_per_gpu` is `tok_s` over the GPUs
    the deployment occupies; a CPU deployment counts as one device. `tok_s_per_user` is
    1000 / `tpot_ms`; both are None where every answer has one token. `requests_per_s` is of the
    deployment; None in documents of earlier versions. `usd_per_million_tokens` is of output tokens,
    `usd_per_million_input_tokens` of input, `usd_per_million_total_tokens` of both; None where no
    price is known, or how many tokens were read. `joules_per_output_token` is the energy of the
    occupied devices, None where it was not measured; `energy_note` says what was counted, or why
    nothing was, and is empty where nobody looked. `verdicts` holds limited quantity -> `meets`,
    `unclear` (the limit lies inside the 95 % interval) or `misses`.
    """

    experiment: str
    index: int | None = None
    candidate: str = ""
    load: LoadLevel
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float | None
    requests_per_s: float | None = None
    requests_per_s_per_gpu: float | None = None
    ttft_ms: float
    tpot_ms: float | None
    e2e_p90_ms: float
    ttft_p90_ms: float | None = None
    ttft_p99_ms: float | None = None
    tpot_p90_ms: float | None = None
    tpot_p99_ms: float | None = None
    e2e_p99_ms: float | None = None
    usd_per_million_tokens: float | None = None
    usd_per_million_input_tokens: float | None = None
    usd_per_million_total_tokens: float | None = None
    joules_per_output_token: float | None = None
    energy_note: str = ""
    probability_on_frontier: float | None = None
    """Probability that no other candidate is better in every objective, the scatter between
    launches included; null of replays, and where it is not of a frontier."""
    verdicts: dict[str, Verdict] = Field(default_factory=dict)
    settings: dict[str, Scalar]
    command: str
    """Line for a shell of the machine: of a launch in a container, its `docker run`."""
    unserved: str | None = None
    """Reason why the command does not serve what was measured; null where it does."""


class RecommendedView(PointView):
    """The point to serve with, and why it was chosen.

    `meets_slo`: its values are within the limits; `verdict`: whether they are so clearly.
    """

    reason: str
    meets_slo: bool
    sample_request: str | None = None
    """A `curl` that tries the engine once the command serves; null where there is none."""
    verdict: Verdict | None = None
    overrides: int | None = None
    """Settings that it changes of the baseline's; null without a baseline."""
    best: BestMeasuredView | None = None
    """Null where it is the best point itself."""


class BestMeasuredView(_View):
    """The best point as measured, where a simpler one is as good within noise.

    `ratio`: its figure over that of the recommended point, by which points are recommended;
    `probability_better`: that it is better; `overrides`: settings that it changes of the
    baseline's.
    """

    index: int
    candidate: str
    load: LoadLevel
    ratio: float
    probability_better: float
    overrides: int


class LaunchView(_View):
    """Gain of a finished launch, looked at from the end of the task.

    `value` is what was reached after it: with several objectives the share of the final
    hypervolume, with one the best value within the SLO (None while nothing is within). `added` is
    by how much it improved that; None where nothing was within before it. `in_vain`: none of the
    final frontier's points are its own. `load` is the level that its figures in a list are of:
    the one measured that comes nearest to the best of all objectives, else the one predicted; None
    where neither is known, and in documents of earlier versions.
    """

    experiment: str
    index: int
    phase: str
    reason: str
    failed: bool
    value: float | None
    added: float | None
    frontier_points: int
    in_vain: bool
    load: LoadLevel | None = None


class PredictedPointView(_View):
    """A point of the predicted frontier. `values` holds objective -> value, in its unit.

    `index` and `candidate` as in `PointView`. `kind` is the kind of data that it stands on, and
    empty in documents of earlier versions.
    """

    experiment: str
    index: int | None = None
    candidate: str = ""
    load: LoadLevel
    values: dict[str, float]
    kind: str = ""


class SearchView(_View):
    """How a task searched. `measure` is "hypervolume", or the only objective.

    `predicted_frontier` is of what was expected of each launch just before it.
    """

    measure: str = "hypervolume"
    launches: list[LaunchView] = Field(default_factory=list)
    predicted_frontier: list[PredictedPointView] = Field(default_factory=list)


class TaskFacts(_View):
    """The task itself. `axes` are the fields searched; times are ISO 8601 in UTC.

    A task of the service that is `pending` or `queued` has no plan yet: no candidates, no axes.

    `strategy_reason` is what the strategy said of itself before the first launch. `slo` holds
    latency -> limit in ms, the targets of the task's runtime group included.
    Of a `replay` nothing was launched: its figures come from `landscape`, a recorded table, and
    the times of its experiments are simulated.
    """

    id: int
    name: str
    replay: bool = False
    landscape: str | None = None
    status: Literal[
        "pending",
        "queued",
        "running",
        "paused",
        "completed",
        "failed",
        "cancelled",
        "interrupted",
    ]
    stop_reason: str
    started_at: str
    ended_at: str | None
    wall_s: float
    candidates: int
    excluded: dict[str, int]
    axes: dict[str, list[Scalar]]
    engine: str
    engine_version: str
    model: str
    device: str
    strategy: str = ""
    strategy_reason: str = ""
    objectives: list[str]
    slo: dict[str, float] = Field(default_factory=dict)
    hypervolume: float | None = None
    config: dict[str, Any]


class TaskSummary(_View):
    """Everything a task says. Experiments stand in the order in which they were launched.

    Documents of earlier versions tell nothing of the search; it is empty then.
    """

    schema_version: Literal[1, 2] = 2
    task: TaskFacts
    experiments: list[ExperimentView]
    frontier: list[PointView]
    recommended: RecommendedView | None
    why_not: list[str] = Field(default_factory=list)
    """Where no point meets the SLO: why, and what relaxing each limit gains, in sentences."""
    baseline: BaselineView | None = None
    """Configuration that was launched first, and the recommended point beside it; null without."""
    confirmation: ConfirmationView | None = None
    """Further launches of the recommended candidate and those that it has to beat; null where
    none are wanted."""
    search: SearchView = Field(default_factory=SearchView)
    prediction_error: PredictionErrorView | None = None
    report: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_version_1(cls, document: Any) -> Any:
        """Documents of version 1 call the task `run`, and its configuration `task`."""
        if not isinstance(document, dict) or "run" not in document:
            return document
        facts = dict(document.get("run") or {})
        facts["config"] = facts.pop("task", None)
        kept = {name: value for name, value in document.items() if name != "run"}
        return kept | {"task": facts}
