"""Units that are moved here from a database of version 1: columns and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autotuner.predict import Observation

Columns = Mapping[str, Any]
"""Column -> value; of JSON columns of version 1's tables and of measurements the text, of our other
tables the document."""


@dataclass(frozen=True)
class MovedExperiment:
    """An experiment: columns of version 1's table without numbers; `source_id` is that of the
    source."""

    source_id: int
    v1: Columns


@dataclass(frozen=True)
class MovedLaunch:
    """An experiment of version 2: its columns, and those of the measurement of each level."""

    columns: Columns
    levels: tuple[Columns, ...]


@dataclass(frozen=True)
class MovedPart:
    """A task of version 2 that measures one traffic scenario of a task.

    Attributes:
        launches: of each of the task's experiments, in their order.
    """

    columns: Columns
    launches: tuple[MovedLaunch, ...]
    observations: tuple[Observation, ...]


@dataclass(frozen=True)
class MovedTask:
    """A task with its experiments.

    `parts` are the tasks of version 2 that it became, that of its first scenario first; there may
    be none.

    `best` is the number of the best experiment in the source; `account` as in `MigratedRow`.
    `engine` is the one that the user named for it, where the task itself does not.
    """

    identity: str
    digest: str
    source_id: int
    v1: Columns
    parts: tuple[MovedPart, ...]
    experiments: tuple[MovedExperiment, ...]
    best: int | None
    account: Mapping[str, Any]
    engine: str | None = None


@dataclass(frozen=True)
class MovedPreset:
    """A preset, and the document of the profile that it becomes, where it becomes one."""

    identity: str
    digest: str
    source_id: int
    v1: Columns
    profile: Mapping[str, Any] | None
    account: Mapping[str, Any]


@dataclass(frozen=True)
class KeptRow:
    """A row that no table has a place for; all of it is in the account."""

    identity: str
    digest: str
    table: str
    source_id: int
    account: Mapping[str, Any]


Unit = MovedTask | MovedPreset | KeptRow


class MoveOutcome(StrEnum):
    """Outcome of moving a unit.

    MOVED: it was written. SAME: it is here as it was. CHANGED: it has changed in the source since,
    and was written anew. WORKED_ON: it has changed there, and was worked on here: it was left.
    """

    MOVED = "moved"
    SAME = "same"
    CHANGED = "changed"
    WORKED_ON = "worked_on"
