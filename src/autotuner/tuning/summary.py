"""A run as its reader sees it: the one shape behind `--json`, the terminal table and the report.

The JSON form is public; docs/json.md describes it. `schema_version` grows when a field changes
its meaning or goes; new fields may come at any time.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from autotuner.measure.results import Measurement

Scalar = str | int | float | bool | list[str] | None


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FailureView(_View):
    """Why an experiment failed: `kind` is one of `FailureKind`, `log_tail` the log's last lines."""

    kind: str
    message: str
    log_tail: str


class ExperimentView(_View):
    """One engine start. `settings` holds `group.field` -> value of every field that is set."""

    id: str
    index: int
    status: Literal["running", "completed", "failed", "cancelled"]
    failure: FailureView | None = None
    selection_reason: str
    phase: str
    settings: dict[str, Scalar]
    command: str
    log_path: str
    startup_s: float | None = None
    measure_s: float | None = None
    measurements: list[Measurement] = Field(default_factory=list)


class PointView(_View):
    """One operating point on the frontier.

    Means over the level's requests, except `e2e_p90_ms`. `tok_s_per_gpu` is `tok_s` over the GPUs
    the deployment occupies; a CPU deployment counts as one device. `tok_s_per_user` is
    1000 / `tpot_ms`.
    """

    experiment: str
    concurrency: int
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float
    ttft_ms: float
    tpot_ms: float
    e2e_p90_ms: float
    settings: dict[str, Scalar]
    command: str


class RecommendedView(PointView):
    """The point to serve with, and why it was chosen."""

    reason: str
    meets_slo: bool


class RunView(_View):
    """The run itself. `axes` are the fields searched; times are ISO 8601 in UTC."""

    id: int
    name: str
    status: Literal["running", "completed", "failed", "cancelled", "interrupted"]
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
    objectives: list[str]
    hypervolume: float | None = None
    task: dict[str, Any]


class RunSummary(_View):
    """Everything a run says. Experiments stand in the order in which they were launched."""

    schema_version: Literal[1] = 1
    run: RunView
    experiments: list[ExperimentView]
    frontier: list[PointView]
    recommended: RecommendedView | None
    report: str | None = None
