"""Every valid operating point of a run, on the frontier or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autotuner.tuning.summary import ExperimentView, RunSummary

AXES = {
    "tok_s_per_user": "speed per user (tok/s)",
    "tok_s_per_gpu": "throughput per device (tok/s)",
    "tok_s": "throughput (tok/s)",
    "ttft_ms": "TTFT, mean (ms)",
    "tpot_ms": "TPOT, mean (ms)",
    "e2e_p90_ms": "E2E latency, p90 (ms)",
}


@dataclass(frozen=True)
class PlotPoint:
    """One point to draw; `values` holds the quantities of `AXES`."""

    experiment: str
    label: str
    concurrency: int
    values: dict[str, float]
    on_frontier: bool
    recommended: bool


def plot_points(summary: RunSummary) -> list[PlotPoint]:
    """The frontier's points as they are, and the measured levels that are not on it."""
    chosen = summary.recommended
    chosen_key = (chosen.experiment, chosen.concurrency) if chosen else None
    by_id = {experiment.id: experiment for experiment in summary.experiments}
    found = {}
    for experiment in summary.experiments:
        if experiment.status == "completed":
            found.update(_levels(experiment))
    found.update(
        {
            (point.experiment, point.concurrency): {name: getattr(point, name) for name in AXES}
            for point in (*summary.frontier, *([chosen] if chosen else []))
        }
    )
    front = {(point.experiment, point.concurrency) for point in summary.frontier}
    return [
        PlotPoint(
            experiment=key[0],
            label=varied_settings(by_id[key[0]], summary),
            concurrency=key[1],
            values=values,
            on_frontier=key in front,
            recommended=key == chosen_key,
        )
        for key, values in found.items()
    ]


def varied_settings(experiment: ExperimentView, summary: RunSummary) -> str:
    """The settings that tell this experiment from the others."""
    return settings_text(experiment.settings, summary.run.axes)


def settings_text(settings: Mapping[str, object], axes: Collection[str]) -> str:
    """The settings that vary, short: `threads=2 max_running_requests=8`; all where none does."""
    chosen = {path: value for path, value in settings.items() if path in axes} or settings
    return " ".join(
        f"{path.partition('.')[2]}={value_text(value)}" for path, value in chosen.items()
    )


def value_text(value: object) -> str:
    """One value; a list of words in brackets."""
    return f"[{' '.join(map(str, value))}]" if isinstance(value, list | tuple) else str(value)


def _levels(experiment: ExperimentView) -> dict[tuple[str, int], dict[str, float]]:
    gpus = max(experiment.gpus, 1)
    levels = {}
    for level in experiment.measurements:
        ttft, tpot, e2e = level.ttft_ms, level.tpot_ms, level.e2e_ms
        if not level.valid or ttft is None or tpot is None or e2e is None:
            continue
        levels[(experiment.id, level.concurrency)] = {
            "tok_s_per_user": 1000 / tpot.mean,
            "tok_s_per_gpu": level.tok_s / gpus,
            "tok_s": level.tok_s,
            "ttft_ms": ttft.mean,
            "tpot_ms": tpot.mean,
            "e2e_p90_ms": e2e.p90,
        }
    return levels
