"""Answers of aiconfigurator, and the one that counts: modes, formats, what fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["SILICON", "HYBRID", "EMPIRICAL", "SOL"]

MODES: tuple[Mode, ...] = ("SILICON", "HYBRID", "EMPIRICAL", "SOL")
"""From measured kernels only, over measured with gaps filled by formulas, and formulas scaled to
what is measured, to the speed of light: the bounds of bandwidth and arithmetic."""


LOG_STD: Mapping[Mode, tuple[float, float, float]] = {
    "SILICON": (0.8, 0.27, 0.3),
    "HYBRID": (0.9, 0.35, 0.38),
    "EMPIRICAL": (1.0, 0.4, 0.43),
    "SOL": (1.2, 0.7, 0.7),
}
"""Mode -> standard deviation of ln(measured / predicted) of TTFT, TPOT and throughput.

SILICON: 1.48 x the median of |ln(measured / predicted)| over 2,238 aggregated rows of the measured
ones that the package carries (systems/silicon_sample.csv), throughput from the E2E latency. The
other modes are wider by judgement; SOL is a bound that real engines stay behind.
"""


class UnansweredError(Exception):
    """Why aiconfigurator has none for a batch."""


@dataclass(frozen=True)
class StepAnswer:
    """The answer for one batch in one mode.

    Attributes:
        requests_s: that all ranks complete.
        memory_gib, available_gib: per GPU.
        fits: whether memory, and within it the KV cache's share, hold the batch.
        version: of the engine whose kernels were measured.
    """

    ttft_ms: float
    tpot_ms: float
    requests_s: float
    memory_gib: float
    available_gib: float
    fits: bool
    version: str


@dataclass(frozen=True)
class Attempt:
    """One way to ask: in which mode, and in the formats asked for or the checkpoint's own."""

    mode: Mode
    own_formats: bool = False


@dataclass(frozen=True)
class Answer:
    """The part of a batch that a layout serves: `batch` of it at a time, the others wait."""

    batch: int
    ttft_ms: float
    tpot_ms: float
    requests_s: float
    memory_gib: float
    version: str
    mode: Mode
    own_formats: bool


@dataclass(frozen=True)
class NoRoom:
    """Not even one request fits."""

    needed_gib: float
    available_gib: float


@dataclass(frozen=True)
class Refusal:
    """No way of asking was answered."""

    why: str


Outcome = Answer | NoRoom | Refusal
Ask = Callable[[Attempt, int], StepAnswer]


def attempts(modes: Sequence[Mode], checkpoint_decides: bool) -> tuple[Attempt, ...]:
    """The ways to ask, best first.

    Where the checkpoint is quantised in other formats than asked for, engines load it as it is:
    only measured kernels of the formats asked for come before the checkpoint's own.
    """
    if not checkpoint_decides:
        return tuple(Attempt(mode) for mode in modes)
    return (Attempt(modes[0]), *(Attempt(mode, own_formats=True) for mode in modes))


def best_outcome(ask: Ask, ways: Sequence[Attempt], batch: int) -> Outcome:
    """The answer of the first way that has one; the reasons of all where none has."""
    reasons: dict[str, list[str]] = {}
    for way in ways:
        try:
            return _outcome(ask, way, batch)
        except UnansweredError as problem:
            reasons.setdefault(str(problem), []).append(way.mode)
    return Refusal("; ".join(f"{', '.join(modes)}: {why}" for why, modes in reasons.items()))


def _outcome(ask: Ask, way: Attempt, batch: int) -> Answer | NoRoom:
    step = ask(way, batch)
    if not step.fits:
        batch = largest(lambda smaller: ask(way, smaller).fits, batch)
        step = ask(way, max(batch, 1))
        if batch == 0:
            return NoRoom(step.memory_gib, step.available_gib)
    return Answer(
        batch=batch,
        ttft_ms=step.ttft_ms,
        tpot_ms=step.tpot_ms,
        requests_s=step.requests_s,
        memory_gib=step.memory_gib,
        version=step.version,
        mode=way.mode,
        own_formats=way.own_formats,
    )


def largest(holds: Callable[[int], bool], above: int) -> int:
    """The largest number below `above`, from 1, for which `holds`; 0 where there is none.

    Bisects: `holds` is true up to some number and false from there on.
    """
    low, high = 0, above
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
