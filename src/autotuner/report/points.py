"""Every valid operating point of a task, on the frontier or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from autotuner.config import LoadLevel
from autotuner.config.secret_values import shown_words
from autotuner.predict import Prediction
from autotuner.search import OBJECTIVES, OperatingPoint
from autotuner.search.points import figure
from autotuner.sizing import TokenCosts
from autotuner.tuning.disturbance import disturbance_of
from autotuner.tuning.few_requests import measured_notes
from autotuner.tuning.operating_points import MeasuredLevel, measured_levels
from autotuner.tuning.point_figures import FigureView
from autotuner.tuning.points import pooled_levels
from autotuner.tuning.summary import ExperimentView, PointView, TaskSummary

AXES = {name: f"{found.meaning} ({found.unit})" for name, found in OBJECTIVES.items()}
"""Quantity -> its one name on every plot."""
_LONGEST_TEXT = 160
_UPWARDS = ("tok_s_per_gpu", "tok_s", "requests_per_s_per_gpu", "requests_per_s")
"""Quantities that plots draw upwards; all others are drawn rightwards where one of these is."""


def plane(objectives: Sequence[str]) -> tuple[str, str]:
    """The quantities that a plot draws rightwards and upwards: two of the objectives if possible.

    A quantity keeps its side on all plots: the throughput of the deployment stands upright, the
    speed and the latencies that a user sees lie.
    """
    upright = [name for name in _UPWARDS if name in objectives]
    lying = [name for name in objectives if name not in _UPWARDS]
    upwards = (*upright, *lying[1:], _UPWARDS[0])[0]
    across = (*lying, *upright, "tok_s_per_user")
    return next(name for name in across if name != upwards), upwards


def limits_by_quantity(slo: Mapping[str, float]) -> dict[str, float]:
    """The limits of an SLO; that of TPOT, in ms, is one of the speed per user too."""
    speed = {"tok_s_per_user": 1000 / slo["tpot_ms"]} if "tpot_ms" in slo else {}
    return dict(slo) | speed


@dataclass(frozen=True)
class PlotPoint:
    """One point to draw.

    Attributes:
        values: quantity of `AXES` -> value; a quantity that does not exist here is left out.
        intervals: quantity -> 95 % confidence interval, where the measurement has one.
    """

    experiment: str
    label: str
    load: LoadLevel
    values: dict[str, float]
    on_frontier: bool
    recommended: bool
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)


def plot_points(summary: TaskSummary) -> list[PlotPoint]:
    """The frontier's points as they are, and the measured levels that are not on it."""
    chosen = summary.recommended
    chosen_key = (chosen.experiment, chosen.load) if chosen else None
    by_id = {experiment.id: experiment for experiment in summary.experiments}
    values: dict[tuple[str, LoadLevel], dict[str, float]] = {}
    intervals: dict[tuple[str, LoadLevel], dict[str, tuple[float, float]]] = {}
    for experiment in summary.experiments:
        if experiment.status == "completed":
            for level in measured_levels(experiment, experiment.id, experiment.gpus):
                if level.point is not None:
                    key, figures = (experiment.id, level.load), _figures(level)
                    values[key] = {name: figure.value for name, figure in figures.items()}
                    intervals[key] = {
                        name: (figure.low or 0.0, figure.high)
                        for name, figure in figures.items()
                        if figure.high is not None
                    }
    for point in (*summary.frontier, *([chosen] if chosen else [])):
        values[point.experiment, point.load] = {
            name: value for name in AXES if (value := getattr(point, name, None)) is not None
        }
    front = {(point.experiment, point.load) for point in summary.frontier}
    return [
        PlotPoint(
            experiment=key[0],
            label=varied_settings(by_id[key[0]], summary),
            load=key[1],
            values=found,
            on_frontier=key in front,
            recommended=key == chosen_key,
            intervals=intervals.get(key, {}),
        )
        for key, found in values.items()
    ]


def point_text(point: PlotPoint) -> str:
    """The point in a line: settings, load, and every quantity that exists here."""
    rate = "tok_s" if "tpot_ms" in point.values else "requests_per_s"
    parts = []
    for name in (rate, "ttft_ms", "tpot_ms", "e2e_p90_ms"):
        if name in point.values:
            unit, title = OBJECTIVES[name].unit, OBJECTIVES[name].label
            spread = ""
            if name in point.intervals:
                low, high = point.intervals[name]
                spread = f" ({_short(low)} to {_short(high)})"
            parts.append(f"{title} {_short(point.values[name])}{spread} {unit}".strip())
    return f"{point.label} at {point.load.short}: {', '.join(parts)}"


def _short(value: float) -> str:
    """Four digits, or the whole number where it has more."""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def verdict_text(point: PointView) -> str:
    """How the point stands to the SLO: `meets`, `unclear: TTFT`, `misses: TPOT, E2E p90`."""
    for worst in ("misses", "unclear"):
        names = [OBJECTIVES[name].label for name, v in point.verdicts.items() if v == worst]
        if names:
            return f"{worst}: {', '.join(names)}"
    return "meets" if point.verdicts else ""


def probability_text(point: PointView) -> str:
    """Probability that no other candidate beats a point in every objective: `97 %`."""
    share = point.probability_on_frontier
    if share is None:
        return ""
    return "> 99 %" if share > 0.995 else f"{100 * share:.0f} %"


def cost_text(costs: TokenCosts) -> str | None:
    """USD of a million tokens: of output, input and both; None where no price is known."""
    parts = (
        (costs.usd_per_million_tokens, "output"),
        (costs.usd_per_million_input_tokens, "input"),
        (costs.usd_per_million_total_tokens, "both together"),
    )
    known = [f"{usd:.3g} ({what})" for usd, what in parts if usd is not None]
    return f"USD per million tokens: {', '.join(known)}" if known else None


def usd_text(value: float | None) -> str:
    """USD in a cell of a table: `0.42`, `1,250`; a dash where no price is known."""
    return "–" if value is None else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def cut_text(text: str) -> str:
    """A reason no longer than a reader takes in: its beginning where it is longer."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def energy_text(point: PointView) -> str | None:
    """Energy of an output token, or why it was not measured; None where nobody looked."""
    if point.joules_per_output_token is not None:
        joules = figure(point.joules_per_output_token)
        return f"energy per output token: {joules} J ({point.energy_note})"
    return f"energy {point.energy_note}" if point.energy_note else None


def costs_of(point: PointView) -> TokenCosts:
    """The costs of a point."""
    return TokenCosts(
        point.usd_per_million_tokens,
        point.usd_per_million_input_tokens,
        point.usd_per_million_total_tokens,
    )


def figure_text(value: float | None, digits: int) -> str:
    """A figure of a table, with so many digits behind the point; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def rate_column(points: Sequence[OperatingPoint | PointView | Prediction]) -> tuple[str, str, int]:
    """The rate that a table of points shows: its quantity, head and digits.

    Output tokens; requests where no point has a second token.
    """
    if points and all(point.tpot_ms is None for point in points):
        return "requests_per_s", "req/s", 2
    return "tok_s", "tok/s", 1


def varied_settings(experiment: ExperimentView, summary: TaskSummary) -> str:
    """The settings that tell this experiment from the others."""
    return settings_text(experiment.settings, summary.task.axes)


def settings_text(settings: Mapping[str, object], axes: Collection[str]) -> str:
    """The settings that vary, short: `threads=2 max_running_requests=8`; all where none does."""
    chosen = {path: value for path, value in settings.items() if path in axes} or settings
    return " ".join(
        f"{path.partition('.')[2]}={value_text(value)}" for path, value in chosen.items()
    )


def value_text(value: object) -> str:
    """One value; a list of words in brackets, without the secrets among them."""
    if isinstance(value, list | tuple):
        return f"[{' '.join(shown_words(map(str, value)))}]"
    return str(value)


def _figures(level: MeasuredLevel) -> dict[str, FigureView]:
    """The figures that a plot may show."""
    return {name: found for name in AXES if (found := getattr(level.figures, name)) is not None}


def short_level_notes(summary: TaskSummary) -> list[str]:
    """Percentiles of the SLO that some level has too few requests for; see `measured_notes`."""
    counting = (
        level
        for one in summary.experiments
        if one.status == "completed"
        for found in pooled_levels(one.measurements).values()
        for level in found
    )
    return measured_notes(counting, summary.task.slo)


def disturbed_note(summary: TaskSummary) -> str | None:
    """How many levels were not measured in peace, and what to do about it; None where all were."""
    found = disturbance_of(summary.experiments)
    return None if found is None else f"{found.text}: {found.remedy} (tune --again)"
