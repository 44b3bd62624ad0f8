"""The point that predictions recommend before anything is launched: for people and for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from autotuner.predict import Prediction
from autotuner.predict.interval import METRICS, interval80, limit_interval80, verdict
from autotuner.report.points import settings_text
from autotuner.report.row_names import short_ids
from autotuner.search import OBJECTIVES, as_point
from autotuner.search.points import figure
from autotuner.tuning.outlook import Outlook
from autotuner.tuning.prepare import Prepared


def recommended_document(prepared: Prepared, found: Outlook) -> dict[str, Any] | None:
    """The recommended point as JSON has it; None where nothing is predicted.

    `intervals` are of 80 %; a verdict is `meets`, `unclear` or `misses`, of the interval.
    """
    chosen = found.recommended
    if chosen is None:
        return None
    point = chosen.point
    intervals = {
        name: list(interval80(value, getattr(point, log_std)))
        for name, log_std in METRICS.items()
        if (value := getattr(point, name)) is not None
    }
    return {
        "candidate": point.candidate_id,
        "settings": dict(settings_of(prepared, point)),
        "gpus": point.devices,
        "concurrency": point.concurrency,
        "ttft_ms": point.ttft_ms,
        "tpot_ms": point.tpot_ms,
        "tok_s": point.tok_s,
        "requests_per_s": point.requests_per_s,
        "e2e_ms": point.e2e_ms,
        "usd_per_million_tokens": as_point(point, prepared.usd_per_gpu_hour).usd_per_million_tokens,
        "intervals": intervals,
        "reason": chosen.reason,
        "meets_slo": chosen.meets_slo,
        "limits": [
            {
                "name": name,
                "limit_ms": limit,
                "predicted_ms": value,
                "interval_ms": list(limit_interval80(point, name)),
                "verdict": verdict(limit_interval80(point, name), limit),
                "over": max(value / limit - 1, 0.0),
            }
            for name, limit, value in _limits(prepared, point)
        ],
        "command": prepared.space.specs[point.candidate_id].command(),
    }


def print_recommended(prepared: Prepared, found: Outlook, console: Console) -> None:
    """Prints the point, how it stands to each limit, why it is chosen and how it is started."""
    chosen = found.recommended
    if chosen is None:
        return
    point = chosen.point
    title = "expected best" if chosen.meets_slo else "nearest to the SLO"
    settings = settings_text(settings_of(prepared, point), prepared.axes)
    figures = [_figure(point, name) for name in METRICS if getattr(point, name) is not None]
    if point.tpot_ms is None:
        low, high = interval80(point.requests_per_s, point.tok_s_log_std)
        rate = figure(point.requests_per_s)
        figures[-1] = f"{rate} requests/s ({figure(low)}–{figure(high)})"
    console.print()
    short = short_ids([candidate.id for candidate in prepared.space.candidates])
    named = f"{short[point.candidate_id]} {escape(settings)}"
    console.print(
        f"[bold]{title}[/bold] {named} at {point.concurrency} concurrent requests: "
        f"{', '.join(figures)}",
        soft_wrap=True,
    )
    console.print(f"  {escape(chosen.reason)}", soft_wrap=True)
    for name, limit, value in _limits(prepared, point):
        low, high = interval = limit_interval80(point, name)
        label, stands = OBJECTIVES[name].label, verdict(interval, limit)
        excess = f", {value / limit - 1:.0%} over it" if value > limit else ""
        console.print(
            f"  {stands}: {label} {figure(value)} ms ({figure(low)}–{figure(high)}), "
            f"the limit is {limit:g} ms{excess}",
            soft_wrap=True,
        )
    command = prepared.space.specs[point.candidate_id].command()
    console.print(command, soft_wrap=True, markup=False, highlight=False)


def settings_of(prepared: Prepared, point: Prediction) -> Mapping[str, Any]:
    """The settings of a predicted point's candidate."""
    return next(c.settings() for c in prepared.space.candidates if c.id == point.candidate_id)


def _limits(prepared: Prepared, point: Prediction) -> list[tuple[str, float, float]]:
    """Name, limit and predicted value of each limit of the task, in ms."""
    made = as_point(point, prepared.usd_per_gpu_hour)
    limits = prepared.task.slo_limits().items()
    return [(name, limit, float(getattr(made, name))) for name, limit in limits]


def _figure(point: Prediction, name: str) -> str:
    value = getattr(point, name)
    low, high = interval80(value, getattr(point, METRICS[name]))
    objective = OBJECTIVES[name]
    label = f"{objective.label} " if objective.label else ""
    return f"{label}{figure(value)} {objective.unit} ({figure(low)}–{figure(high)})"
