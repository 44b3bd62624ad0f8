"""What a prediction's uncertainty means: ln(measured / predicted) is taken as normal around 0."""

from __future__ import annotations

import math
from typing import Literal

from autotuner.predict.protocol import Prediction

METRICS = {"ttft_ms": "ttft_log_std", "tpot_ms": "tpot_log_std", "tok_s": "tok_s_log_std"}
"""What is predicted -> the field of its uncertainty."""

_SLO = METRICS | {"e2e_p90_ms": "tok_s_log_std"}
"""A limit -> the field of its uncertainty; E2E latency is as unsure as throughput (Little)."""

Verdict = Literal["meets", "unclear", "misses"]
"""How an interval stands to a limit: below it, around it, above it."""

STDS_80 = 1.2815515655446004
"""Standard deviations on either side that hold 80 % of a normal distribution: its 90 % quantile."""


def limit_interval80(point: Prediction, name: str) -> tuple[float, float]:
    """The 80 % interval of what a limit is of: `ttft_ms`, `tpot_ms`, `e2e_p90_ms`.

    No predictor tells percentiles: the mean stands for the 90th.
    """
    value = point.e2e_ms if name == "e2e_p90_ms" else getattr(point, name)
    return interval80(value, getattr(point, _SLO[name]))


def verdict(interval: tuple[float, float], limit: float) -> Verdict:
    """How the interval stands to an upper limit."""
    low, high = interval
    return "meets" if high <= limit else "misses" if low > limit else "unclear"


def interval80(predicted: float, log_std: float) -> tuple[float, float]:
    """Where four measurements in five are expected: predicted / factor to predicted x factor."""
    factor = math.exp(STDS_80 * log_std)
    return predicted / factor, predicted * factor
