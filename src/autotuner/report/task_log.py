"""The log of a task: its events as lines of text."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from autotuner.config import LoadLevel
from autotuner.report.points import settings_text
from autotuner.store.event_log import Happened

Payload = Mapping[str, Any]
_PASSING = ("level_progress",)
"""Kinds that are no lines: the next event puts them out of date."""


class TaskLog:
    """Writes the events of one task, in their order, as lines: `2026-11-25T12:00:00Z INFO …`.

    Args:
        axes: settings that differ among its candidates; a launch is named by them.
    """

    def __init__(self, axes: Collection[str] = ()) -> None:
        self._axes = axes
        self._launches: int | None = None
        self._end: Payload | None = None

    def lines(self, events: Iterable[Happened]) -> list[str]:
        """The lines of these events, which follow those of the call before."""
        return [self._line(event) for event in events if self._is_line(event)]

    def _is_line(self, event: Happened) -> bool:
        """Whether it says anything: a worker that leaves a task repeats how that ended."""
        repeats = event.kind == "released" and event.payload == self._end
        if event.kind == "task_started":
            self._launches, self._end = event.payload.get("launches"), None
        elif event.kind == "task_ended":
            self._end = event.payload
        return event.kind not in _PASSING and not repeats

    def _line(self, event: Happened) -> str:
        level, text = self._text(event.kind, event.payload)
        whole = f"{event.at:%Y-%m-%dT%H:%M:%SZ} {level} {text}"
        return " ".join(whole.splitlines())

    def _text(self, kind: str, payload: Payload) -> tuple[str, str]:
        """The level and the text of an event; one that is not known is shown as it is."""
        try:
            match kind:
                case "experiment_started":
                    return "INFO", self._launch(payload)
                case "experiment_ended" | "relaunch_ended" if payload["status"] == "failed":
                    failure = payload["failure"]
                    why = f"{failure['kind']}: {failure['message']}"
                    again = " again" if "launch" in payload else ""
                    return "ERROR", f"Launch {payload['index']}{again} failed: {why}"
                case "task_ended" | "released" if payload["status"] == "failed":
                    return "ERROR", f"Failed: {payload['reason']}"
                case "level_measured" if not payload["valid"]:
                    return "WARNING", f"{_level(payload)}: not valid, {_requests(payload)}"
                case _ if kind in _TEXTS:
                    return ("WARNING" if kind in _WARNINGS else "INFO"), _TEXTS[kind](payload)
        except (KeyError, TypeError, ValueError):
            pass  # Stored by another version, with another payload: shown as it is.
        return "INFO", f"{kind} {json.dumps(payload, ensure_ascii=False)}"

    def _launch(self, payload: Payload) -> str:
        of = "" if self._launches is None else f" of {self._launches}"
        named = settings_text(payload["settings"], self._axes) or payload["candidate_id"]
        return f"Launch {payload['index']}{of}: {named} ({payload['phase']}: {payload['reason']})"


def _level(payload: Payload) -> str:
    load = LoadLevel.from_json(payload["load"])
    return f"Launch {payload['index']} at {load.long}"


def _requests(payload: Payload) -> str:
    failed, done = (payload["measured"][f"requests_{what}"] for what in ("failed", "completed"))
    return f"{failed} of {failed + done} requests failed"


def _figures(payload: Payload) -> str:
    """Figures of a level, each beside its prediction."""
    measured, predicted = payload["measured"], payload["predicted"] or {}
    shown = []
    for name, label, digits, unit in _MEASURED:
        if measured[name] is None:
            continue
        expected = predicted.get(name)
        beside = "" if expected is None else f" (predicted {expected:.{digits}f})"
        shown.append(f"{label}{measured[name]:.{digits}f} {unit}{beside}")
    return f"{_level(payload)}: {', '.join(shown)}"


def _ended(payload: Payload) -> str:
    return f"{payload['status'].capitalize()}: {payload['reason']}"


def _asked(payload: Payload) -> str:
    action, status = payload["action"], payload["status"]
    return f"Asked to {action}; the task is {status}"


def _strategy(payload: Payload) -> str:
    reason = f": {payload['reason']}" if payload["reason"] else ""
    return f"Strategy {payload['name']}{reason}"


def _started(payload: Payload) -> str:
    kept = f", {payload['kept']} of them finished before" if payload["kept"] else ""
    return f"Started: up to {payload['launches']} launches{kept}"


def _preparing(payload: Payload) -> str:
    done, total = payload["done_gib"], payload["total_gib"]
    return f"{payload['what']}" + (f": {done:.2f} of {total:.2f} GiB" if total else "")


def _again(payload: Payload) -> str:
    further, most = payload.get("further"), payload.get("most")
    number = f", further launch {further} of at most {most}" if further else ""
    return f"Launch {payload['index']} again ({payload['launch']}){number}: {payload['reason']}"


_MEASURED = (
    ("tok_s", "", 1, "tok/s"),
    ("ttft_ms", "TTFT ", 0, "ms"),
    ("tpot_ms", "TPOT ", 1, "ms"),
    ("e2e_p90_ms", "E2E p90 ", 0, "ms"),
)
"""Figure, its label, its decimals, its unit."""
_WARNINGS = ("prediction_trouble", "machine_busy", "taken_over")
_TEXTS: Mapping[str, Callable[[Payload], str]] = {
    "created": lambda p: f"Created; the task is {p['status']}",
    "asked": _asked,
    "claimed": lambda p: f"Taken by worker {p['worker']}",
    "taken_over": lambda p: f"Taken over from a worker that died, by {p['worker']}",
    "released": _ended,
    "task_started": _started,
    "predicting": lambda p: f"{p['asked']:,} of {p['wanted']:,} candidates predicted",
    "preparing": _preparing,
    "strategy": _strategy,
    "not_predicted": lambda p: f"Launch {p['index']} is not predicted: {p['reason']}",
    "prediction_trouble": lambda p: str(p["message"]),
    "machine_busy": lambda p: str(p["reason"]),
    "engine_ready": lambda p: f"Launch {p['index']}: engine ready after {p['startup_s']:.1f} s",
    "level_measured": _figures,
    "launch_taken_back": lambda p: f"Launch {p['index']} counts as not made: {p['reason']}",
    "launch_cut_short": lambda p: f"Launch {p['index']} cut short {p['reason']}",
    "experiment_ended": lambda p: f"Launch {p['index']} completed after {p['seconds']:.0f} s",
    "relaunch_started": _again,
    "relaunch_ended": lambda p: f"Launch {p['index']} again completed after {p['seconds']:.0f} s",
    "task_ended": _ended,
}
"""Kind of an event -> its text."""
