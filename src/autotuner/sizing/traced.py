"""Rate of a recorded traffic that replicas have to hold: a quantile over windows of time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autotuner.sizing.traffic import TrafficError

_MOST_WINDOWS = 10_000_000


@dataclass(frozen=True)
class TracedTraffic:
    """Requests of a trace, counted by windows of one length, one after the other.

    Attributes:
        span_s: from the first request to the last.
        windows: whole ones within it.
        quantile: share of the windows whose rate is `requests_per_s` at the most.
        requests_per_s, mean_per_s, most_per_s: at the quantile, over all, and of the fullest.
    """

    requests: int
    span_s: float
    window_s: float
    windows: int
    quantile: float
    requests_per_s: float
    mean_per_s: float
    most_per_s: float

    def to_json(self) -> dict[str, float]:
        """Fields of the document that has it."""
        return dict(vars(self))


def traced_traffic(times_s: Sequence[float], *, window_s: float, quantile: float) -> TracedTraffic:
    """Rates of a trace; what comes after its last whole window is in none.

    A quantile is a rate that a window had: the least that so large a share of them does not exceed.

    Args:
        times_s: of the requests, in any order.
        quantile: above 0, at most 1.

    Raises:
        TrafficError: its field is `window_s` or `quantile`, or "" where the trace is none.
    """
    if not 0 < quantile <= 1:
        raise TrafficError("quantile", f"{quantile:g} is no quantile; give a share above 0")
    if not 0 < window_s < math.inf:
        raise TrafficError("window_s", f"a window of {window_s:g} s is none; give a number above 0")
    if len(times_s) < 2:
        raise TrafficError("", "a trace of fewer than two requests has no rate")
    first = min(times_s)
    span_s = max(times_s) - first
    windows = int(span_s / window_s) if span_s / window_s <= _MOST_WINDOWS else 0
    if windows < 1:
        problem = "longer than" if span_s < window_s else "far too short for"
        raise TrafficError(
            "window_s", f"a window of {window_s:g} s is {problem} the {span_s:g} s of the trace"
        )
    counts = _counts(times_s, first, window_s, windows)
    at_quantile = counts[max(math.ceil(quantile * windows - 1e-9), 1) - 1]
    if not at_quantile:
        raise TrafficError(
            "window_s",
            f"no request came in {100 * quantile:.4g} % of the windows of {window_s:g} s",
        )
    return TracedTraffic(
        requests=len(times_s),
        span_s=span_s,
        window_s=window_s,
        windows=windows,
        quantile=quantile,
        requests_per_s=at_quantile / window_s,
        mean_per_s=sum(counts) / (windows * window_s),
        most_per_s=counts[-1] / window_s,
    )


def _counts(times_s: Iterable[float], first: float, window_s: float, windows: int) -> list[int]:
    """Requests of each window, the emptiest first."""
    found = Counter(int((time_s - first) / window_s) for time_s in times_s)
    found.pop(windows, None)
    return sorted([*found.values(), *[0] * (windows - len(found))])
