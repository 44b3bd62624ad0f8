"""What the loop tells while it works; whoever shows progress listens."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.launch import Failure
from autotuner.measure import Measurement
from autotuner.predict import Prediction


@dataclass(frozen=True)
class RunStarted:
    """`kept` experiments were finished by earlier calls and are not repeated."""

    task_id: int
    launches: int
    kept: int
    resumed: bool


@dataclass(frozen=True)
class Predicting:
    """`asked` of `wanted` candidates have been asked for, before anything is launched."""

    asked: int
    wanted: int


@dataclass(frozen=True)
class StrategyTold:
    """What the strategy of a run does, and why, in its own words."""

    name: str
    reason: str


@dataclass(frozen=True)
class ExperimentStarted:
    """The `index`-th launch of the run, counted from 1."""

    index: int
    candidate_id: str
    settings: dict[str, object]
    reason: str
    phase: str = ""


@dataclass(frozen=True)
class NotPredicted:
    """Nothing can be said of a launch beforehand, so nothing is learnt from it; and why."""

    index: int
    reason: str


@dataclass(frozen=True)
class PredictionTrouble:
    """A predictor failed in a way that it should not; the run goes on without it."""

    message: str


@dataclass(frozen=True)
class EngineReady:
    """The engine serves; it took `startup_s` seconds."""

    index: int
    startup_s: float


@dataclass(frozen=True)
class LevelProgress:
    """`completed` of `wanted` requests of a level are done; about `left_s` seconds are left, None
    while nothing is known."""

    index: int
    concurrency: int
    completed: int
    wanted: int
    left_s: float | None = None


@dataclass(frozen=True)
class MachineBusy:
    """Others load the machine before anything is measured; `reason` in words."""

    reason: str


@dataclass(frozen=True)
class LevelMeasured:
    """A level has ended and is stored; `predicted` is what was expected of it."""

    index: int
    measurement: Measurement
    predicted: Prediction | None = None


@dataclass(frozen=True)
class LaunchCutShort:
    """The levels that a launch has left are not measured; `reason` in words."""

    index: int
    reason: str


@dataclass(frozen=True)
class ExperimentEnded:
    """An experiment is finished and stored; `failure` says why it failed, if it did."""

    index: int
    candidate_id: str
    failure: Failure | None
    seconds: float


@dataclass(frozen=True)
class RunEnded:
    """The run is over, or was interrupted; `reason` in words."""

    task_id: int
    status: str
    reason: str


Event = (
    RunStarted
    | Predicting
    | StrategyTold
    | ExperimentStarted
    | NotPredicted
    | PredictionTrouble
    | EngineReady
    | LevelProgress
    | MachineBusy
    | LevelMeasured
    | LaunchCutShort
    | ExperimentEnded
    | RunEnded
)
