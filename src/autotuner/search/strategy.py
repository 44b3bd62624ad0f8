"""The seam of search: the state that a strategy sees, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, Self, TypeVar, runtime_checkable

from autotuner.config import LoadLevel
from autotuner.engines.failures import NOT_ITS_OWN
from autotuner.predict import Observation, Prediction
from autotuner.search.points import COST, OperatingPoint, check_objectives, has
from autotuner.search.slo import check_slo

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Same:
    """A value as part of a key: equal only to the very same object."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


@dataclass(frozen=True)
class Circumstances:
    """Model, engine and device of a candidate, as calibration compares it with other launches.

    Attributes:
        family: the model's architecture; None where it is not known.
        device: the GPU's name, as in `Scenario.device`.
        isl, osl: mean tokens of a request.
        gpus: devices that the candidate occupies; a CPU counts as one.
    """

    model: str
    family: str | None
    engine: str
    device: str
    isl: float
    osl: float
    gpus: int


@dataclass(frozen=True)
class Knowledge:
    """Predictions, and observations of earlier tasks. Empty is allowed: nothing is known.

    Attributes:
        predictions: id -> the base prediction of its load levels, rising; absent where there is
            none. A level may be missing.
        out_of_memory: id -> why it is predicted not to fit; such a candidate has no predictions,
            or those of the levels that fit.
        refused: id -> why nothing is predicted of it.
        circumstances: id -> what it is of and runs on.
        earlier: measured by other tasks, beside what their predictor said.
        minutes: id -> what a launch with its whole sweep is expected to take.
    """

    predictions: Mapping[str, tuple[Prediction, ...]] = field(default_factory=dict)
    out_of_memory: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    circumstances: Mapping[str, Circumstances] = field(default_factory=dict)
    earlier: tuple[Observation, ...] = ()
    minutes: Mapping[str, float] = field(default_factory=dict)
    _derived: dict[Hashable, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def once(self, key: Hashable, derive: Callable[[], T]) -> T:
        """Value that follows from this knowledge, derived at the first call with `key` and kept.

        A search asks before every launch and every load level, and most of it stays as it was. The
        key has to name all else that it follows from; it may not follow from `minutes`.
        """
        if key not in self._derived:
            self._derived[key] = derive()
        return self._derived[key]  # type: ignore[no-any-return]

    def with_minutes(self, minutes: Mapping[str, float]) -> Self:
        """The same with other `minutes`, on which nothing that is kept may depend."""
        knowledge = replace(self, minutes=minutes)
        object.__setattr__(knowledge, "_derived", self._derived)
        return knowledge


@dataclass(frozen=True)
class Outcome:
    """A finished experiment.

    Attributes:
        points: what was measured; a failed one has none.
        failure_kind: of a failed one, what kind of failure it was.
        failed_levels: load levels that were tried and brought no point, in a completed one too.
            A level that is neither here nor among the points was not measured: the launch was cut
            short, or failed before it.
    """

    candidate_id: str
    status: Literal["completed", "failed"]
    points: tuple[OperatingPoint, ...] = ()
    failure_kind: str | None = None
    failed_levels: tuple[LoadLevel, ...] = ()

    @property
    def is_not_its_own(self) -> bool:
        """Whether it failed for a reason that is no property of its candidate."""
        return self.failure_kind in NOT_ITS_OWN


@dataclass(frozen=True)
class Budget:
    """Limits; None is no limit, and the one reached first counts.

    Attributes:
        is_part: whether more is kept for launches that are none of the search.
    """

    experiments: int | None = None
    minutes: float | None = None
    usd: float | None = None
    is_part: bool = False


@dataclass(frozen=True)
class LaunchMinutes:
    """Expected minutes of a launch by its parts.

    Attributes:
        startup: until the engine is ready.
        levels: candidate id -> load level -> minutes, before `pace`.
        level: of a load level that is not among them.
        pace: what levels took over what was expected of them.
    """

    startup: float = 4.0
    levels: Mapping[str, Mapping[LoadLevel, float]] = field(default_factory=dict)
    level: float = 1.0
    pace: float = 1.0

    def of_level(self, candidate_id: str, load: LoadLevel) -> float:
        """Minutes of one load level of a candidate."""
        known = self.levels.get(candidate_id, {}).get(load)
        return self.level if known is None else self.pace * known


@dataclass(frozen=True)
class SearchState:
    """All that a strategy may know. Equal states get equal answers.

    Attributes:
        candidates: ids in the order of the space.
        history: finished experiments in the order of their launch.
        in_flight: ids launched and not finished.
        levels: load levels that one launch measures.
        settings: id -> `group.field` -> value.
        slo: latency, as in `LATENCIES` -> upper limit. With one objective the goal is the best
            point within it; with more, the frontier within it.
        threshold: expected improvement, as a share of the incumbent's hypervolume (or of the best
            feasible value), under which a launch is not worth it; None never stops for that.
        usd_per_gpu_hour: price of a device for an hour; None where it is not known.
        knowledge: predictions, and what earlier tasks measured.
        level_by_level: what launches take, where they measure only the levels that the strategy
            asks for (`search.load_choice`); None where each measures all of its levels.

    Raises:
        ValueError: a candidate listed twice; not one to three objectives, or one that does not
            exist; a cost as objective without a price; an SLO that limits no latency.
    """

    candidates: tuple[str, ...]
    history: tuple[Outcome, ...]
    objectives: tuple[str, ...]
    budget: Budget = Budget()
    spent_experiments: int = 0
    spent_minutes: float = 0.0
    spent_usd: float = 0.0
    seed: int = 0
    in_flight: tuple[str, ...] = ()
    levels: tuple[LoadLevel, ...] = ()
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    slo: Mapping[str, float] = field(default_factory=dict)
    threshold: float | None = None
    usd_per_gpu_hour: float | None = None
    knowledge: Knowledge = field(default_factory=Knowledge)
    level_by_level: LaunchMinutes | None = None

    def __post_init__(self) -> None:
        if len(set(self.candidates)) < len(self.candidates):
            twice = next(c for c in self.candidates if self.candidates.count(c) > 1)
            raise ValueError(f"candidate {twice!r} is listed twice")
        check_objectives(self.objectives)
        check_slo(self.slo)
        if COST in self.objectives and not self.usd_per_gpu_hour:
            raise ValueError(f"{COST} is an objective without usd_per_gpu_hour")
        history = tuple(_comparable(outcome, self.compared) for outcome in self.history)
        object.__setattr__(self, "history", history)

    @property
    def compared(self) -> tuple[str, ...]:
        """Objectives and limits: a point that lacks one of these quantities takes no part."""
        return tuple(dict.fromkeys((*self.objectives, *self.slo)))

    @property
    def launched(self) -> int:
        """Launches that are paid for: finished and in flight."""
        return self.spent_experiments + len(self.in_flight)

    def untried(self) -> tuple[str, ...]:
        """Candidates neither finished nor in flight, in the order of the space."""
        tried = {outcome.candidate_id for outcome in self.history} | set(self.in_flight)
        return tuple(candidate for candidate in self.candidates if candidate not in tried)


def _comparable(outcome: Outcome, needs: Collection[str]) -> Outcome:
    """The outcome without points that cannot be compared; their levels have failed."""
    lacking = [point for point in outcome.points if not has(point, needs)]
    if not lacking:
        return outcome
    return replace(
        outcome,
        points=tuple(point for point in outcome.points if point not in lacking),
        failed_levels=(*outcome.failed_levels, *(point.load for point in lacking)),
    )


@dataclass(frozen=True)
class Proposal:
    """The next candidate to launch, why, and in which phase of the search."""

    candidate_id: str
    reason: str
    phase: str


@dataclass(frozen=True)
class Stop:
    """The search is over, and why."""

    reason: str


class Strategy(Protocol):
    """Chooses what to launch next: a pure function, without clock, I/O or hidden state.

    It may also say what it is about to do (`Describes`), and that it needs no `state.knowledge`,
    which takes time to gather: `uses_knowledge = False`.

    Example:
        choice = strategy.propose(state)
        if isinstance(choice, Stop): print(choice.reason)
    """

    @property
    def name(self) -> str:
        """As a task names it."""

    def propose(self, state: SearchState) -> Proposal | Stop:
        """The next choice in `state`."""


@runtime_checkable
class Describes(Protocol):
    """Optional methods of a strategy."""

    def describe(self, state: SearchState) -> str:
        """Its way in this search and the reason, in a sentence, shown before the first launch.

        `auto` says here which strategy it picked.
        """


def description(strategy: Strategy, state: SearchState) -> str:
    """Description of `strategy`; empty where it has none."""
    return strategy.describe(state) if isinstance(strategy, Describes) else ""


def uses_knowledge(strategy: Strategy) -> bool:
    """Whether `state.knowledge` has to be gathered for it."""
    return bool(getattr(strategy, "uses_knowledge", True))
