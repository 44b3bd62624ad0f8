"""What the terminal shows while the loop works: each result as it comes, and the time left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from autotuner.cli.output import duration_text
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.report.points import settings_text
from autotuner.tuning.events import (
    EngineReady,
    Event,
    ExperimentEnded,
    ExperimentStarted,
    LevelMeasured,
    LevelProgress,
    NotPredicted,
    PredictionTrouble,
    RunStarted,
)
from autotuner.tuning.prepare import Prepared


class Progress:
    """Listens to the loop. On a terminal the line under way is live; elsewhere only results."""

    def __init__(self, console: Console, prepared: Prepared) -> None:
        self._console = console
        self._axes = prepared.axes
        self._launches = prepared.launches
        self._replay = prepared.replay is not None
        self._simulated = " (simulated)" if self._replay else ""
        self._seconds: list[float] = []
        self._label = ""
        self._status: Status | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("preparing")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case RunStarted(run_id, launches, kept):
                again = f", {kept} of them finished before" if kept else ""
                doing = "replay, nothing is launched" if self._replay else "launch"
                self._console.print(f"run {run_id}: {launches} candidates to {doing}{again}")
            case ExperimentStarted(index, _, settings, reason):
                self._label = f"[{index}/{self._launches}] {settings_text(settings, self._axes)}"
                self._live("starting the engine")
                self._console.print(escape(f"{self._label}  ({reason})"), soft_wrap=True)
            case EngineReady(_, startup_s):
                self._live(f"engine ready after {startup_s:.1f} s{self._simulated}")
            case LevelProgress(_, concurrency, completed, wanted):
                self._live(f"{concurrency} concurrent: {completed} of {wanted} requests")
            case LevelMeasured(_, measurement, predicted):
                text = escape(f"    {level_text(measurement, predicted)}")
                self._console.print(text, soft_wrap=True)
            case NotPredicted(_, reason):
                text = escape(f"    not predicted, so nothing is learnt from it: {reason}")
                self._console.print(text, soft_wrap=True)
            case PredictionTrouble(message):
                self._console.print(f"[yellow]warning[/yellow] {escape(message)}", soft_wrap=True)
            case ExperimentEnded(_, _, failure, seconds):
                self._seconds.append(seconds)
                if failure is not None:
                    text = escape(f"    failed: {failure.kind.value}: {failure.message}")
                    self._console.print(f"[red]{text}[/red]", soft_wrap=True)

    def _live(self, doing: str) -> None:
        if self._status is not None:
            self._status.update(escape(f"{self._label}  {doing}{self._left()}"))

    def _left(self) -> str:
        if not self._seconds:
            return ""
        mean = sum(self._seconds) / len(self._seconds)
        left = self._launches - len(self._seconds)
        return f", about {duration_text(mean * left)} left{self._simulated}"


def level_text(measurement: Measurement, predicted: Prediction | None = None) -> str:
    """One level in a line: `at 8: 210 tok/s, TTFT 120 ms (predicted 98), TPOT 31 ms`."""
    head = f"at {measurement.concurrency}: "
    if not measurement.valid or measurement.ttft_ms is None or measurement.tpot_ms is None:
        errors = "; ".join(f"{count} x {text}" for text, count in measurement.errors.items())
        return f"{head}not valid, {measurement.requests_failed} requests failed: {errors}"
    figures = (
        (f"{measurement.tok_s:.1f} tok/s", predicted and f"{predicted.tok_s:.1f}"),
        (f"TTFT {measurement.ttft_ms.mean:.0f} ms", predicted and f"{predicted.ttft_ms:.0f}"),
        (f"TPOT {measurement.tpot_ms.mean:.1f} ms", predicted and f"{predicted.tpot_ms:.1f}"),
    )
    text = head + ", ".join(
        f"{seen} (predicted {said})" if said else seen for seen, said in figures
    )
    return (
        f"{text} (the load generator was the bottleneck)" if measurement.client_bottleneck else text
    )
