"""Units of a source that are moved. Pure."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from autotuner.migrate.database.source import SourceRow

TASKS, PRESETS = "tasks", "presets"
"""Words for all units of a kind."""


@dataclass(frozen=True)
class UnitChoice:
    """The units that are moved.

    Attributes:
        only: `tasks`, `presets`, numbers of tasks, or patterns of their names; all where empty.
        skip_running: leaves out tasks that version 1 may be running.
    """

    only: tuple[str, ...] = ()
    skip_running: bool = False

    def has_presets(self) -> bool:
        """Whether presets are moved."""
        return not self.only or PRESETS in self.only

    def has_others(self) -> bool:
        """Whether rows without a place are kept."""
        return not self.only

    def has(self, task: SourceRow) -> bool:
        """Whether a task is moved."""
        if self.skip_running and str(task.cells.get("status")).upper() == "RUNNING":
            return False
        if not self.only or TASKS in self.only:
            return True
        name = str(task.cells.get("task_name"))
        return any(
            one == str(task.id) or fnmatch.fnmatchcase(name, one)
            for one in self.only
            if one != PRESETS
        )
