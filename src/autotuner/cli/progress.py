"""Progress on the terminal while the loop works: each result as it comes, and the time left."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from autotuner.cli.output import duration_text
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.report.point_table import short_ids
from autotuner.report.points import settings_text
from autotuner.tuning.contest import PHASE
from autotuner.tuning.events import (
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
)
from autotuner.tuning.prepare import Prepared


class Progress:
    """Listens to the loop. On a terminal the line under way is live; elsewhere only results."""

    def __init__(self, console: Console, prepared: Prepared) -> None:
        self._console = console
        self._axes = prepared.axes
        self._ids = short_ids([candidate.id for candidate in prepared.launchable.candidates])
        self._launches = prepared.engine_starts
        self._replay = prepared.replay is not None
        self._simulated = " (simulated)" if self._replay else ""
        self._side_by_side = prepared.side_by_side
        self._seconds: list[float] = []
        self._before = 0
        self._numbers: dict[tuple[int, int], int] = {}
        self._labels: dict[int, str] = {}
        self._status: Status | None = None
        self._ended: str | None = None

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
        # An error that ended the task is printed by whoever catches it.
        if self._ended is not None and (error is None or str(error) not in self._ended):
            self._print(self._ended)

    def tell(self, event: Event) -> None:
        """Shows one event."""
        match event:
            case Predicting(asked, wanted):
                self._show(f"{asked:,} of {wanted:,} candidates predicted")
            case Preparing(what, done_gib, total_gib):
                self._show(what + (f": {done_gib:.2f} of {total_gib:.2f} GiB" if total_gib else ""))
            case TaskStarted(task_id, launches, kept):
                self._before = kept
                again = f", {kept} of them finished before" if kept else ""
                doing = "candidates to replay, nothing is launched" if self._replay else "launches"
                self._print(f"task {task_id}: up to {launches} {doing}{again}")
            case StrategyChosen(name, reason):
                self._print(f"strategy {name}" + (f": {reason}" if reason else ""))
            case ExperimentStarted(index, candidate, settings, reason, phase):
                self._labels[index] = self._label(index, 1)
                short = self._ids.get(candidate, candidate)
                label = f"{self._labels[index]} {short} {settings_text(settings, self._axes)}"
                self._live(index, "starting the engine")
                self._print(f"{label}  ({phase}: {reason})")
            case EngineReady(index, startup_s):
                self._live(index, f"engine ready after {startup_s:.1f} s{self._simulated}")
            case MachineBusy(reason):
                self._console.print(f"[yellow]warning[/yellow] {escape(reason)}", soft_wrap=True)
            case LevelProgress(index, load, completed, wanted, left_s):
                done = f"{load.short}: {completed} of {wanted} requests"
                left = f", {duration_text(left_s)} left at this level" if left_s else ""
                self._live(index, done + left)
            case LevelMeasured(index, measurement, predicted):
                self._result(index, level_text(measurement, predicted))
            case LaunchCutShort(index, reason):
                self._result(index, f"cut short {reason}")
            case LaunchTakenBack(index, reason):
                self._result(index, f"not made, and made again: {reason}", "yellow")
            case NotPredicted(index, reason):
                self._result(index, f"not predicted, so nothing is learnt from it: {reason}")
            case PredictionTrouble(message):
                self._console.print(f"[yellow]warning[/yellow] {escape(message)}", soft_wrap=True)
            case ExperimentEnded(index, _, failure, seconds):
                self._seconds.append(seconds)
                if failure is not None:
                    self._result(index, f"failed: {failure.kind.value}: {failure.message}", "red")
            case RelaunchStarted(index, candidate, launch, reason, further, most):
                self._labels[index] = self._label(index, launch)
                short = self._ids.get(candidate, candidate)
                self._live(index, "starting the engine")
                label = f"{self._labels[index]} {short} launch {launch} of it"
                self._print(f"{label}  ({PHASE}, {further} of at most {most}: {reason})")
            case RelaunchEnded(index, _, _, failure, seconds):
                self._seconds.append(seconds)
                if failure is not None:
                    self._result(index, f"failed: {failure.kind.value}: {failure.message}", "red")
            case TaskEnded(_, status, reason) if status != "interrupted":
                self._ended = f"{status}: {reason}"

    def _label(self, index: int, launch: int) -> str:
        """Number of a launch among all of the task; one that is made again keeps its own."""
        number = self._before + len(self._numbers) + 1
        return f"[{self._numbers.setdefault((index, launch), number)}/{self._launches}]"

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(escape(text), soft_wrap=True, style=style)

    def _result(self, index: int, text: str, style: str | None = None) -> None:
        """A line of a launch, which says whose it is where several are under way."""
        whose = f"{self._labels.get(index, '')} " if self._side_by_side > 1 else ""
        self._print(f"    {whose}{text}", style)

    def _live(self, index: int, doing: str) -> None:
        self._show(f"{self._labels.get(index, '')}  {doing}{self._left()}")

    def _show(self, text: str) -> None:
        if self._status is not None:
            self._status.update(escape(text))

    def _left(self) -> str:
        if not self._seconds:
            return ""
        mean = sum(self._seconds) / len(self._seconds)
        left = self._launches - len(self._seconds)
        left_s = mean * left / self._side_by_side
        if left_s <= 0:
            return ", taking longer than expected"
        return f", at most about {duration_text(left_s)} left{self._simulated}"


def level_text(measurement: Measurement, predicted: Prediction | None = None) -> str:
    """One level in a line: `at 8: 210 tok/s, TTFT 120 ms (predicted 98), TPOT 31 ms`."""
    head = f"at {measurement.load}: "
    ttft, tpot = measurement.ttft_ms, measurement.tpot_ms
    if not measurement.valid or ttft is None:
        errors = [f"{count} x {text}" for text, count in measurement.errors.items()]
        why = "; ".join([*errors, *filter(None, [measurement.note])]) or "no answer was complete"
        return f"{head}not valid, {measurement.requests_failed} requests failed: {why}"
    if tpot is None:
        rate = measurement.requests_s, predicted and predicted.requests_per_s, 2, "requests/s"
    else:
        rate = measurement.tok_s, predicted and predicted.tok_s, 1, "tok/s"
    seen_rate, predicted_rate, digits, unit = rate
    figures = [
        (f"{seen_rate:.{digits}f} {unit}", predicted_rate and f"{predicted_rate:.{digits}f}"),
        (f"TTFT {ttft.mean:.0f} ms", predicted and f"{predicted.ttft_ms:.0f}"),
    ]
    if tpot is not None:
        predicted_value = predicted and predicted.tpot_ms
        figures.append((f"TPOT {tpot.mean:.1f} ms", predicted_value and f"{predicted_value:.1f}"))
    text = head + ", ".join(
        f"{seen} (predicted {predicted_value})" if predicted_value else seen
        for seen, predicted_value in figures
    )
    remarks = []
    if measurement.saturated:
        remarks.append("the engine does not keep up with the rate")
    if measurement.client_bottleneck:
        remarks.append("the load generator was the bottleneck")
    if measurement.machine is not None and measurement.machine.busy:
        remarks.append(f"the machine was busy: {measurement.machine.describe()}")
    return f"{text} ({'; '.join(remarks)})" if remarks else text
