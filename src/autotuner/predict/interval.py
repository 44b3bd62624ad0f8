"""What a prediction's uncertainty means: ln(measured / predicted) is taken as normal around 0."""

from __future__ import annotations

import math

METRICS = {"ttft_ms": "ttft_log_std", "tpot_ms": "tpot_log_std", "tok_s": "tok_s_log_std"}
"""What is predicted -> the field of its uncertainty."""

STDS_80 = 1.2815515655446004
"""Standard deviations on either side that hold 80 % of a normal distribution: its 90 % quantile."""


def interval80(predicted: float, log_std: float) -> tuple[float, float]:
    """Where four measurements in five are expected: predicted / factor to predicted x factor."""
    factor = math.exp(STDS_80 * log_std)
    return predicted / factor, predicted * factor
