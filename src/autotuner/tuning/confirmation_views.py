"""Confirmation of a result: shapes of it, in every summary of a task."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from autotuner.config import LoadLevel
from autotuner.tuning.baseline_views import Settled


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class RelaunchView(_Shape):
    """A further launch of a candidate."""

    index: int
    """Place of its experiment."""
    candidate: str
    launch: int
    """2 for the second launch of the candidate."""
    status: Literal["running", "completed", "failed"]
    reason: str
    failure: str | None
    startup_s: float | None
    measure_s: float | None
    lost_s: float = 0.0
    """Seconds that launches of it took in vain, because their machine was lost."""


class ContenderView(_Shape):
    """A candidate that the recommended one is compared with."""

    index: int
    candidate: str
    load: LoadLevel
    is_baseline: bool
    is_best_measured: bool
    """Whether it is the best as measured, where a simpler one is recommended that is as good within
    noise."""
    launches: int
    """Launches of it that measured that load level."""
    ratio: float
    """Factor by which the recommended candidate is better, in the figure that it was chosen by: the
    posterior median."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    probability_better: float
    """Probability that the recommended candidate is better."""
    settled: Settled
    name: str
    """Name for readers: `launch 4 at 8`."""
    change: str
    """The ratio in words: `+3.1 %`."""
    interval: str
    """Its interval in words: `-1.2 % to +7.5 %`."""
    certainty: str
    """How sure it is, in words."""


class DriftedLaunchView(_Shape):
    """A launch whose figures a drift of the machine touches."""

    index: int
    """Place of its experiment."""
    launch: int
    """1 for the first launch of the candidate."""
    ratio: float
    """The machine at this launch over the machine at the first one that is compared: the posterior
    median."""


class DriftView(_Shape):
    """Drift of the machine from the first to the last launch that is compared."""

    ratio: float
    """Figures at the end over figures at the beginning: the posterior median."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    is_seen: bool
    """Whether the interval leaves out 1. What is compared is corrected for it in any case."""
    launches: list[DriftedLaunchView] = []
    """Launches at which the machine was another one: its interval then leaves out 1."""


class MovedView(_Shape):
    """The point that was recommended by first launches alone, where it was another one."""

    index: int
    candidate: str
    load: LoadLevel


class ConfirmationView(_Shape):
    """Confirmation of the recommended candidate: it, its rivals and the baseline are launched
    again after the search."""

    status: Literal["confirmed", "not_settled", "failed", "none", "pending"]
    """`failed`: a further launch of the recommended candidate failed; `none`: nothing was launched
    again."""
    headline: str
    """The status in a sentence, and why."""
    planned: int
    """Most further launches."""
    made: int
    recommended_launches: int
    """Launches of the recommended candidate that measured its load level."""
    probability_best: float | None = None
    """Probability that none of the contenders is better than the recommended candidate."""
    scatter: float | None = None
    """Standard deviation from launch to launch of one configuration, as a share: the posterior
    median. Null while nothing was launched twice."""
    drift: DriftView | None = None
    moved_from: MovedView | None = None
    """Null where further launches left the recommendation as it was."""
    notes: list[str] = []
    """Sentences about the scatter from launch to launch, a drift, and a changed recommendation."""
    contenders: list[ContenderView] = []
    launches: list[RelaunchView] = []
