"""Shape of the answer to why (not): behind `autotuner why`, the API, the report and the UI."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from autotuner.config import LoadLevel
from autotuner.search.slo import Verdict
from autotuner.tuning.summary import Scalar


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class LimitMissView(_View):
    """How a point stands to one limit."""

    name: str
    limit_ms: float
    value_ms: float
    excess: float
    """Share of the limit by which the value is above it; negative where it is below."""
    verdict: Verdict
    """By the interval: of 95 % where it was measured, of 80 % where it is predicted."""


class WhyPointView(_View):
    """An operating point that the answer names."""

    id: str
    """As in the operating points of the task."""
    candidate: str
    experiment_index: int | None
    """Place of its launch; null where it was not launched."""
    load: LoadLevel
    settings: dict[str, Scalar]
    """`group.field` -> value, of the fields that differ among candidates."""
    objective: float
    """Value of the quantity that points are served for."""
    limits: list[LimitMissView]


class AdmittedView(_View):
    """Points that a set of limits admits."""

    limits: dict[str, float]
    """Latency -> limit in ms."""
    points: int
    candidates: int
    best: WhyPointView | None
    """The best of them; null where there are none."""


class LimitEffectView(_View):
    """The effect of one limit, alone and beside the others."""

    name: str
    limit_ms: float
    missing: int
    """Points that miss it, whatever they do to the others."""
    only_missing: int
    """Points that miss it alone: dropping it admits them."""
    candidates: int
    """Candidates of which every point misses it."""
    only_candidates: int
    """Candidates that no other limit keeps out."""
    nearest_ms: float | None
    """The lowest value of any point."""
    relaxed: list[AdmittedView]
    """Limits above this one that admit something, or improve the best by 5 % or more, with the
    other limits as they are; the lowest first."""
    tightest: AdmittedView | None
    """The lowest limit, never above this one, that still admits something beside the others; null
    where nothing meets the SLO."""


class MissedTogetherView(_View):
    """Points that miss exactly these limits."""

    limits: list[str]
    points: int


class SloEffectsView(_View):
    """Effects of the SLO on the points of one kind."""

    kind: Literal["measured", "predicted"]
    points: int
    """Points that have a value of all that is compared."""
    candidates: int
    lacking: dict[str, int]
    """Quantity -> points without it; they count nowhere else."""
    admitted: AdmittedView
    unclear: int
    """Points whose values miss the SLO, though their intervals do not rule it out."""
    missed_together: list[MissedTogetherView]
    """Every other point stands in one of these."""
    limits: list[LimitEffectView]
    nearest: WhyPointView | None
    """The point whose worst excess is least; null without points or limits."""
    factor: float | None
    """The smallest number that all limits, times it, have a point within; below 1 where they could
    all be stricter."""
    at_factor: AdmittedView | None
    binding: str | None
    """The limit that keeps the best from being better, of several the one that has to be relaxed
    least; null where none does."""


class WayView(_View):
    """Change that admits combinations that one rule alone excludes."""

    text: str
    changes: dict[str, Scalar]
    admits: int
    """Candidates that it makes of these combinations; those that differ in changed fields alone
    become one."""
    estimated: bool
    """Whether it was tried on some of the combinations only, so that `admits` is about right."""


class RuleExclusionView(_View):
    """Combinations that break one rule of the space."""

    name: str
    """The rule in words: what a candidate needs."""
    of_engine: bool
    """Whether the engine asks for it when it starts."""
    breaking: int
    alone: int
    """How many of them break no other rule: lifting it admits them."""
    nearest: dict[str, Scalar]
    """Values of the axes that the rule reads, of the one that is nearest to being allowed."""
    reason: str
    missing_gib: float | None
    """Memory per GPU that the nearest lacks; null for other rules."""
    ways: list[WayView]


class AbsentValueView(_View):
    """Value of an axis that no candidate has."""

    path: str
    value: Scalar
    combinations: int
    rule: str


class CountedReasonView(_View):
    """A reason and how often it holds."""

    reason: str
    count: int


class ExclusionsView(_View):
    """Combinations that are no candidates, and candidates that cannot be predicted."""

    combinations: int
    candidates: int
    reasons: list[CountedReasonView]
    """Each excluded combination by the first reason that excludes it."""
    rules: list[RuleExclusionView]
    """Each by every rule that it breaks."""
    absent_values: list[AbsentValueView]
    skipped: str
    """Why rules are not counted; empty where they are."""
    asked: int
    """Candidates that predictors were asked about."""
    out_of_memory: list[CountedReasonView]
    """Candidates that are predicted to run out of memory."""
    least_missing_gib: float | None
    """Memory per GPU that the nearest of them lacks, where that is predicted."""
    refused: list[CountedReasonView]
    """Candidates of which predictors say nothing."""


class FailureCountView(_View):
    """Launches that failed in one way."""

    kind: str
    count: int
    message: str
    """Of the first."""


class ElsewhereView(_View):
    """The same task on another GPU, or with another format of the weights, as predicted."""

    what: str
    changes: dict[str, Scalar]
    now: bool
    """Whether it is the task as it is, predicted like the others."""
    points: int
    meeting: int
    best: float | None
    """The best value within the SLO of the quantity that points are served for."""
    usd_per_million_tokens: float | None
    """Of output tokens at that point; null where no price is known."""
    factor: float | None
    """As in `SloEffectsView`."""
    unanswered: str
    """Why nothing is predicted; empty where it is."""


class WhyView(_View):
    """Why a task's points meet its SLO or do not, what is excluded, and what would change it."""

    task: int | None
    """Number of the stored task; null of a task file."""
    name: str
    model: str
    engine: str
    device: str
    slo: dict[str, float]
    objective: str
    """Quantity that a point within the SLO is chosen by."""
    unit: str
    lead: str
    """The answer in a sentence."""
    measured: SloEffectsView | None
    predicted: SloEffectsView | None
    exclusions: ExclusionsView | None
    """Null where the task cannot be resolved any more."""
    failures: list[FailureCountView]
    elsewhere: list[ElsewhereView]
    notes: list[str]
