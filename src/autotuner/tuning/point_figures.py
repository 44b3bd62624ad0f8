"""Figures of an operating point as events and the API show them, with their intervals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from autotuner.config import LATENCIES, PERCENTILES
from autotuner.measure import Measurement
from autotuner.predict import Prediction
from autotuner.predict.predictor import SPREADS, interval80, limit_interval80
from autotuner.search import COST, OperatingPoint
from autotuner.sizing import TokenCosts, token_costs
from autotuner.tuning.points import SHOWN_LATENCIES, interval95, latency_ms


class Shape(BaseModel):
    """A document of a point, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class FigureView(Shape):
    """A figure and its interval: of 95 % where it was measured, of 80 % where it is predicted."""

    value: float
    low: float | None = None
    """Null where there is no interval, or where the sample is too small for its lower end."""
    high: float | None = None


class PointFiguresView(Shape):
    """Figures of an operating point; null where they are not known.

    Throughput is in output tokens and completed requests per second. Percentiles are over requests;
    where they are predicted, the point's note says what they stand on.
    """

    tok_s: FigureView | None = None
    tok_s_per_gpu: FigureView | None = None
    tok_s_per_user: FigureView | None = None
    """1000 / `tpot_ms`."""
    requests_per_s: FigureView | None = None
    requests_per_s_per_gpu: FigureView | None = None
    ttft_ms: FigureView | None = None
    """Mean, as `tpot_ms`."""
    ttft_p50_ms: FigureView | None = None
    ttft_p90_ms: FigureView | None = None
    ttft_p99_ms: FigureView | None = None
    tpot_ms: FigureView | None = None
    """Null where every answer has one token, as `tok_s_per_user`."""
    tpot_p50_ms: FigureView | None = None
    """Of requests, each with its mean."""
    tpot_p90_ms: FigureView | None = None
    tpot_p99_ms: FigureView | None = None
    e2e_p50_ms: FigureView | None = None
    e2e_p90_ms: FigureView | None = None
    e2e_p99_ms: FigureView | None = None
    usd_per_million_tokens: FigureView | None = None
    """Of output tokens; null where no price is known, as the two below."""
    usd_per_million_input_tokens: FigureView | None = None
    usd_per_million_total_tokens: FigureView | None = None
    """Of input and output tokens together."""
    joules_per_output_token: FigureView | None = None
    """Of the occupied devices over the measured window; null where it was not measured."""


def measured_figures(
    repeats: Sequence[Measurement], devices: int, point: OperatingPoint | None
) -> PointFiguresView:
    """Medians over the repeats of a level; `point` is what they make, None where that is none."""

    def median(read: Callable[[Measurement], float]) -> float:
        return statistics.median(map(read, repeats))

    tok_s, requests_s = median(lambda m: m.tok_s), median(lambda m: m.requests_s)
    latencies = {
        name: _figure(latency_ms(repeats, name), interval95(repeats, name))
        for name in SHOWN_LATENCIES
    }
    return PointFiguresView(
        tok_s=_figure(tok_s),
        tok_s_per_gpu=_figure(tok_s / devices),
        tok_s_per_user=_speed(latencies["tpot_ms"]),
        requests_per_s=_figure(requests_s),
        requests_per_s_per_gpu=_figure(requests_s / devices),
        **_costs(None if point is None else _measured_costs(repeats, point), None),
        joules_per_output_token=_figure(measured_energy(repeats).joules_per_output_token),
        **latencies,
    )


class EnergyPerToken(NamedTuple):
    """Energy of a level's output tokens, and what was counted or why nothing was."""

    joules_per_output_token: float | None = None
    note: str = ""


_SOURCES = {"nvml": "NVML", "rapl": "RAPL"}


def measured_energy(repeats: Sequence[Measurement]) -> EnergyPerToken:
    """Median over the repeats of a level of which it was measured.

    Its note is empty where nobody looked, as in a replay.
    """
    known = [(m, m.energy) for m in repeats if m.energy is not None]
    found = [(j, energy) for m, energy in known if (j := m.joules_per_output_token) is not None]
    if found:
        _, energy = found[0]
        note = f"{_SOURCES[energy.source or 'nvml']}: {energy.counted}"
        return EnergyPerToken(statistics.median(joules for joules, _ in found), note)
    reasons = dict.fromkeys(energy.not_measured for _, energy in known if energy.not_measured)
    return EnergyPerToken(note=f"not measured: {'; '.join(reasons)}" if reasons else "")


def _measured_costs(repeats: Sequence[Measurement], point: OperatingPoint) -> TokenCosts:
    """Costs by the tokens of all completed requests of a level."""
    read, made = (sum(counts) for counts in zip(*map(_tokens, repeats), strict=True))
    return token_costs(point.usd_per_million_tokens, read, made)


def _tokens(measurement: Measurement) -> tuple[int, int]:
    return measurement.input_tokens, measurement.output_tokens


def _costs(
    costs: TokenCosts | None, interval: Callable[[str, float], tuple[float, float]] | None
) -> dict[str, FigureView | None]:
    """Costs as figures; with an interval where that of a value is given."""
    return {
        name: _figure(value, interval(name, value) if interval and value is not None else None)
        for name, value in (costs or TokenCosts()).to_json().items()
    }


def _speed(tpot_ms: FigureView | None) -> FigureView | None:
    """Speed of a user where TPOT has this value and interval; the longer TPOT is the lower end."""
    if tpot_ms is None:
        return None
    low, high = (None if end is None else 1000 / end for end in (tpot_ms.high, tpot_ms.low))
    return FigureView(value=1000 / tpot_ms.value, low=low, high=high)


def predicted_figures(
    point: OperatingPoint, prediction: Prediction, asked: Sequence[str], isl: float | None
) -> PointFiguresView:
    """Figures with their intervals; of percentiles those given, those asked for, and E2E's 90th.

    Args:
        isl: mean input tokens of a request; None where they are not known.
    """
    given = [name for name in PERCENTILES if getattr(prediction, name) is not None]
    shown = {*given, *asked, "e2e_p90_ms"}
    values = {
        name: getattr(point, name)
        for name in SPREADS
        if name != COST and (name not in PERCENTILES or name in shown)
    }
    usd = point.usd_per_million_tokens
    costs = TokenCosts(usd) if isl is None else token_costs(usd, isl, prediction.osl)
    return PointFiguresView(
        **{
            name: _figure(value, _interval80(prediction, name, value))
            for name, value in values.items()
            if value is not None
        },
        **_costs(costs, lambda _, value: _interval80(prediction, COST, value)),
    )


def _interval80(prediction: Prediction, name: str, value: float) -> tuple[float, float]:
    if name in LATENCIES:
        return limit_interval80(prediction, name)
    return interval80(value, getattr(prediction, SPREADS[name]))


def _figure(value: float | None, interval: tuple[float, float] | None = None) -> FigureView | None:
    """A figure with its interval; None where it is none.

    What is 0 or infinite, a figure or an end, is none: it has no ratio and no logarithm.
    """
    found, low, high = (
        number if number is not None and 0 < number < math.inf else None
        for number in (value, *(interval or (None, None)))
    )
    return None if found is None else FigureView(value=found, low=low, high=high)
