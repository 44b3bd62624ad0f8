"""Rates that the roofline assumes of the parts of the time, beside the data sheet. Pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autotuner.config import Candidate
from autotuner.config.tables import packaged_table
from autotuner.predict.predictor import Scenario
from autotuner.predict.roofline.layout import machine_of
from autotuner.predict.roofline.rates import computing_format, habits_of
from autotuner.predict.roofline.step import HOST_LINK_GB_S, LINK_SHARE, DeviceRates, Link

Limit = Literal["memory bandwidth", "compute", "interconnect", "overhead"]
Move = Literal["narrower", "doubled", "halved", "on", "zero"]


@dataclass(frozen=True)
class PartKind:
    """A part, whatever its number format.

    Attributes:
        what: in words. limit: what its time is spent on.
        rate: name of the rate that is assumed of it.
        changes: `group.field` of the settings that change it -> in which direction.
    """

    what: str
    limit: Limit
    rate: str
    changes: Mapping[str, Move]


@functools.cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = packaged_table("autotuner.predict.roofline", "part_rates")
    return table


@functools.cache
def part_kinds() -> Mapping[str, PartKind]:
    """Every part, by its name before the colon."""
    return {name: PartKind(**row) for name, row in _table()["parts"].items()}


def changes_of_waiting(limit: str) -> Mapping[str, Move]:
    """Settings that change what requests wait for, as `Room.limit` names it."""
    found: Mapping[str, Move] = _table()["waiting"][limit]
    return found


def narrower_formats(path: str) -> Sequence[str]:
    """Number formats that are tried in place of a wider one."""
    found: Sequence[str] = _table()["narrower"][path]
    return found


def kind_of_part(name: str) -> PartKind:
    """The kind of a part as `TimeParts` names it: `dense_read:fp8`."""
    return part_kinds()[name.partition(":")[0]]


def part_text(name: str) -> str:
    """A part in words: `reading dense weights (fp8)`."""
    _, _, number_format = name.partition(":")
    what = kind_of_part(name).what
    return f"{what} ({number_format})" if number_format else what


@dataclass(frozen=True)
class AssumedRate:
    """Rate that the roofline takes a part to reach.

    Attributes:
        text: in words: `80 % of 3350 GB/s`, `3 us a kernel`.
        value: in `unit`; None of links, whose time is latency and bandwidth together.
        peak: of the data sheet, or of a CPU as it was measured, in `unit`; None where nothing is
            the peak, as for times.
    """

    text: str
    value: float | None = None
    unit: str = ""
    peak: float | None = None

    @property
    def share(self) -> float | None:
        """Of the peak."""
        return None if self.peak is None or self.value is None else self.value / self.peak

    def where_it_takes(self, factor: float) -> float | None:
        """The value where the part takes so many times as long as assumed."""
        if self.value is None:
            return None
        return self.value * factor if self.peak is None else self.value / factor


def assumed_rates(
    scenario: Scenario, candidate: Candidate, names: Iterable[str]
) -> dict[str, AssumedRate]:
    """The rate assumed of each part of a candidate."""
    facts, machine = scenario.facts, machine_of(scenario, candidate)
    gemm = candidate.quantization.gemm_mode or facts.gemm_format or "bfloat16"
    modes = {
        "gemm": gemm,
        "experts": candidate.quantization.moe_mode or facts.moe_format or gemm,
        "attention": candidate.quantization.fmha_mode or "bfloat16",
    }
    found = {}
    for name in names:
        rate = kind_of_part(name).rate
        if rate in modes:
            peak = scenario.gpu.tflops[computing_format(scenario.gpu, modes[rate])]
            found[name] = _of_peak(getattr(machine, f"{_FLOPS[rate]}"), 1e12 * peak, "FLOP/s")
        elif rate == "bandwidth":
            peak = 1e9 * (scenario.gpu.bandwidth_gb_s or 0.0)
            found[name] = _of_peak(machine.bandwidth, peak, "B/s")
        elif rate == "host_link":
            found[name] = AssumedRate(f"{HOST_LINK_GB_S:g} GB/s from host memory")
        elif rate in _LINKS:
            found[name] = _of_link(_LINKS[rate](machine))
        else:
            value, unit = _TIMES[rate](scenario, machine)
            found[name] = AssumedRate(f"{value:.3g} {unit}", value, unit)
    return found


def _of_peak(reached: float, peak: float, unit: str) -> AssumedRate:
    """Of figures in one unit, which is given with the prefix that suits the peak."""
    prefix, scale = ("T", 1e12) if peak >= 1e12 and unit == "FLOP/s" else ("G", 1e9)
    value, most, unit = reached / scale, peak / scale, f"{prefix}{unit}"
    return AssumedRate(f"{100 * value / most:.0f} % of {most:.4g} {unit}", value, unit, most)


def _of_link(link: Link) -> AssumedRate:
    peak, latency = link.bytes_s / LINK_SHARE / 1e9, f"{1e6 * link.latency_s:.3g} us a hop"
    return AssumedRate(f"{100 * LINK_SHARE:.0f} % of {peak:.4g} GB/s, {latency}")


_FLOPS = {"gemm": "gemm_flops", "experts": "expert_flops", "attention": "attention_flops"}
_LINKS: Mapping[str, Callable[[DeviceRates], Link]] = {
    "tensor_link": lambda machine: machine.tensor_link,
    "ranks_link": lambda machine: machine.ranks_link,
    "stage_link": lambda machine: machine.stage_link,
}
_TIMES: Mapping[str, Callable[[Scenario, DeviceRates], tuple[float, str]]] = {
    "kernel": lambda _, machine: (1e6 * machine.kernel_s, "us a kernel"),
    "eager": lambda _, machine: (1e6 * machine.eager_s, "us a kernel"),
    "host": lambda _, machine: (1e3 * machine.host_s, "ms a step"),
    "request": lambda scenario, _: (habits_of(scenario.engine).request_ms, "ms a request"),
}
