"""Accuracy of predictions over the launches of many tasks: by what they were made of, and by how
many launches of the task came before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from autotuner.predict.predictor import interval80
from autotuner.store.judged_levels import JudgedLevel, PredictedFigures
from autotuner.verify.analysis import DEFAULT_WITHIN, Errors, errors_of_values

Stage = Literal["base", "calibrated"]
STAGES: tuple[Stage, ...] = ("base", "calibrated")
METRIC_NAMES = ("ttft_ms", "tpot_ms", "tok_s")
MOST_LAUNCHES = 30
"""The learning curve's last step holds that many launches and more."""


@dataclass(frozen=True)
class StageErrors:
    """Errors of one metric as one stage predicted it.

    Attributes:
        in_interval: share of measurements inside the 80 % interval, percent; None of no pairs.
    """

    errors: Errors
    in_interval: float | None


Judged = Mapping[Stage, Mapping[str, StageErrors]]
"""Stage -> metric -> errors."""


@dataclass(frozen=True)
class AccuracyRow:
    """Errors of the levels that share a value of a dimension, or a number of launches before."""

    value: str
    levels: int
    tasks: int
    stages: Judged


@dataclass(frozen=True)
class StoredAccuracy:
    """How far predictions were from measurements, over the tasks of a store.

    Attributes:
        by: dimension -> its values, those with most levels first; loads rise.
        learning: after 0, 1, 2, … launches of a task.
    """

    overall: AccuracyRow
    by: Mapping[str, tuple[AccuracyRow, ...]]
    learning: tuple[AccuracyRow, ...]
    within: tuple[float, ...]


DIMENSIONS: Mapping[str, Callable[[JudgedLevel], str]] = {
    "engine": lambda level: level.engine,
    "system": lambda level: level.system,
    "model": lambda level: level.model,
    "load": lambda level: level.load.named,
    "predictor": lambda level: predictor_of(level),
}


def predictor_of(level: JudgedLevel) -> str:
    """Kind of data that the prediction stands on, before it was corrected."""
    return level.base.source if level.base else "earlier measurements alone"


def accuracy(
    levels: Sequence[JudgedLevel], within: Sequence[float] = DEFAULT_WITHIN
) -> StoredAccuracy:
    """The accuracy over `levels`.

    Args:
        within: percent of the measured value.
    """
    by = {}
    for name, value_of in DIMENSIONS.items():
        groups = _grouped(levels, value_of)
        rows = [_row(value, group, within) for value, group in groups.items()]
        loads = {value: group[0].load for value, group in groups.items()}
        by[name] = tuple(
            sorted(rows, key=lambda row: loads[row.value])
            if name == "load"
            else sorted(rows, key=lambda row: (-row.levels, row.value))
        )
    steps = _grouped(levels, lambda level: str(min(level.launches_before, MOST_LAUNCHES)))
    return StoredAccuracy(
        overall=_row("all", levels, within),
        by=by,
        learning=tuple(_row(step, steps[step], within) for step in sorted(steps, key=int)),
        within=tuple(within),
    )


def _grouped(
    levels: Iterable[JudgedLevel], value_of: Callable[[JudgedLevel], str]
) -> dict[str, list[JudgedLevel]]:
    groups: dict[str, list[JudgedLevel]] = {}
    for level in levels:
        groups.setdefault(value_of(level), []).append(level)
    return groups


def _row(value: str, levels: Sequence[JudgedLevel], within: Sequence[float]) -> AccuracyRow:
    stages = {
        stage: {name: _errors(levels, stage, name, within) for name in METRIC_NAMES}
        for stage in STAGES
        if any(_of(level, stage) for level in levels)
    }
    return AccuracyRow(value, len(levels), len({level.task_id for level in levels}), stages)


def _of(level: JudgedLevel, stage: Stage) -> PredictedFigures | None:
    return level.base if stage == "base" else level.calibrated


def _errors(
    levels: Iterable[JudgedLevel], stage: Stage, metric: str, within: Sequence[float]
) -> StageErrors:
    predicted, actual, inside, missing = [], [], 0, 0
    for level in levels:
        figures = _of(level, stage)
        expected = figures.values[metric] if figures else None
        seen = level.measured[metric]
        # What is 0 has no ratio.
        if figures is None or not expected or not seen:
            missing += 1
            continue
        low, high = interval80(expected, figures.log_stds[metric])
        inside += low <= seen <= high
        predicted.append(expected)
        actual.append(seen)
    found = errors_of_values(metric, predicted, actual, missing=missing, within=within)
    return StageErrors(found, 100 * inside / len(actual) if actual else None)
