"""Tasks as API v2 answers them, and the query of their list.

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

from autotuner.config import TaskConfig
from autotuner.server.v2.routing import Text, View
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


class _AsTask:
    """Written as it is stored, told in the OpenAPI as a task."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(TaskConfig.__pydantic_core_schema__)


TaskDocument = Annotated[dict[str, Any], _AsTask()]


class ExperimentCounts(View):
    """What a task's experiments came to so far."""

    total: int
    running: int
    completed: int
    failed: int
    best_throughput_tok_s: float | None
    """The most output tokens per second among their representative operating points."""


class TaskSummary(View):
    """A task as lists tell it."""

    id: int
    name: str
    description: str
    status: Status
    stop_reason: str
    """Why it ended, in words; empty while it has not."""
    origin: Origin
    model: str
    engine: str
    """The engine; several, with commas between, where the task compares them."""
    device: str
    """What it runs on; empty until a worker has prepared it."""
    worker: str | None
    """The worker that runs it."""
    wanted: Literal["", "cancel", "pause"]
    """What its worker is asked for and has not done yet."""
    revision: int
    """Grows with every change."""
    created_at: datetime
    updated_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    wall_s: float
    """Seconds in which it was worked on."""
    experiments: ExperimentCounts


class TaskPage(View):
    """Some tasks, in the order asked for."""

    items: list[TaskSummary]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""


class PlanView(View):
    """What a worker made of the task before the first launch."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    candidates: int
    combinations: int | None = None
    """Before what cannot run was excluded."""
    excluded: dict[str, int] = Field(default_factory=dict)
    """Why -> how many."""
    axes: dict[str, list[Any]] = Field(default_factory=dict)
    """`group.field` -> the values that differ among candidates."""
    strategy: str = ""
    strategy_reason: str = ""
    usd_per_gpu_hour: float | None = None


class ProgressView(View):
    """How far a task is."""

    experiments_running: int
    experiments_completed: int
    experiments_failed: int
    launches: int | None
    """How many there will be at the most; null until it is planned."""


class LinksView(View):
    """Where else to look; addresses relative to the service's."""

    self: str
    experiments: str
    frontier: str
    comparison: str
    summary: str
    report: str
    events: str
    logs: str


class TaskView(TaskSummary):
    """A task as a whole."""

    config: TaskDocument
    """The document, as it is written: what is left out has its default."""
    config_version: Literal[2]
    content_id: str
    """A hash of all that decides what is launched and how it is measured."""
    engine_version: str
    needs_gpu: str
    """A GPU of the catalog, `cpu`, or empty where any machine will do."""
    needs_gpus: int
    v1_task_id: int | None
    plan: PlanView | None
    progress: ProgressView
    allowed_actions: list[Action]
    links: LinksView


class TaskPatch(BaseModel):
    """What to change of a task; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = None
    config: TaskConfig | None = None
    """A whole new document; only while the task is pending. Its name and description count unless
    the patch gives its own."""


class CloneRequest(BaseModel):
    """What the copy of a task is called."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str | None = Field(default=None, min_length=1, max_length=200)
    """Left out: the name with ` (copy)` behind it."""


TASK = TypeAdapter(TaskView)


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


def _written_out(given: object) -> object:
    """Seconds since some year are no time that a reader understands."""
    if isinstance(given, str) and _MOMENT.fullmatch(given) is None:
        raise ValueError("is no time; write it as 2026-01-31T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A time as ISO 8601 writes it, with its zone."""
_Names = Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=50)]


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
    """Who asked for it: any of these."""
    search: Text = Field(default="", max_length=200)
    """Text in the name, the description or the model, whatever its case."""
    created_after: Moment | None = None
    created_before: Moment | None = None
    sort: SortName = "-created_at"
    """`-`: the largest first."""
    limit: int = Field(default=25, ge=1, le=200)
    cursor: str | None = None
    """`next_cursor` of the page before, in the same order."""

    def filter(self) -> TaskFilter:
        """Which tasks are asked for."""
        return TaskFilter(
            statuses=tuple(self.status),
            models=tuple(self.model),
            engines=tuple(self.engine),
            origins=tuple(self.origin),
            search=self.search,
            created_after=self.created_after,
            created_before=self.created_before,
        )
