"""What happens in a run, as events that are stored while it happens: (kind, payload).

Kinds and payloads are part of the interface: docs/operations.md lists them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

from autotuner.launch import Failure
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.store import Store
from autotuner.tuning.events import (
    EngineReady,
    Event,
    ExperimentEnded,
    ExperimentStarted,
    LaunchCutShort,
    LevelMeasured,
    LevelProgress,
    MachineBusy,
    NotPredicted,
    Predicting,
    PredictionTrouble,
    RunEnded,
    RunStarted,
    StrategyTold,
)

Told = tuple[str, dict[str, Any]]
KINDS = (
    *("run_started", "predicting", "strategy", "experiment_started", "not_predicted"),
    *("prediction_trouble", "machine_busy", "engine_ready", "level_progress", "level_measured"),
    *("launch_cut_short", "experiment_ended", "run_ended"),
)
"""Of a run; `store.tasks` adds what happens to its task: created, asked, claimed, released …"""
_PASSING = ("predicting", "level_progress")
"""Kinds that the next one of its kind makes old: told at most once in `PROGRESS_EVERY_S`."""
PROGRESS_EVERY_S = 1.0


def told(event: Event) -> Told:
    """The event as it is stored."""
    match event:
        case RunStarted(_, launches, kept, resumed):
            return "run_started", {"launches": launches, "kept": kept, "resumed": resumed}
        case Predicting(asked, wanted):
            return "predicting", {"asked": asked, "wanted": wanted}
        case StrategyTold(name, reason):
            return "strategy", {"name": name, "reason": reason}
        case ExperimentStarted(index, candidate_id, settings, reason, phase):
            said = {"settings": settings, "reason": reason, "phase": phase}
            return "experiment_started", {"index": index, "candidate_id": candidate_id, **said}
        case NotPredicted(index, reason):
            return "not_predicted", {"index": index, "reason": reason}
        case PredictionTrouble(message):
            return "prediction_trouble", {"message": message}
        case EngineReady(index, startup_s):
            return "engine_ready", {"index": index, "startup_s": startup_s}
        case MachineBusy(reason):
            return "machine_busy", {"reason": reason}
        case LevelProgress(index, concurrency, completed, wanted, left_s):
            done = {"completed": completed, "wanted": wanted, "left_s": left_s}
            return "level_progress", {"index": index, "concurrency": concurrency, **done}
        case LevelMeasured(index, measurement, predicted):
            return "level_measured", {
                "index": index,
                "concurrency": measurement.concurrency,
                "valid": measurement.valid,
                "measured": _measured(measurement),
                "predicted": _predicted(predicted),
            }
        case LaunchCutShort(index, reason):
            return "launch_cut_short", {"index": index, "reason": reason}
        case ExperimentEnded(index, candidate_id, failure, seconds):
            return "experiment_ended", {
                "index": index,
                "candidate_id": candidate_id,
                "status": "completed" if failure is None else "failed",
                "failure": _failure(failure),
                "seconds": seconds,
            }
        case RunEnded(_, status, reason):
            return "run_ended", {"status": status, "reason": reason}


class Telling:
    """Stores a run's events in their order; leaving its block waits for the last.

    Progress is stored from a thread of its own, so that no load waits for the disk; whatever else
    is told waits for it, so that the order holds.

    Args:
        clock: seconds from any origin, in real time.
    """

    def __init__(
        self, store: Store, task_id: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._task_id = task_id
        self._clock = clock
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="telling")
        self._under_way: Future[None] | None = None
        self._told_s: dict[str, float] = {}

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
        """Keeps one event; one that tells the end of a run is kept with that end itself."""
        kind, payload = told(event)
        if isinstance(event, RunEnded):
            return
        if kind in _PASSING:
            self._pass(kind, payload)
            return
        self._wait()
        self._store.add_event(self._task_id, kind, payload)

    def _pass(self, kind: str, payload: dict[str, Any]) -> None:
        now_s = self._clock()
        busy = self._under_way is not None and not self._under_way.done()
        if busy or now_s - self._told_s.get(kind, -PROGRESS_EVERY_S) < PROGRESS_EVERY_S:
            return
        self._wait()
        self._told_s[kind] = now_s
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
