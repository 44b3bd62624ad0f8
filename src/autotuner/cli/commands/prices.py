"""Prices of GPUs as the command line gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from autotuner.catalog import gpu_named
from autotuner.config import DescribedGpu
from autotuner.errors import AutotunerError


def price_above_0(usd_per_gpu_hour: float | None) -> float | None:
    """The price of any GPU; None where it is left out.

    Raises:
        AutotunerError: it is not above 0, or not finite.
    """
    if usd_per_gpu_hour is not None and not 0 < usd_per_gpu_hour < math.inf:
        raise AutotunerError(
            f"--usd-per-gpu-hour: {usd_per_gpu_hour:g} is not above 0", remedy="give USD, like 2.5"
        )
    return usd_per_gpu_hour


def prices_of(texts: Sequence[str], described: Mapping[str, DescribedGpu]) -> dict[str, float]:
    """`["2.5"]`, `["h100=2.5,h200=3"]` as GPU -> USD per hour; "" stands for any.

    Raises:
        AutotunerError: a GPU that is unknown, or a price that is not above 0.
    """
    prices: dict[str, float] = {}
    for word in (part.strip() for text in texts for part in text.split(",") if part.strip()):
        name, _, text = word.rpartition("=")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise AutotunerError(
                f"--usd-per-gpu-hour: {word!r} has no price above 0",
                remedy="write 2.5, or h100=2.5,h200=3",
            )
        gpu = gpu_named(name, described, field="--usd-per-gpu-hour").name if name else ""
        prices[gpu] = value
    return prices
