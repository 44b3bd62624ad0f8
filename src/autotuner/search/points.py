"""Operating points, and the quantities by which they are compared."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autotuner.config import LATENCIES, NEEDS_TPOT, LoadLevel


@dataclass(frozen=True)
class OperatingPoint:
    """One measured or predicted load level of a candidate.

    Latencies are in ms, means but for the percentiles over requests; throughput is in output
    tokens/s.

    Attributes:
        tok_s_per_user, tpot_ms: None where no request has a second output token: TPOT does not
            exist then.
        usd_per_gpu_hour: price of a device for an hour; None where it is not known.
        requests_per_s: completed requests per second of the deployment; None where the request
            lengths are not known.
        ttft_p90_ms, ttft_p99_ms, tpot_p90_ms, tpot_p99_ms, e2e_p99_ms: None where they are not
            known.
        intervals95: (quantity, lower end, upper end) of measured latencies, in ms; an end is
            infinite where the sample says none.
    """

    candidate_id: str
    load: LoadLevel
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float | None
    ttft_ms: float
    tpot_ms: float | None
    e2e_p90_ms: float
    usd_per_gpu_hour: float | None = None
    requests_per_s: float | None = None
    ttft_p90_ms: float | None = None
    ttft_p99_ms: float | None = None
    tpot_p90_ms: float | None = None
    tpot_p99_ms: float | None = None
    e2e_p99_ms: float | None = None
    intervals95: tuple[tuple[str, float, float], ...] = field(default=(), compare=False)

    @property
    def requests_per_s_per_gpu(self) -> float | None:
        """Completed requests per second and device."""
        if self.requests_per_s is None or not self.tok_s:
            return None
        return self.requests_per_s * self.tok_s_per_gpu / self.tok_s

    @property
    def usd_per_million_tokens(self) -> float | None:
        """USD that a million output tokens cost: a device's hour over what it makes in an hour."""
        if self.usd_per_gpu_hour is None or not self.tok_s_per_gpu:
            return None
        return self.usd_per_gpu_hour / (self.tok_s_per_gpu * 3600) * 1e6


@dataclass(frozen=True)
class Objective:
    """A quantity to be made large (`maximise`) or small.

    Attributes:
        label: what a reader calls it, where the unit does not say it.
        lacking: why a point may have no value of it.
    """

    name: str
    maximise: bool
    unit: str
    meaning: str
    label: str = ""
    lacking: str = ""


COST = "usd_per_million_tokens"
"""The objective that needs a price."""
_NO_TPOT = "TPOT does not exist where every answer has one token"
_NO_LENGTHS = "the request lengths are not known"
OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("tok_s_per_gpu", True, "tok/s/GPU", "throughput per device"),
        Objective("tok_s", True, "tok/s", "throughput of the deployment"),
        Objective("tok_s_per_user", True, "tok/s/user", "speed per user", lacking=_NO_TPOT),
        Objective(
            "requests_per_s_per_gpu",
            True,
            "requests/s/GPU",
            "requests per device",
            lacking=_NO_LENGTHS,
        ),
        Objective(
            "requests_per_s",
            True,
            "requests/s",
            "requests of the deployment",
            lacking=_NO_LENGTHS,
        ),
        *(
            Objective(
                *(name, False, "ms", latency.meaning, latency.label),
                lacking=_NO_TPOT if name in NEEDS_TPOT else "it is not known",
            )
            for name, latency in LATENCIES.items()
        ),
        Objective(
            COST,
            False,
            "USD/M tokens",
            "cost of a million tokens",
            lacking="no usd_per_gpu_hour is known",
        ),
    )
}


def check_objectives(names: Sequence[str]) -> None:
    """Refuses what cannot be searched for.

    Raises:
        ValueError: not one to three objectives, one that does not exist, one named twice.
    """
    if not 1 <= len(names) <= 3:
        raise ValueError(f"expected 1, 2 or 3 objectives, got {len(names)}")
    for name in names:
        _objective(name)
    if len(set(names)) < len(names):
        raise ValueError(f"an objective is named twice: {', '.join(names)}")


def objective_vector(point: OperatingPoint, names: Sequence[str]) -> tuple[float, ...]:
    """The point's coordinates, each to be maximised (a quantity to minimise changes its sign).

    Raises:
        ValueError: an objective that does not exist, or one of which the point has no value.
    """
    return tuple(
        value if _objective(name).maximise else -value
        for name, value in ((name, quantity(point, name)) for name in names)
    )


def quantity(point: OperatingPoint, name: str) -> float:
    """The objective's value at the point, in its unit.

    Raises:
        ValueError: an objective that does not exist, or one of which the point has no value.
    """
    objective = _objective(name)
    value = getattr(point, objective.name)
    if value is None:
        raise ValueError(f"{name}: {objective.lacking}: {point}")
    return float(value)


def has(point: OperatingPoint, names: Iterable[str]) -> bool:
    """Whether the point has a value of every quantity named, so that a search can compare it.

    0, an infinite figure and none at all are no values: they have no logarithm and no ratio.
    """
    values = (getattr(point, _objective(name).name) for name in names)
    return all(value is not None and 0 < value < math.inf for value in values)


def describe_point(point: OperatingPoint, names: Sequence[str]) -> str:
    """The point in words: `4,200 tok/s/GPU, TTFT 210 ms (concurrency 64)`."""
    values = (
        f"{objective.label} {figure(quantity(point, objective.name))} {objective.unit}".strip()
        for objective in map(_objective, names)
    )
    return f"{', '.join(values)} ({point.load.named})"


def fastest_first(point: _Served) -> tuple[float, float]:
    """A key that sorts points by what one user waits for: tokens where there is more than one,
    then the first token."""
    return -(point.tok_s_per_user or 0.0), point.ttft_ms


class _Served(Protocol):
    """A measured or predicted point."""

    @property
    def tok_s_per_user(self) -> float | None: ...

    @property
    def ttft_ms(self) -> float: ...


def figure(value: float) -> str:
    """A number with the digits that a reader needs: `4,200`, `38.1`, `0.042`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(share: float) -> str:
    """`31 %`, `3.1 %`."""
    return f"{100 * share:.{0 if abs(share) >= 0.1 else 1}f} %"


def _objective(name: str) -> Objective:
    if name not in OBJECTIVES:
        close = difflib.get_close_matches(name, OBJECTIVES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(OBJECTIVES)}"
        raise ValueError(f"there is no objective {name!r}; {hint}")
    return OBJECTIVES[name]
