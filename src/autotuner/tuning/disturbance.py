"""Disturbance of a task's levels: how many were not measured in peace, in numbers and words."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from autotuner.tuning.points import informative_levels, levels_that_count
from autotuner.tuning.summary import ExperimentView


class DisturbanceView(BaseModel):
    """Levels that were measured while others used the machine, or the load generator was late."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    levels: int
    """Number of levels that were measured in launches that succeeded, each repeat of its own."""
    disturbed: int
    """Number of these that were disturbed."""
    text: str
    """The same in words."""
    remedy: str
    """Advice."""


def disturbance_of(experiments: Sequence[ExperimentView]) -> DisturbanceView | None:
    """Disturbance of the levels that figures are shown of; None where none was disturbed."""
    levels = levels_that_count(experiments)
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


def why_uncorrected(experiments: Sequence[ExperimentView], *, when_busy: bool) -> str:
    """Why calibration changed no prediction of these launches; empty where it did, or where no
    level was both predicted and measured.

    Args:
        when_busy: whether disturbed levels are learnt from.
    """
    predicted = [found for one in experiments for found in one.predictions]
    if not any(found.measured for found in predicted):
        return ""
    if any(found.calibrated and found.calibrated != found.base for found in predicted):
        return ""
    measured = [level for one in experiments for level in one.measurements]
    learnt = len(informative_levels(measured, when_busy=when_busy))
    if learnt:
        return "no prediction was corrected: nothing that calibration learns from was known before"
    disturbed = sum(level.is_disturbed for level in measured)
    if when_busy or not disturbed:
        return "no prediction was corrected: no level has enough requests to learn from"
    marked = (
        "all levels" if disturbed == len(measured) else f"{disturbed} of {len(measured)} levels"
    )
    return (
        f"no prediction was corrected: {marked} are marked as disturbed, which calibration does "
        "not learn from (benchmark.learn_when_busy); a search that learns still counts them, as "
        "its reasons say"
    )
