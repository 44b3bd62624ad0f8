"""The ledger of a task: each launch with its reason, its result and what it showed; the launches
that confirm the result; then totals.

For whoever goes on with the task, a colleague or a coding agent: one document, as JSON or Markdown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.config import LoadLevel
from autotuner.report.points import verdict_text
from autotuner.report.search import added_text, measure_name
from autotuner.search import OBJECTIVES
from autotuner.search.axes import describe_settings, differing, format_value, label
from autotuner.search.points import figure, percent
from autotuner.tuning.confirmation_views import RelaunchView
from autotuner.tuning.operating_points import MeasuredLevel, measured_levels
from autotuner.tuning.summary import ExperimentView, LaunchView, TaskSummary

_FIGURES = ("tok_s", "tok_s_per_gpu", "tok_s_per_user", "requests_per_s", "ttft_ms", "tpot_ms")
_SHOWN = ("tok_s", "ttft_ms", "tpot_ms")
"""Figures that Markdown has beside the objectives."""
_NOTABLE = 0.1
"""Share by which a level has to differ from its prediction for a word about it."""


@dataclass(frozen=True)
class Spent:
    """Use of a budget: finished launches, minutes with an engine up, and what these cost.

    Attributes:
        experiments: further launches of a candidate are among them.
        usd: None where no price is known.
    """

    experiments: int
    minutes: float
    usd: float | None = None


def ledger_document(summary: TaskSummary, spent: Spent) -> dict[str, Any]:
    """The ledger as `--json` prints it."""
    task = summary.task
    gains = {launch.experiment: launch for launch in summary.search.launches}
    before: ExperimentView | None = None
    launches = []
    for experiment in summary.experiments:
        gain = gains.get(experiment.id)
        launches.append(_launch(experiment, before, gain, summary))
        before = experiment
    return {
        "task": {
            "id": task.id,
            "name": task.name,
            "status": task.status,
            "stop_reason": task.stop_reason,
            "model": task.model,
            "engine": task.engine,
            "device": task.device,
            "strategy": task.strategy,
            "strategy_reason": task.strategy_reason,
            "objectives": task.objectives,
            "slo": task.slo,
            "measure": measure_name(summary.search),
            "searched": task.axes,
        },
        "launches": launches,
        "confirmation": _confirmation(summary),
        "totals": _totals(summary, spent),
    }


def _launch(
    experiment: ExperimentView,
    before: ExperimentView | None,
    gain: LaunchView | None,
    summary: TaskSummary,
) -> dict[str, Any]:
    level = _level(experiment, gain)
    failure = experiment.failure
    return {
        "launch": experiment.index,
        "candidate": experiment.id,
        "status": experiment.status,
        "phase": experiment.phase,
        "reason": experiment.selection_reason,
        "changed": None if before is None else _changed(before, experiment),
        "searched": {p: v for p, v in experiment.settings.items() if p in summary.task.axes},
        "load": None if level is None else level.load.to_json(),
        "result": {} if level is None else _figures(level, summary.task.objectives),
        "failure": None if failure is None else {"kind": failure.kind, "message": failure.message},
        "value": None if gain is None else gain.value,
        "added": None if gain is None else gain.added,
        "added_text": None if gain is None else added_text(gain, summary.search),
        "frontier_points": 0 if gain is None else gain.frontier_points,
        "learnt": _learnt(experiment, level, gain),
        "startup_s": experiment.startup_s,
        "measure_s": experiment.measure_s,
        "lost_s": experiment.lost_s,
    }


def _changed(before: ExperimentView, now: ExperimentView) -> dict[str, list[object]]:
    return {path: [old, new] for path, old, new in differing(before.settings, now.settings)}


def _confirmation(summary: TaskSummary) -> dict[str, Any] | None:
    """How sure the result is, and the further launches that say so."""
    found = summary.confirmation
    if found is None:
        return None
    experiments = {experiment.index: experiment for experiment in summary.experiments}
    return {
        "status": found.status,
        "headline": found.headline,
        "planned": found.planned,
        "launches": [
            _further(again, experiments[again.index], summary) for again in found.launches
        ],
    }


def _further(
    again: RelaunchView, experiment: ExperimentView, summary: TaskSummary
) -> dict[str, Any]:
    own = [level for level in experiment.measurements if level.launch == again.launch]
    level = _level(experiment.model_copy(update={"measurements": own}), None)
    return {
        "launch": again.index,
        "nth": again.launch,
        "candidate": again.candidate,
        "status": again.status,
        "phase": "confirm",
        "reason": again.reason,
        "load": None if level is None else level.load.to_json(),
        "result": {} if level is None else _figures(level, summary.task.objectives),
        "failure": again.failure,
        "startup_s": again.startup_s,
        "measure_s": again.measure_s,
        "lost_s": again.lost_s,
    }


def _level(experiment: ExperimentView, gain: LaunchView | None) -> MeasuredLevel | None:
    """The level that stands for a launch: nearest to the best of all objectives."""
    levels = measured_levels(experiment, experiment.id, experiment.gpus)
    known = [level for level in levels if level.point is not None]
    chosen = [level for level in known if gain is not None and level.load == gain.load]
    return (chosen or known)[-1] if known else None


def _figures(level: MeasuredLevel, objectives: Sequence[str]) -> dict[str, float]:
    names = dict.fromkeys((*objectives, *_FIGURES))
    found = {name: getattr(level.figures, name) for name in names}
    return {name: value.value for name, value in found.items() if value is not None}


def _learnt(
    experiment: ExperimentView, level: MeasuredLevel | None, gain: LaunchView | None
) -> list[str]:
    """Sentences about what a launch showed, each out of its record."""
    found = []
    if experiment.failure is not None:
        found.append(f"it fails: {experiment.failure.kind} ({experiment.failure.message})")
    if experiment.cut_short is not None:
        found.append(f"cut short {experiment.cut_short}")
    if level is not None:
        for prediction in experiment.predictions:
            expected = prediction.calibrated or prediction.base
            if prediction.load == level.load and prediction.measured is not None:
                ratio = prediction.measured.tok_s / expected.tok_s - 1 if expected.tok_s else 0.0
                way = "more" if ratio > 0 else "less"
                if abs(ratio) >= _NOTABLE:
                    found.append(f"{percent(abs(ratio))} {way} throughput than predicted")
    if gain is not None and not gain.failed:
        count = gain.frontier_points
        points = "point" if count == 1 else "points"
        found.append(
            "none of its points is on the final frontier"
            if gain.in_vain
            else f"{count} {points} of the final frontier"
        )
    return found


def _totals(summary: TaskSummary, spent: Spent) -> dict[str, Any]:
    states = Counter(experiment.status for experiment in summary.experiments)
    further = summary.confirmation.launches if summary.confirmation is not None else []
    budget = (summary.task.config.get("optimization") or {}).get("budget") or {}
    limits = {name: budget.get(name) for name in ("experiments", "minutes", "usd")}
    used = {"experiments": spent.experiments, "minutes": spent.minutes, "usd": spent.usd}
    left = {
        name: None if limit is None or used[name] is None else max(limit - used[name], 0)
        for name, limit in limits.items()
    }
    best = summary.recommended
    return {
        "launches": dict(states),
        "further_launches": dict(Counter(again.status for again in further)),
        "candidates": summary.task.candidates,
        "not_launched": max(summary.task.candidates - _of_candidates(summary), 0),
        "excluded": summary.task.excluded,
        "wall_s": summary.task.wall_s,
        "budget": {"limits": limits, "spent": used, "left": left},
        "best": None
        if best is None
        else {
            "launch": best.index,
            "candidate": best.experiment,
            "load": best.load.to_json(),
            **{
                name: getattr(best, name)
                for name in dict.fromkeys((*summary.task.objectives, *_FIGURES))
            },
            "meets_slo": best.meets_slo,
            "verdict": verdict_text(best),
            "reason": best.reason,
            "command": best.command,
        },
        "next": _next(summary, left),
    }


def _of_candidates(summary: TaskSummary) -> int:
    """Launches of candidates: that of a baseline which is none is left out."""
    baseline = summary.baseline
    return len(summary.experiments) - (baseline is not None and not baseline.is_candidate)


def _next(summary: TaskSummary, left: Mapping[str, float | None]) -> list[dict[str, str]]:
    """Commands by which one goes on, each with what it does."""
    task = summary.task
    found = []
    if task.status in ("interrupted", "cancelled", "failed"):
        found.append(("autotuner tune TASK_FILE", "the same file goes on where it stopped"))
    if task.status == "completed" and any(value == 0 for value in left.values()):
        does = "starts over with what was learnt; give the file a larger optimization.budget first"
        found.append(("autotuner tune TASK_FILE --again", does))
    if summary.recommended is not None:
        does = "the command of the recommended point, alone"
        found.append((f"autotuner render --task {task.id} --best", does))
        found.append((f"autotuner explain-performance {task.id}", "what limits that point"))
    return [{"command": command, "does": does} for command, does in found]


def ledger_markdown(document: Mapping[str, Any]) -> str:
    """The ledger as a Markdown document."""
    task, totals = document["task"], document["totals"]
    lines = [f"# Task {task['id']}, {_cell(task['name'])}: {task['status']}", ""]
    lines += [f"Ended: {_cell(task['stop_reason'])}", ""] if task["stop_reason"] else []
    slo = ", ".join(f"{name} {limit:g}" for name, limit in task["slo"].items())
    facts = {
        "Model": f"{task['model']} on {task['engine']}, {task['device']}",
        "Objectives": ", ".join(task["objectives"]) + (f"; SLO: {slo}" if slo else ""),
        "Strategy": " - ".join(filter(None, (task["strategy"], task["strategy_reason"]))),
        "Searched": "; ".join(
            f"{path}: {', '.join(map(format_value, values))}"
            for path, values in task["searched"].items()
        ),
    }
    lines += [f"- {name}: {_cell(text)}" for name, text in facts.items() if text]
    lines += ["", "## Launches", ""]
    shown = dict.fromkeys((*task["objectives"], *_SHOWN))
    lines += _table(document["launches"], task["measure"], shown)
    lines += _confirmation_lines(document["confirmation"], shown)
    lines += ["", "## Totals", ""]
    lines += [f"- {name}: {_cell(text)}" for name, text in _total_texts(totals, shown) if text]
    if totals["next"]:
        lines += ["", "## Going on", "", *_steps(totals["next"])]
    if totals["best"] is not None:
        lines += ["", "```sh", totals["best"]["command"], "```"]
    return "\n".join(lines) + "\n"


def _steps(steps: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"- `{step['command']}`: {step['does']}" for step in steps]


def _table(launches: Sequence[Mapping[str, Any]], measure: str, shown: Iterable[str]) -> list[str]:
    if not launches:
        return ["None yet."]
    heads = ("#", "what changed", "why", "result", f"added ({measure})", "learnt")
    return _rows(heads, (_row(launch, shown) for launch in launches))


def _rows(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    every = (heads, ("---",) * len(heads), *rows)
    return [f"| {' | '.join(map(_cell, row))} |" for row in every]


def _confirmation_lines(found: Mapping[str, Any] | None, shown: Iterable[str]) -> list[str]:
    """The section about further launches; empty where the task confirms nothing."""
    if found is None:
        return []
    lines = ["", "## Confirmation", "", _cell(found["headline"])]
    if found["launches"]:
        heads = ("#", "launched the", "why", "result")
        lines += ["", *_rows(heads, (_further_row(again, shown) for again in found["launches"]))]
    return lines


def _further_row(again: Mapping[str, Any], shown: Iterable[str]) -> tuple[str, ...]:
    failed = again["failure"] is not None
    result = f"failed: {again['failure']}" if failed else _result_text(again, shown)
    return str(again["launch"]), f"{again['nth']}. time", again["reason"], result


def _row(launch: Mapping[str, Any], shown: Iterable[str]) -> tuple[str, ...]:
    return (
        str(launch["launch"]),
        _changed_text(launch),
        f"{launch['phase']}: {launch['reason']}",
        _result_text(launch, shown),
        launch["added_text"] or "",
        "; ".join(launch["learnt"]),
    )


def _changed_text(launch: Mapping[str, Any]) -> str:
    changed = launch["changed"]
    if changed is None:
        return describe_settings(launch["searched"]) or "the first"
    return ", ".join(
        f"{label(path)} {format_value(old)} -> {format_value(new)}"
        for path, (old, new) in changed.items()
    )


def _result_text(launch: Mapping[str, Any], shown: Iterable[str]) -> str:
    if launch["failure"] is not None:
        return f"failed: {launch['failure']['kind']}"
    if not launch["result"]:
        return str(launch["status"])
    load = LoadLevel.from_json(launch["load"])
    return f"{_result(launch['result'], shown)} at {load.long}"


def _result(values: Mapping[str, float | None], shown: Iterable[str]) -> str:
    return ", ".join(
        f"{OBJECTIVES[name].label} {figure(value)} {OBJECTIVES[name].unit}".strip()
        for name in shown
        if (value := values.get(name)) is not None
    )


def _total_texts(totals: Mapping[str, Any], shown: Iterable[str]) -> list[tuple[str, str]]:
    best, budget = totals["best"], totals["budget"]
    counts = ", ".join(f"{count} {status}" for status, count in totals["launches"].items())
    further = ", ".join(f"{count} {status}" for status, count in totals["further_launches"].items())
    spent = [
        f"{used:.3g} {name}"
        + ("" if budget["limits"][name] is None else f" of {budget['limits'][name]:g}")
        for name, used in budget["spent"].items()
        if used is not None
    ]
    left = [f"{value:.3g} {name}" for name, value in budget["left"].items() if value is not None]
    excluded = ", ".join(
        f"{count} because {reason}" for reason, count in totals["excluded"].items()
    )
    return [
        ("Launches", counts),
        ("Further launches", further),
        ("Candidates", f"{totals['candidates']}, {totals['not_launched']} not launched"),
        ("Excluded", excluded),
        ("Spent", ", ".join(spent)),
        ("Left of the budget", ", ".join(left) or "no limit is set"),
        ("Best now", "nothing was measured" if best is None else _best_text(best, shown)),
    ]


def _best_text(best: Mapping[str, Any], shown: Iterable[str]) -> str:
    load = LoadLevel.from_json(best["load"])
    title = "" if best["meets_slo"] else "nearest to the SLO, "
    return (
        f"{title}launch {best['launch']} at {load.long}: {_result(best, shown)}; {best['reason']}"
    )


def _cell(text: str) -> str:
    """A text in one line of Markdown, where a bar would end a cell."""
    return " ".join(str(text).split()).replace("|", "\\|")
