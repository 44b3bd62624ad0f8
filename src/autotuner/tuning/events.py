"""Events of the loop: what happens while it works, as listeners see it and as it is stored.

Kinds and payloads of stored events are part of the interface: docs/operations.md lists them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from autotuner.config import LoadLevel
from autotuner.launch import Failure
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.store import Store
from autotuner.tuning.operating_points import OperatingPointView


@dataclass(frozen=True)
class TaskStarted:
    """`kept` experiments were finished by earlier calls and are not repeated."""

    task_id: int
    launches: int
    kept: int
    resumed: bool


@dataclass(frozen=True)
class Predicting:
    """`asked` of `total` candidates have been asked for, before anything is launched."""

    asked: int
    total: int


@dataclass(frozen=True)
class Preparing:
    """The launcher fetches or reserves what a launch needs before it can begin; 0 of 0 GiB where it
    fetches nothing, and while nothing is known."""

    what: str
    done_gib: float
    total_gib: float


@dataclass(frozen=True)
class StrategyChosen:
    """Choice of a task's strategy, and why, in its own words."""

    name: str
    reason: str


@dataclass(frozen=True)
class ExperimentStarted:
    """The `index`-th launch of the task, counted from 1."""

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
    """A predictor failed in a way that it should not; the task goes on without it."""

    message: str


@dataclass(frozen=True)
class EngineReady:
    """The engine serves; it took `startup_s` seconds."""

    index: int
    startup_s: float


@dataclass(frozen=True)
class LevelProgress:
    """`completed` of `total` requests of a level are done; about `left_s` seconds are left, None
    while nothing is known."""

    index: int
    load: LoadLevel
    completed: int
    total: int
    left_s: float | None = None


@dataclass(frozen=True)
class MachineBusy:
    """Others load the machine before anything is measured; `reason` in words."""

    reason: str


@dataclass(frozen=True)
class LevelMeasured:
    """A level has ended and is stored; `predicted` is what was expected of it.

    `point` is of the level with all its repeats until now, and on the frontier of all that is
    measured until now; `frontier_changed` says whether that is another one than before.
    """

    index: int
    measurement: Measurement
    predicted: Prediction | None
    point: OperatingPointView
    frontier_changed: bool


@dataclass(frozen=True)
class LaunchCutShort:
    """The levels that a launch has left are not measured; `reason` in words."""

    index: int
    reason: str


@dataclass(frozen=True)
class LaunchTakenBack:
    """A launch whose machine was lost counts as not made; it is made again."""

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
class RelaunchStarted:
    """A candidate is launched again, to confirm what is recommended; `launch` is 2 for the second
    launch of it, and `further` counts the further launches of all candidates, `most` at the most.
    """

    index: int
    candidate_id: str
    launch: int
    reason: str
    further: int
    most: int


@dataclass(frozen=True)
class RelaunchEnded:
    """A further launch is finished and stored; `failure` says why it failed, if it did."""

    index: int
    candidate_id: str
    launch: int
    failure: Failure | None
    seconds: float


@dataclass(frozen=True)
class TaskEnded:
    """The task is over, or was interrupted; `reason` in words."""

    task_id: int
    status: str
    reason: str


Event = (
    TaskStarted
    | Predicting
    | Preparing
    | StrategyChosen
    | ExperimentStarted
    | NotPredicted
    | PredictionTrouble
    | EngineReady
    | LevelProgress
    | MachineBusy
    | LevelMeasured
    | LaunchCutShort
    | LaunchTakenBack
    | ExperimentEnded
    | RelaunchStarted
    | RelaunchEnded
    | TaskEnded
)


StoredEvent = tuple[str, dict[str, Any]]
KINDS = (
    *("task_started", "predicting", "preparing", "strategy", "experiment_started", "not_predicted"),
    *("prediction_trouble", "machine_busy", "engine_ready", "level_progress", "level_measured"),
    *("launch_cut_short", "launch_taken_back", "experiment_ended", "relaunch_started"),
    *("relaunch_ended", "task_ended"),
)
"""Of a task; `store.tasks` adds what happens to its task: created, asked, claimed, released …"""
_PASSING = ("predicting", "preparing", "level_progress")
"""Kinds that the next one of its kind makes old: stored at most once in `PROGRESS_EVERY_S`."""
PROGRESS_EVERY_S = 1.0


def to_event(event: Event) -> StoredEvent:
    """The event as it is stored."""
    match event:
        case TaskStarted(_, launches, kept, resumed):
            return "task_started", {"launches": launches, "kept": kept, "resumed": resumed}
        case Predicting(asked, total):
            return "predicting", {"asked": asked, "wanted": total}
        case Preparing(what, done_gib, total_gib):
            return "preparing", {"what": what, "done_gib": done_gib, "total_gib": total_gib}
        case StrategyChosen(name, reason):
            return "strategy", {"name": name, "reason": reason}
        case ExperimentStarted(index, candidate_id, settings, reason, phase):
            choice = {"settings": settings, "reason": reason, "phase": phase}
            return "experiment_started", {"index": index, "candidate_id": candidate_id, **choice}
        case NotPredicted(index, reason):
            return "not_predicted", {"index": index, "reason": reason}
        case PredictionTrouble(message):
            return "prediction_trouble", {"message": message}
        case EngineReady(index, startup_s):
            return "engine_ready", {"index": index, "startup_s": startup_s}
        case MachineBusy(reason):
            return "machine_busy", {"reason": reason}
        case LevelProgress(index, load, completed, total, left_s):
            done = {"completed": completed, "wanted": total, "left_s": left_s}
            return "level_progress", {"index": index, "load": load.to_json(), **done}
        case LevelMeasured(index, measurement, predicted, point, frontier_changed):
            return "level_measured", {
                "index": index,
                "candidate_id": point.candidate,
                "load": measurement.load.to_json(),
                "valid": measurement.valid,
                "measured": _measured(measurement),
                "predicted": _predicted(predicted),
                "point": point.model_dump(mode="json"),
                "frontier_changed": frontier_changed,
            }
        case LaunchCutShort(index, reason):
            return "launch_cut_short", {"index": index, "reason": reason}
        case LaunchTakenBack(index, reason):
            return "launch_taken_back", {"index": index, "reason": reason}
        case ExperimentEnded(index, candidate_id, failure, seconds):
            return "experiment_ended", {
                "index": index,
                "candidate_id": candidate_id,
                "status": "completed" if failure is None else "failed",
                "failure": _failure(failure),
                "seconds": seconds,
            }
        case RelaunchStarted(index, candidate_id, launch, reason, further, most):
            about = {"launch": launch, "reason": reason, "further": further, "most": most}
            return "relaunch_started", {"index": index, "candidate_id": candidate_id, **about}
        case RelaunchEnded(index, candidate_id, launch, failure, seconds):
            return "relaunch_ended", {
                "index": index,
                "candidate_id": candidate_id,
                "launch": launch,
                "status": "completed" if failure is None else "failed",
                "failure": _failure(failure),
                "seconds": seconds,
            }
        case TaskEnded(_, status, reason):
            return "task_ended", {"status": status, "reason": reason}


class EventRecorder:
    """Stores a task's events in their order; leaving its block waits for the last.

    Progress is stored from a thread of its own, so that no load waits for the disk; whatever else
    is stored waits for it, so that the order holds.

    Args:
        clock: seconds from any origin, in real time.
    """

    def __init__(
        self, store: Store, task_id: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._task_id = task_id
        self._clock = clock
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="events")
        self._under_way: Future[None] | None = None
        self._stored_s: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._aside.shutdown()

    def store(self, event: Event) -> None:
        """Keeps one event; one that tells the end of a task is kept with that end itself."""
        kind, payload = to_event(event)
        if isinstance(event, TaskEnded):
            return
        if kind in _PASSING:
            self._pass(kind, payload)
            return
        self._wait()
        self._store.add_event(self._task_id, kind, payload)

    def _pass(self, kind: str, payload: dict[str, Any]) -> None:
        now_s = self._clock()
        busy = self._under_way is not None and not self._under_way.done()
        if busy or now_s - self._stored_s.get(kind, -PROGRESS_EVERY_S) < PROGRESS_EVERY_S:
            return
        self._wait()
        self._stored_s[kind] = now_s
        add = partial(self._store.add_event, ephemeral=True)
        self._under_way = self._aside.submit(add, self._task_id, kind, payload)

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


def _measured(measurement: Measurement) -> dict[str, float | None]:
    return {
        "tok_s": measurement.tok_s,
        "ttft_ms": measurement.ttft_ms.mean if measurement.ttft_ms else None,
        "tpot_ms": measurement.tpot_ms.mean if measurement.tpot_ms else None,
        "e2e_p90_ms": measurement.e2e_ms.p90 if measurement.e2e_ms else None,
        "requests_completed": measurement.requests_completed,
        "requests_failed": measurement.requests_failed,
    }


def _predicted(prediction: Prediction | None) -> dict[str, float | None] | None:
    if prediction is None:
        return None
    names = ("tok_s", "ttft_ms", "tpot_ms")
    return {name: getattr(prediction, name) for name in names}


def _failure(failure: Failure | None) -> dict[str, str] | None:
    return None if failure is None else {"kind": failure.kind.value, "message": failure.message}
