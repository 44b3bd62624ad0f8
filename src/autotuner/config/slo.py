"""Latencies that an SLO limits: means over the requests of a load level, and their percentiles.

`LATENCIES` is the one table of their names: limits, verdicts, predictions and plots follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autotuner.config.document import Document, PositiveReal


class Slo(Document):
    """Limits that the served point has to meet, in ms: of means, or of percentiles over requests.

    A limit on a p99 wants 100 requests a level or more (`benchmark.requests_per_level`); it is
    clearly met where 368 or more show it.
    """

    ttft_ms: PositiveReal | None = None
    """Mean time to first token, ms."""
    ttft_p90_ms: PositiveReal | None = None
    """90th percentile of the time to first token, ms."""
    ttft_p99_ms: PositiveReal | None = None
    """99th percentile of the time to first token, ms."""
    tpot_ms: PositiveReal | None = None
    """Mean time per output token after the first, ms."""
    tpot_p90_ms: PositiveReal | None = None
    """90th percentile, over requests, of the time per output token, ms."""
    tpot_p99_ms: PositiveReal | None = None
    """99th percentile, over requests, of the time per output token, ms."""
    e2e_p90_ms: PositiveReal | None = None
    """90th percentile of the end-to-end latency, ms."""
    e2e_p99_ms: PositiveReal | None = None
    """99th percentile of the end-to-end latency, ms."""

    def limits(self) -> dict[str, float]:
        """The limits that are set."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


@dataclass(frozen=True)
class Latency:
    """A latency in ms.

    Attributes:
        mean: name of the mean that it belongs to; its own where it is one.
        percentile: `p90`, `p99`; None of a mean.
        usual_ratio: of the percentile to the mean, where neither a predictor nor a measurement
            tells it.
        ratio_log_std: standard deviation of ln(true ratio / usual ratio).
        fewest_requests: of fewer, less than one is beyond the percentile.
    """

    name: str
    mean: str
    percentile: str | None
    label: str
    meaning: str
    usual_ratio: float = 1.0
    ratio_log_std: float = 0.0
    fewest_requests: int = 1


LATENCIES: Mapping[str, Latency] = {
    latency.name: latency
    for latency in (
        Latency("ttft_ms", "ttft_ms", None, "TTFT", "time to first token, mean"),
        Latency(
            *("ttft_p90_ms", "ttft_ms", "p90", "TTFT p90", "time to first token, 90th percentile"),
            *(1.6, 0.3, 10),
        ),
        Latency(
            *("ttft_p99_ms", "ttft_ms", "p99", "TTFT p99", "time to first token, 99th percentile"),
            *(2.4, 0.5, 100),
        ),
        Latency("tpot_ms", "tpot_ms", None, "TPOT", "time per output token, mean"),
        Latency(
            *("tpot_p90_ms", "tpot_ms", "p90", "TPOT p90"),
            *("time per output token, 90th percentile", 1.25, 0.3, 10),
        ),
        Latency(
            *("tpot_p99_ms", "tpot_ms", "p99", "TPOT p99"),
            *("time per output token, 99th percentile", 1.5, 0.5, 100),
        ),
        Latency(
            *("e2e_p90_ms", "e2e_ms", "p90", "E2E p90", "end-to-end latency, 90th percentile"),
            *(1.25, 0.1, 10),
        ),
        Latency(
            *("e2e_p99_ms", "e2e_ms", "p99", "E2E p99", "end-to-end latency, 99th percentile"),
            *(1.5, 0.2, 100),
        ),
    )
}
"""Name -> the latency. The usual ratios of p99 are medians of 169 load levels that InferenceX
published (fixed lengths, 40 to 640 requests a level; middle halves 1.7 to 3.4, 1.3 to 2.8 and 1.3
to 1.6; those of TTFT and TPOT over the median, which stands for the mean). Those of p90 follow from
a normal logarithm: its 90th percentile lies 0.55 times as far out."""
PERCENTILES: Mapping[str, Latency] = {
    name: latency for name, latency in LATENCIES.items() if latency.percentile is not None
}
"""The percentiles among them."""
NEEDS_TPOT = (
    "tok_s_per_user",
    *(name for name, latency in LATENCIES.items() if latency.mean == "tpot_ms"),
)
"""Quantities that do not exist where every answer has one token."""
