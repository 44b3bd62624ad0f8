"""Results beside the baseline: shapes of them, in every summary of a task."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from autotuner.config import LoadLevel

Settled = Literal["better", "worse", "unclear"]
Scalar = str | int | float | bool | list[str] | None


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ComparedFigureView(_Shape):
    """A figure of the recommended point beside the baseline's."""

    quantity: str
    """As objectives name it."""
    recommended: float
    """As measured; where `ratio` is another one, as the posterior has it: see `note` of the
    comparison."""
    baseline: float
    """The same; `recommended` over `ratio`."""
    ratio: float
    """Recommended over baseline: the posterior median, which is what was measured as long as each
    was launched once."""
    low: float
    """Lower end of the ratio's 95 % interval, the scatter between launches included."""
    high: float
    probability_better: float
    """Probability that the recommended point is better in this quantity."""
    settled: Settled
    """Whether that is sure enough to say so."""
    name: str
    """Name of the quantity for readers, with its unit."""
    change: str
    """The ratio in words: `+38 %`."""
    interval: str
    """Its interval in words: `+16 % to +80 %`."""
    certainty: str
    """How sure the difference is, in words."""


class ComparedPointsView(_Shape):
    """The recommended point beside one point of the baseline."""

    load: LoadLevel
    """Load level of the recommended point."""
    baseline_load: LoadLevel
    baseline_meets_slo: bool | None
    """Whether the values of the baseline's point are within all limits; null without any."""
    figures: list[ComparedFigureView]
    """The quantity by which the recommended point was chosen first."""
    title: str = ""
    """The two points that are compared, in words."""
    launches: int = 1
    """Launches of the baseline that the figures are of."""
    note: str = ""
    """Figures as measured, where others are compared, and launches that are left out, in words;
    empty where there is nothing to say."""


class ChangedSettingView(_Shape):
    """A setting in which the recommended point differs from the baseline; null is not set."""

    field: str
    name: str
    """Name of the field for readers."""
    baseline: Scalar
    recommended: Scalar


class BaselineView(_Shape):
    """The baseline of a task, and the recommended point beside it."""

    kind: Literal["defaults", "mine"]
    """`defaults`: the engine as it starts where nothing is set; `mine`: settings that you gave."""
    candidate: str
    index: int
    """Place of its launch."""
    status: Literal["running", "completed", "failed", "cancelled"]
    reason: str
    """Name of it, and what had to be set for it to start."""
    failure: str | None = None
    launches: int = 1
    """Launches of the baseline that its figures are of, at the compared load level."""
    recommended_launches: int = 1
    """Launches of the recommended candidate that its figures are of, at its load level."""
    is_candidate: bool = False
    """Whether it is a candidate of the space, which search would have launched too."""
    is_recommended: bool = False
    """Whether nothing better than the baseline was measured."""
    recommended_meets_slo: bool | None = None
    """Whether the values of the recommended point are within all limits; null without any."""
    name: str
    """Name for readers: `the engine's defaults`."""
    headline: str = ""
    """The answer in a sentence: how much better, and how sure."""
    caveat: str = ""
    """Limits of the certainty; empty where nothing is compared."""
    same_load: ComparedPointsView | None = None
    """Both at the recommended point's load level; null where the baseline has no such point."""
    within_slo: ComparedPointsView | None = None
    """The recommended point beside the baseline's own best point for the same SLO; null without an
    SLO, where that is the same load level, and where the baseline has no point."""
    changes: list[ChangedSettingView] = []
