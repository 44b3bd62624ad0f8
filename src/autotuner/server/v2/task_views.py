"""Models of tasks in requests and responses of API v2, and the query of their list.

Times are ISO 8601 in UTC; None until they come.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from autotuner.config import LoadLevel, TaskConfig
from autotuner.server.v2.routing import Text, View
from autotuner.server.v2.waiting import WaitingView
from autotuner.store.listing import TaskFilter

Status = Literal[
    "pending",
    "queued",
    "running",
    "paused",
    "completed",
    "failed",
    "cancelled",
    "interrupted",
]
Origin = Literal["api", "cli", "v1"]
Action = Literal["start", "cancel", "pause", "resume", "restart"]
SortName = Literal[
    "-created_at",
    "created_at",
    "-updated_at",
    "updated_at",
    "name",
    "-name",
    "status",
    "-status",
]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*")
_Names = Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=50)]


class _AsTask:
    """Annotation: serialised as stored, described in the OpenAPI as a task."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(TaskConfig.__pydantic_core_schema__)


TaskDocument = Annotated[dict[str, Any], _AsTask()]


class ExperimentCounts(View):
    """Counts of a task's experiments so far."""

    total: int
    running: int
    completed: int
    failed: int
    best_throughput_tok_s: float | None
    """Highest output tokens per second among their representative operating points."""


class BestPointView(View):
    """Operating point that is recommended so far; with the last experiment, the recommended one.

    Means over the requests of its level, except `e2e_p90_ms`.
    """

    experiment_index: int
    candidate: str
    load: LoadLevel
    tok_s: float
    """Output tokens per second of the whole deployment."""
    tok_s_per_gpu: float
    ttft_ms: float
    tpot_ms: float | None
    e2e_p90_ms: float
    meets_slo: bool | None
    """Whether its values are within the limits; null where the task has none."""
    levels: int | None = None
    """Number of levels that were measured in launches that succeeded, each repeat of its own; null
    or absent of a task that an earlier version measured."""
    disturbed_levels: int | None = None
    """Number of these that were measured while others used the machine, or the load generator was
    late."""


class TaskItem(View):
    """Task in a list."""

    id: int
    name: str
    description: str
    status: Status
    stop_reason: str
    """Reason why it ended; empty until then."""
    origin: Origin
    model: str
    engine: str
    """The engine; several, with commas between, where the task compares them."""
    engine_version: str
    """Version of the engine; empty until a worker has prepared the task."""
    device: str
    """Device that it runs on; empty until a worker has prepared it."""
    worker: str | None
    """Worker that runs it."""
    requested_action: Literal["", "cancel", "pause"]
    """Action that its worker has been asked for and not completed yet."""
    revision: int
    """Grows with every change."""
    created_at: datetime
    updated_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    wall_s: float
    """Seconds of work on it."""
    experiments: ExperimentCounts
    launches: int | None
    """Most launches that there will be; null until it is planned."""
    further_launches: int | None
    """Finished launches that confirm the result, which are no experiments of their own; null while
    it does not run."""
    left_s: float | None
    """Seconds of work that are expected to be left; 0 where it takes longer than expected; null
    where nothing tells, or it has ended."""
    best: BestPointView | None
    """Recommended point so far, renewed when an experiment ends; null until one is measured."""
    is_replay: bool
    """Whether its experiments are recorded ones, and nothing is launched."""
    v1_task_id: int | None
    """Task of version 1 that it runs."""
    allowed_actions: list[Action]


class TaskPage(View):
    """Page of tasks, in the requested order."""

    items: list[TaskItem]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""
    total: int
    """Number of tasks that the filter matches, on all pages."""


class PlanView(View):
    """Plan that a worker made of the task before the first launch."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    candidates: int
    combinations: int | None = None
    """Number before exclusions."""
    excluded: dict[str, int] = Field(default_factory=dict)
    """Reason -> number."""
    axes: dict[str, list[Any]] = Field(default_factory=dict)
    """`group.field` -> the values that differ among candidates."""
    strategy: str = ""
    strategy_reason: str = ""
    usd_per_gpu_hour: float | None = None


class ProgressView(View):
    """Progress of a task."""

    experiments_running: int
    experiments_completed: int
    experiments_failed: int
    launches: int | None
    """Most launches that there will be; null until it is planned."""
    further_launches: int | None
    """Finished launches that confirm the result, which are no experiments of their own; null while
    it does not run."""


class LinksView(View):
    """Related addresses, relative to the service's."""

    self: str
    experiments: str
    frontier: str
    comparison: str
    summary: str
    report: str
    events: str
    logs: str


class TaskView(TaskItem):
    """A task as a whole."""

    config: TaskDocument
    """Document as it was written: omitted fields have their defaults."""
    config_version: Literal[2]
    content_id: str
    """Hash of all that determines what is launched and how it is measured."""
    requested_gpu: str
    """GPU of the catalog, `cpu`, or empty where any machine will do."""
    requested_gpus: int
    plan: PlanView | None
    progress: ProgressView
    waiting: WaitingView | None
    """Why it does not run yet; null unless it is queued."""
    links: LinksView


class TaskPatch(BaseModel):
    """Changes to a task; omitted fields stay."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = None
    config: TaskConfig | None = None
    """Complete new document; only while the task is pending. Its name and description apply unless
    the patch has its own."""


class CloneRequest(BaseModel):
    """Name of the copy of a task."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str | None = Field(default=None, min_length=1, max_length=200)
    """Default: the name followed by ` (copy)`."""


TASK = TypeAdapter(TaskView)


def _require_iso_8601(given: object) -> object:
    """Refuses times that are not ISO 8601, such as seconds since an epoch."""
    if isinstance(given, str) and _MOMENT.fullmatch(given) is None:
        raise ValueError("is not a time; write it as 2026-01-31T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_require_iso_8601)]
"""Time in ISO 8601, with its zone."""


class TaskQuery(BaseModel):
    """The query of a list of tasks."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    status: list[Status] = []
    """Any of these."""
    model: _Names = []
    """Any of these, in full."""
    engine: _Names = []
    """Any of these, in full."""
    origin: list[Origin] = []
    """Origin of the task: any of these."""
    search: Text = Field(default="", max_length=200)
    """Text in the name, the description or the model; case-insensitive."""
    created_after: Moment | None = None
    created_before: Moment | None = None
    sort: SortName = "-created_at"
    """`-`: descending."""
    limit: int = Field(default=25, ge=1, le=200)
    cursor: str | None = None
    """`next_cursor` of the page before, in the same order."""

    def filter(self) -> TaskFilter:
        """Filter of the tasks to list."""
        return TaskFilter(
            statuses=tuple(self.status),
            models=tuple(self.model),
            engines=tuple(self.engine),
            origins=tuple(self.origin),
            search=self.search,
            created_after=self.created_after,
            created_before=self.created_before,
        )
