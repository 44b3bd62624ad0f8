"""Events of a run -> lines of a log as v1 wrote them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from autotuner.store.event_log import Happened

Line = str
"""`[time] [level] text`, without a line break."""
_INFO, _WARNING, _ERROR = "INFO", "WARNING", "ERROR"
_ENDS = {"SUCCESS", "FAILED"}
_OF_BOOKKEEPING = frozenset(
    {
        *("created", "asked", "claimed", "taken_over", "released"),
        *("predicting", "preparing", "level_progress"),
    }
)
"""Kinds of events that tell nothing of the work itself."""


def lines_of(
    task_name: str,
    events: Iterable[Happened],
    statuses: Mapping[int, str],
    notes: Callable[[], Iterable[str]],
) -> Iterator[Line]:
    """The lines of a run's events.

    Args:
        statuses: experiment's number -> v1's status of it.
        notes: what is done differently than the task says; written when a worker takes the task.
    """
    for event in events:
        if event.kind == "claimed":
            yield _line(event.at, _INFO, f"Starting task: {task_name}")
            for note in notes():
                yield _line(event.at, _INFO, note)
        for level, text in _texts(event, statuses):
            yield _line(event.at, level, text)


def _texts(event: Happened, statuses: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    payload = event.payload
    mark = f"[Experiment {payload['index']}] " if "index" in payload else ""
    match event.kind:
        case "task_started":
            yield _INFO, f"Expected experiments: {payload.get('launches')}"
        case "experiment_started":
            yield _INFO, f"{mark}Status: DEPLOYING"
            yield _INFO, f"{mark}Settings: {_pairs(payload.get('settings', {}))}"
        case "engine_ready":
            yield _INFO, f"{mark}Engine ready after {payload.get('startup_s', 0):.1f} s"
            yield _INFO, f"{mark}Status: BENCHMARKING"
        case "level_measured":
            yield _INFO, f"{mark}Measured {_pairs(payload.get('load', {}))}: {_figures(payload)}"
        case "experiment_ended":
            yield from _ended(mark, payload, statuses)
        case "task_ended":
            level = _INFO if payload.get("status") == "completed" else _WARNING
            yield level, f"Task {payload.get('status')}: {payload.get('reason')}"
        case kind if kind not in _OF_BOOKKEEPING:
            rest = {key: value for key, value in payload.items() if key != "index"}
            yield _INFO, f"{mark}{kind}: {_pairs(rest)}"


def _ended(
    mark: str, payload: Mapping[str, Any], statuses: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    failure = payload.get("failure")
    if failure:
        yield _ERROR, f"{mark}Failed: {failure.get('kind')}: {failure.get('message')}"
    yield _INFO, f"{mark}Completed in {payload.get('seconds', 0):.2f}s"
    # A limit may have failed what was measured well.
    judged = statuses.get(int(payload["index"]), "")
    status = judged if judged in _ENDS else "FAILED" if failure else "SUCCESS"
    yield _INFO, f"{mark}Status: {status}"


def _figures(payload: Mapping[str, Any]) -> str:
    measured = {k: v for k, v in (payload.get("measured") or {}).items() if v is not None}
    return ", ".join(
        f"{key}={value:.6g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in measured.items()
    )


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _line(at: datetime, level: str, text: str) -> Line:
    one = " ".join(text.replace("\r", " ").split("\n"))
    return f"[{at:%Y-%m-%d %H:%M:%S}] [{level}] {one}".rstrip()
