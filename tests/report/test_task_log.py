"""The log of a task: every kind of event is a line of words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from autotuner.config import LoadLevel
from autotuner.engines import FailureKind
from autotuner.launch import Failure
from autotuner.measure import Distribution, Measurement
from autotuner.predict import Prediction
from autotuner.report.task_log import TaskLog
from autotuner.store.event_log import Happened
from autotuner.tuning.events import (
    KINDS,
    EngineReady,
    Event,
    ExperimentEnded,
    ExperimentStarted,
    LaunchCutShort,
    LaunchTakenBack,
    LevelMeasured,
    LevelProgress,
    MachineBusy,
    NotPredicted,
    Predicting,
    PredictionTrouble,
    Preparing,
    RelaunchEnded,
    RelaunchStarted,
    StrategyChosen,
    TaskEnded,
    TaskStarted,
    to_event,
)
from autotuner.tuning.operating_points import OperatingPointView
from autotuner.tuning.point_figures import PointFiguresView

AT = datetime(2026, 11, 25, 12, 0, 1, tzinfo=UTC)
STAMP = "2026-11-25T12:00:01Z "
SETTINGS = {"misc.threads": 2, "scheduling.max_running_requests": 8}


def lines(*events: Event | tuple[str, dict[str, Any]]) -> list[str]:
    """The lines of events, without their time."""
    stored = [each if isinstance(each, tuple) else to_event(each) for each in events]
    happened = [Happened(n, 1, AT, kind, payload) for n, (kind, payload) in enumerate(stored, 1)]
    found = TaskLog(axes=("misc.threads",)).lines(happened)
    assert all(line.startswith(STAMP) for line in found)
    return [line.removeprefix(STAMP) for line in found]


def level(*, valid: bool = True) -> Measurement:
    def around(mean: float) -> Distribution:
        spread = dict.fromkeys(("min", "p50", "p90", "p95", "p99", "max"), mean)
        return Distribution(count=8, mean=mean, std=0.0, **spread)

    return Measurement(
        load=LoadLevel.concurrency(4),
        duration_s=1.0,
        requests_completed=6,
        requests_failed=2,
        requests_short=0,
        ended_by="requests",
        valid=valid,
        tok_s=210.0,
        requests_s=8.0,
        input_tokens=64,
        output_tokens=32,
        ttft_ms=around(120.0),
        tpot_ms=around(31.0),
        e2e_ms=around(400.0),
    )


PREDICTED = Prediction(
    candidate_id="c", load=LoadLevel.concurrency(4), ttft_ms=98.0, tpot_ms=30.0, tok_s=200.0,
    devices=1, osl=8.0, ttft_log_std=0.1, tpot_log_std=0.1, tok_s_log_std=0.1, source="s",
)  # fmt: skip
POINT = OperatingPointView(
    id="3:concurrency:4", kind="measured", experiment_index=3, candidate="c",
    load=LoadLevel.concurrency(4), settings={}, gpus=0,
    figures=PointFiguresView(**dict.fromkeys(PointFiguresView.model_fields)), verdicts={},
    meets_slo=None, on_frontier=True, is_steady=True, source="autotuner", note="",
)  # fmt: skip
BROKEN = Failure(FailureKind.OUT_OF_MEMORY, "no\nroom", "tail")
EXPECTED: dict[str, tuple[Event, list[str]]] = {
    "task_started": (TaskStarted(1, 7, 2, True), ["INFO Started: up to 7 launches, 2 of them "]),
    "predicting": (Predicting(1200, 5000), ["INFO 1,200 of 5,000 candidates predicted"]),
    "preparing": (Preparing("fetching it", 0.5, 2.0), ["INFO fetching it: 0.50 of 2.00 GiB"]),
    "strategy": (StrategyChosen("grid", "all of them"), ["INFO Strategy grid: all of them"]),
    "experiment_started": (
        ExperimentStarted(3, "c", dict(SETTINGS), "the next", "grid"),
        ["INFO Launch 3: threads=2 (grid: the next)"],
    ),
    "not_predicted": (NotPredicted(3, "too new"), ["INFO Launch 3 is not predicted: too new"]),
    "prediction_trouble": (PredictionTrouble("it broke"), ["WARNING it broke"]),
    "machine_busy": (MachineBusy("others work"), ["WARNING others work"]),
    "engine_ready": (EngineReady(3, 1.25), ["INFO Launch 3: engine ready after 1.2 s"]),
    "level_progress": (LevelProgress(3, LoadLevel.concurrency(4), 1, 8), []),
    "level_measured": (
        LevelMeasured(3, level(), PREDICTED, POINT, True),
        [
            "INFO Launch 3 at 4 concurrent requests: 210.0 tok/s (predicted 200.0), "
            "TTFT 120 ms (predicted 98), TPOT 31.0 ms (predicted 30.0), E2E p90 400 ms"
        ],
    ),
    "launch_cut_short": (
        LaunchCutShort(3, "after 2 levels: in vain"),
        ["INFO Launch 3 cut short after 2 levels: in vain"],
    ),
    "launch_taken_back": (
        LaunchTakenBack(3, "its node is gone"),
        ["INFO Launch 3 counts as not made: its node is gone"],
    ),
    "experiment_ended": (
        ExperimentEnded(3, "c", BROKEN, 9.0),
        ["ERROR Launch 3 failed: out_of_memory: no room"],
    ),
    "relaunch_started": (
        RelaunchStarted(3, "c", 2, "is it so again?", 1, 3),
        ["INFO Launch 3 again (2), further launch 1 of at most 3: is it so again?"],
    ),
    "relaunch_ended": (
        RelaunchEnded(3, "c", 2, BROKEN, 9.0),
        ["ERROR Launch 3 again failed: out_of_memory: no room"],
    ),
    "task_ended": (TaskEnded(1, "completed", "all launched"), ["INFO Completed: all launched"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_is_a_line_of_words(kind: str) -> None:
    event, expected = EXPECTED[kind]
    assert to_event(event)[0] == kind
    found = lines(event)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))


def test_a_launch_is_counted_once_the_task_has_begun() -> None:
    started = ExperimentStarted(3, "c", dict(SETTINGS), "the next", "grid")
    assert lines(TaskStarted(1, 7, 0, False), started)[1].startswith(
        "INFO Launch 3 of 7: threads=2"
    )


def test_a_level_that_is_not_valid_says_how_many_requests_failed() -> None:
    (line,) = lines(LevelMeasured(3, level(valid=False), None, POINT, False))
    assert line == "WARNING Launch 3 at 4 concurrent requests: not valid, 2 of 8 requests failed"


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (("created", {"status": "pending"}), "INFO Created; the task is pending"),
        (
            ("asked", {"action": "pause", "status": "running"}),
            "INFO Asked to pause; the task is running",
        ),
        (("claimed", {"worker": "w"}), "INFO Taken by worker w"),
        (("taken_over", {"worker": "w"}), "WARNING Taken over from a worker that died, by w"),
        (("released", {"status": "paused", "reason": "asked for"}), "INFO Paused: asked for"),
        (("released", {"status": "failed", "reason": "no engine"}), "ERROR Failed: no engine"),
        (("unknown", {"a": "é"}), 'INFO unknown {"a": "é"}'),
        (("level_measured", {"index": 1}), 'INFO level_measured {"index": 1}'),
    ],
)
def test_what_happens_to_a_task_is_a_line_too(event: tuple[str, dict[str, Any]], line: str) -> None:
    assert lines(event) == [line]


def test_an_end_is_one_line_although_the_worker_repeats_it() -> None:
    end = {"status": "completed", "reason": "all launched"}
    left = {"status": "paused", "reason": "asked for"}
    assert lines(("task_ended", end), ("released", end)) == ["INFO Completed: all launched"]
    assert len(lines(("task_ended", end), ("released", left))) == 2
