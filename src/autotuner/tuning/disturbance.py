"""Disturbance of a task's levels: how many were not measured in peace, in numbers and words."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from autotuner.measure import Measurement


class DisturbanceView(BaseModel):
    """Levels that were measured while others used the machine, or the load generator was late."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    levels: int
    """Number of levels that were measured, each repeat of its own."""
    disturbed: int
    """Number of these that were disturbed."""
    text: str
    """The same in words."""
    remedy: str
    """Advice."""

    @property
    def is_most(self) -> bool:
        """Whether more than half of the levels were disturbed."""
        return 2 * self.disturbed > self.levels


def disturbance_of(measured: Iterable[Measurement]) -> DisturbanceView | None:
    """Disturbance of these levels; None where all were measured in peace."""
    levels = list(measured)
    disturbed = sum(level.is_disturbed for level in levels)
    if not disturbed:
        return None
    return DisturbanceView(
        levels=len(levels),
        disturbed=disturbed,
        text=f"{disturbed} of {len(levels)} levels were measured while other processes used the "
        "machine or the load generator was late",
        remedy="measure again on an idle machine",
    )
