"""Operating points, and the quantities by which they are compared."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class OperatingPoint:
    """One measured or predicted load level of a candidate.

    Latencies are means in ms, except `e2e_p90_ms`; throughput is in output tokens/s.

    Attributes:
        usd_per_gpu_hour: price of a device for an hour; None where it is not known.
    """

    candidate_id: str
    concurrency: int
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float
    ttft_ms: float
    tpot_ms: float
    e2e_p90_ms: float
    usd_per_gpu_hour: float | None = None

    @property
    def usd_per_million_tokens(self) -> float | None:
        """USD that a million output tokens cost: a device's hour over what it makes in an hour."""
        if self.usd_per_gpu_hour is None:
            return None
        return self.usd_per_gpu_hour / (self.tok_s_per_gpu * 3600) * 1e6


@dataclass(frozen=True)
class Objective:
    """A quantity to be made large (`maximise`) or small.

    Attributes:
        label: what a reader calls it, where the unit does not say it.
    """

    name: str
    maximise: bool
    unit: str
    meaning: str
    label: str = ""


COST = "usd_per_million_tokens"
"""The objective that needs a price."""
OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("tok_s_per_gpu", True, "tok/s/GPU", "throughput per device"),
        Objective("tok_s", True, "tok/s", "throughput of the deployment"),
        Objective("tok_s_per_user", True, "tok/s/user", "speed per user"),
        Objective("ttft_ms", False, "ms", "time to first token, mean", "TTFT"),
        Objective("tpot_ms", False, "ms", "time per output token, mean", "TPOT"),
        Objective("e2e_p90_ms", False, "ms", "end-to-end latency, 90th percentile", "E2E p90"),
        Objective(COST, False, "USD/M tokens", "cost of a million tokens"),
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
        ValueError: an objective that does not exist, or a cost where no price is known.
    """
    return tuple(
        value if _objective(name).maximise else -value
        for name, value in ((name, quantity(point, name)) for name in names)
    )


def quantity(point: OperatingPoint, name: str) -> float:
    """The objective's value at the point, in its unit.

    Raises:
        ValueError: an objective that does not exist, or a cost where no price is known.
    """
    value = getattr(point, _objective(name).name)
    if value is None:
        raise ValueError(f"{name} needs a price, and the point has no usd_per_gpu_hour: {point}")
    return float(value)


def told(point: OperatingPoint, names: Sequence[str]) -> str:
    """The point in words: `4,200 tok/s/GPU, TTFT 210 ms (concurrency 64)`."""
    values = (
        f"{objective.label} {figure(quantity(point, objective.name))} {objective.unit}".strip()
        for objective in map(_objective, names)
    )
    return f"{', '.join(values)} (concurrency {point.concurrency})"


def figure(value: float) -> str:
    """A number with the digits that a reader needs: `4,200`, `38.1`, `0.042`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _objective(name: str) -> Objective:
    if name not in OBJECTIVES:
        close = difflib.get_close_matches(name, OBJECTIVES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(OBJECTIVES)}"
        raise ValueError(f"there is no objective {name!r}; {hint}")
    return OBJECTIVES[name]
