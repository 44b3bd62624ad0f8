"""Which tasks a list is asked for, in which order, and which part of it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from autotuner.server.v2.routing import Text
from autotuner.server.v2.task_views import Origin, Status
from autotuner.store.listing import TaskFilter

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
