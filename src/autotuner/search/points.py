"""Operating points, and the quantities by which they are compared."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class OperatingPoint:
    """One measured or predicted load level of a candidate.

    Latencies are means in ms, except `e2e_p90_ms`; throughput is in output tokens/s.
    """

    candidate_id: str
    concurrency: int
    tok_s: float
    tok_s_per_gpu: float
    tok_s_per_user: float
    ttft_ms: float
    tpot_ms: float
    e2e_p90_ms: float


@dataclass(frozen=True)
class Objective:
    """A quantity to be made large (`maximise`) or small."""

    name: str
    maximise: bool
    unit: str
    meaning: str


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("tok_s_per_gpu", True, "tok/s/GPU", "throughput of a device"),
        Objective("tok_s", True, "tok/s", "throughput of the deployment"),
        Objective("tok_s_per_user", True, "tok/s/user", "speed that one user sees"),
        Objective("ttft_ms", False, "ms", "time to first token, mean"),
        Objective("tpot_ms", False, "ms", "time per output token, mean"),
        Objective("e2e_p90_ms", False, "ms", "end-to-end latency, 90th percentile"),
    )
}


def objective_vector(point: OperatingPoint, names: Sequence[str]) -> tuple[float, ...]:
    """The point's coordinates, each to be maximised (a quantity to minimise changes its sign).

    Raises:
        ValueError: an objective that does not exist.
    """
    return tuple(_signed(point, name) for name in names)


def _signed(point: OperatingPoint, name: str) -> float:
    if name not in OBJECTIVES:
        close = difflib.get_close_matches(name, OBJECTIVES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(OBJECTIVES)}"
        raise ValueError(f"there is no objective {name!r}; {hint}")
    value = float(getattr(point, name))
    return value if OBJECTIVES[name].maximise else -value
