"""Energy of a load level: gain of its devices' counters over the measured window.

Counters are sampled in a thread while a level runs, for when its measured window began and ended is
known only afterwards; between two samples is interpolated.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from types import TracebackType
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

EnergySource = Literal["nvml", "rapl"]
_PERIOD_S = 0.1
"""Drivers of GPUs renew their counters about as often."""
_SHORTEST_S = 1.0
"""Of a shorter window, an uncertainty of one sample at either end is a tenth and more."""


class Energy(BaseModel):
    """Energy of a level's measured window, or why it was not measured.

    Attributes:
        energy_j: joules that the counted devices took; None where they were not measured.
        window_s: seconds of the measured window that they are of.
        source: NVIDIA's driver (NVML), or the counters of CPU packages (RAPL).
        counted: the devices: `GPU 0, GPU 1`.
        not_measured: the reason why; empty where it was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    energy_j: float | None = None
    window_s: float | None = None
    source: EnergySource | None = None
    counted: str = ""
    not_measured: str = ""

    @property
    def power_w(self) -> float | None:
        """Mean power of the window."""
        if self.energy_j is None or not self.window_s:
            return None
        return self.energy_j / self.window_s


class NotCounted(Exception):  # noqa: N818 - an outcome that is kept beside a level, not an error
    """No energy can be counted; the message is the reason."""


@dataclass(frozen=True)
class EnergyCounters:
    """Counters of the devices that a launch occupies.

    Attributes:
        counted: the devices, in words.
        read_j: joules of each since any moment. It raises `NotCounted` where one cannot be read.
        ranges_j: where each begins anew at 0; None of one that never does.
        close: called once, after the last reading.
    """

    source: EnergySource
    counted: str
    read_j: Callable[[], tuple[float, ...]]
    ranges_j: tuple[float | None, ...]
    close: Callable[[], None] = lambda: None


class Sample(NamedTuple):
    """Joules of each counter at a moment."""

    at_s: float
    counters_j: tuple[float, ...]


class CountedEnergy(NamedTuple):
    """Joules taken within a time, and the part of it that was seen."""

    energy_j: float
    seconds: float


def taken(
    samples: Sequence[Sample], ranges_j: Sequence[float | None], began_s: float, ended_s: float
) -> CountedEnergy | None:
    """Gain of all counters from `began_s` until `ended_s`, or until the last sample.

    A counter that reached its range has begun at 0 again, once between two samples. None where a
    counter was set back otherwise, or where no sample is as old as `began_s`.
    """
    if len(samples) < 2 or began_s < samples[0].at_s:
        return None
    totals_j = [0.0]
    for before, after in pairwise(samples):
        gained_j = 0.0
        counters = zip(before.counters_j, after.counters_j, ranges_j, strict=True)
        for first_j, then_j, range_j in counters:
            if then_j < first_j and range_j is None:
                return None
            gained_j += then_j - first_j + (range_j or 0.0 if then_j < first_j else 0.0)
        totals_j.append(totals_j[-1] + gained_j)
    times_s = [sample.at_s for sample in samples]
    until_s = min(ended_s, times_s[-1])
    if until_s <= began_s:
        return None
    joules = _at(times_s, totals_j, until_s) - _at(times_s, totals_j, began_s)
    return CountedEnergy(joules, until_s - began_s)


def _at(times_s: Sequence[float], totals_j: Sequence[float], at_s: float) -> float:
    upper = max(bisect_left(times_s, at_s), 1)
    span_s = times_s[upper] - times_s[upper - 1]
    share = (at_s - times_s[upper - 1]) / span_s if span_s > 0 else 1.0
    return totals_j[upper - 1] + share * (totals_j[upper] - totals_j[upper - 1])


class EnergyMeter:
    """Samples counters in a thread while its block runs.

    Args:
        opened: opens the counters. It raises `NotCounted` where there are none.
        period_s: between two samples.
        clock, wall: seconds, and the time of day.
    """

    def __init__(
        self,
        opened: Callable[[], EnergyCounters],
        *,
        period_s: float = _PERIOD_S,
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._opened = opened
        self._period_s = period_s
        self._clock, self._wall = clock, wall
        self._counters: EnergyCounters | None = None
        self._samples: list[Sample] = []
        self._why_not = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="energy", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._counters = self._opened()
            self._read()
        except NotCounted as reason:
            self._why_not = str(reason)
        else:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._counters is not None:
            with suppress(NotCounted):
                self._read()
            self._counters.close()

    def energy(self, began_at: datetime | None, duration_s: float) -> Energy:
        """Energy of a window; to be asked once the block is left.

        Args:
            began_at: beginning of the window; None where the load generator does not say it.
        """
        if self._why_not or self._counters is None:
            return Energy(not_measured=self._why_not)
        if began_at is None:
            return Energy(not_measured="the load generator does not say when measuring began")
        began_s = self._clock() - (self._wall() - began_at).total_seconds()
        found = taken(self._samples, self._counters.ranges_j, began_s, began_s + duration_s)
        if found is None:
            return Energy(not_measured="the counters do not cover the measured window")
        if found.seconds < _SHORTEST_S:
            why = f"the measured window is shorter than {_SHORTEST_S:g} s"
            return Energy(not_measured=why)
        return Energy(
            energy_j=found.energy_j,
            window_s=found.seconds,
            source=self._counters.source,
            counted=self._counters.counted,
        )

    def _sample(self) -> None:
        while not self._over.wait(self._period_s):
            try:
                self._read()
            except NotCounted as reason:
                self._why_not = str(reason)
                return

    def _read(self) -> None:
        if self._counters is None:
            return
        before_s = self._clock()
        counters_j = self._counters.read_j()
        self._samples.append(Sample((before_s + self._clock()) / 2, counters_j))
