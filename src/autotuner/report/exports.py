"""Results for other programs: a table of points, the commands of the frontier, a task's file."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from autotuner.config import LoadKind, kind_of_levels
from autotuner.config.secret_values import shown_words
from autotuner.engines import secrets_as_variables
from autotuner.measure import Measurement
from autotuner.report.points import varied_settings
from autotuner.tuning.points import pooled_levels
from autotuner.tuning.recording import no_frontier
from autotuner.tuning.summary import ExperimentView, PredictionView, TaskSummary

_MEANS = ("ttft_ms", "tpot_ms", "itl_ms", "e2e_ms")
_PREDICTED = ("ttft_ms", "tpot_ms", "tok_s")
_LOAD = "load"
"""Its place; the column is named after the kind of the run's levels."""
_COLUMNS = (
    *("experiment", "candidate", "status", "phase", "gpus", _LOAD, "valid"),
    *("tok_s", "requests_s", "requests_completed", "requests_failed", "duration_s"),
    *(f"{name}_{kind}" for name in _MEANS for kind in ("mean", "p50", "p90", "p99")),
    *(f"predicted_{name}" for name in _PREDICTED),
    *("on_frontier", "launch", "counts"),
)


def points_csv(summary: TaskSummary) -> str:
    """One row for each measurement of a load level, and one for each failure.

    `counts` says whether the level's figures are of it: they are medians over those that do.

    Settings that all experiments share are left out; the others have a column each.

    Raises:
        NoResultError: nothing was launched.
    """
    if not summary.experiments:
        raise no_frontier(summary.task.id, summary.task.status, 0)
    on_frontier = {(point.experiment, point.load) for point in summary.frontier}
    settings = list(dict.fromkeys(p for e in summary.experiments for p in e.settings))
    varied = [p for p in settings if len({str(e.settings.get(p)) for e in summary.experiments}) > 1]
    file = io.StringIO()
    levels = (level.load for one in summary.experiments for level in one.measurements)
    kind = kind_of_levels(levels) or LoadKind.CONCURRENCY
    columns = [kind.value if name == _LOAD else name for name in _COLUMNS]
    writer = csv.DictWriter(file, [*columns, *varied], lineterminator="\n")
    writer.writeheader()
    for experiment in summary.experiments:
        own = _of_experiment(experiment) | {p: _cell(experiment.settings.get(p)) for p in varied}
        predicted = {view.load: view for view in experiment.predictions}
        counting = [m for found in pooled_levels(experiment.measurements).values() for m in found]
        for measured in experiment.measurements:
            level = {
                **_of_level(measured),
                **_of_prediction(predicted.get(measured.load)),
                "on_frontier": (experiment.id, measured.load) in on_frontier,
                "launch": measured.launch,
                "counts": any(measured is one for one in counting),
            }
            writer.writerow(own | level)
        if not experiment.measurements:
            writer.writerow(own)
    return file.getvalue()


def commands_shell(summary: TaskSummary) -> str:
    """A shell script that names the command of every point of the frontier and starts the best.

    Each command stands once, in a function of its own.

    Raises:
        NoResultError: there is no frontier.
    """
    if not summary.frontier:
        raise no_frontier(summary.task.id, summary.task.status, len(summary.experiments))
    labels = {e.id: varied_settings(e, summary) for e in summary.experiments}
    chosen = [summary.recommended] if summary.recommended else []
    points = (*summary.frontier, *chosen)
    commands = {point.experiment: secrets_as_variables(point.command) for point in points}
    lines = [
        "#!/bin/sh",
        f"# {one_line(summary.task.name)}: the frontier of task {summary.task.id}, "
        f"{one_line(summary.task.model)} on {one_line(summary.task.device)}.",
        "# Usage: sh FILE [CANDIDATE]; without one, the recommended candidate is started.",
        "",
    ]
    for candidate, command in commands.items():
        lines += [f"serve_{_word(candidate)}() {{"]
        lines += [f"  # {one_line(labels.get(candidate, ''))}", f"  {command}", "}", ""]
    best = summary.recommended.experiment if summary.recommended else next(iter(commands))
    lines += [f"candidate=${{1:-{_word(best)}}}", 'case "$candidate" in']
    lines += [f"  {_word(candidate)}) serve_{_word(candidate)} ;;" for candidate in commands]
    known = " ".join(map(_word, commands))
    lines += [f"  *) echo {shlex.quote(f'candidates: {known}')} >&2; exit 2 ;;", "esac", ""]
    return "\n".join(lines)


def task_yaml(document: Mapping[str, Any]) -> str:
    """A task's document as a task file."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)


def _of_experiment(experiment: ExperimentView) -> dict[str, object]:
    return {
        "experiment": experiment.index,
        "candidate": experiment.id,
        "status": experiment.status,
        "phase": experiment.phase,
        "gpus": experiment.gpus,
    }


def _of_level(measured: Measurement) -> dict[str, object]:
    names = ("valid", "tok_s", "requests_s", "requests_completed")
    row: dict[str, object] = {measured.load.kind.value: measured.load.value}
    row |= {name: getattr(measured, name) for name in names}
    row |= {name: getattr(measured, name) for name in ("requests_failed", "duration_s")}
    for name in _MEANS:
        found = getattr(measured, name)
        for kind in ("mean", "p50", "p90", "p99"):
            row[f"{name}_{kind}"] = None if found is None else getattr(found, kind)
    return row


def _of_prediction(view: PredictionView | None) -> dict[str, object]:
    if view is None:
        return {}
    best = view.calibrated or view.base
    return {f"predicted_{name}": getattr(best, name) for name in _PREDICTED}


def _cell(value: object) -> object:
    return " ".join(shown_words(map(str, value))) if isinstance(value, list) else value


def _word(text: str) -> str:
    """A candidate's id: letters and digits already; anything else becomes an underscore."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)


def one_line(text: str) -> str:
    """Text for a comment: nothing in it may end the line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
